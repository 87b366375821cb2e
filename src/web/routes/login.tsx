// Signing in and out. A refused sign-in shows the form again with the e-mail and one sentence that
// does not tell whether the user exists.
import { wait } from "../../../views/format.ts";
import { LoginPage } from "../../../views/pages/login.tsx";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import { frameOf, respondPage, safePath } from "../respond.ts";
import { action, publicAction, publicPage, type Route, type WebContext } from "../route.ts";
import { clearSessionCookie, readSessionCookie, writeSessionCookie } from "../session-cookie.ts";

const REFUSED = "E-mail or password is wrong.";
const DONE: Readonly<Record<string, string>> = {
  password: "Your password is set. Sign in with it.",
  out: "You are signed out.",
};

/** The sentence for somebody who must wait. */
export function throttledSentence(waitMs: number): string {
  return `Too many attempts. Try again in ${wait(waitMs)}.`;
}

/** Routes of signing in and out. */
export function loginRoutes({ about, sessions, trust }: WebDeps): Route[] {
  const form = (
    c: WebContext,
    fields: { email: string; next: string; problem?: string; done?: string | undefined },
    status: 200 | 422 | 429 = 200,
  ) => {
    const page = <LoginPage frame={frameOf(c, about)} program={about.program} {...fields} />;
    return respondPage(c, page, status);
  };
  return [
    publicPage("/login", (c, visitor) => {
      const next = safePath(c.req.query("next"));
      if (visitor) return c.redirect(next, 303);
      return form(c, { email: "", next, done: DONE[c.req.query("done") ?? ""] });
    }),

    publicAction("/login", async (c) => {
      const { email, password, next: wanted } = await readFields(c, "email", "password", "next");
      const next = safePath(wanted);
      const client = c.req.header("user-agent") ?? "";
      const outcome = await sessions.logIn(email, password, { address: c.get("address"), client });
      if (!outcome.ok) {
        // Whoever was signed in here stays signed in; the answer is for the one who typed.
        c.set("visitor", null);
        if (outcome.reason === "refused") return form(c, { email, next, problem: REFUSED }, 422);
        c.header("retry-after", String(Math.ceil(outcome.waitMs / 1000)));
        return form(c, { email, next, problem: throttledSentence(outcome.waitMs) }, 429);
      }
      // The browser's earlier session ends: a new sign-in always means a new session.
      const earlier = readSessionCookie(c, trust);
      const session = earlier === undefined ? null : await sessions.find(earlier);
      if (session) await sessions.logOut(session);
      writeSessionCookie(c, trust, outcome.token);
      return c.redirect(next, 303);
    }),

    action("/logout", "viewer", async (c, { session }) => {
      await sessions.logOut(session);
      clearSessionCookie(c, trust);
      return c.redirect("/login?done=out", 303);
    }),
  ];
}
