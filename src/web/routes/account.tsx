// The own account: what is there, and the forms that change it. Every change is audited by the
// services; a refused form comes back with 422 and one sentence.
import type { AccountProblems } from "../../../views/components/account-lists.tsx";
import { AccountPage, type AccountProps } from "../../../views/pages/account.tsx";
import { SecretPage } from "../../../views/pages/secret.tsx";
import type { ApiTokenId, SessionId } from "../../ports/access-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { PASSWORD_CHARS_MIN } from "../../services/desk/passwords.ts";
import { scopesFor } from "../../services/desk/tokens.ts";
import { TOKEN_DAYS_MAX } from "../../services/desk/users.ts";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import { passwordPairProblems } from "../forms/setup-form.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { forForm, frameOf, idOf, respondPage } from "../respond.ts";
import { action, page, type Route, type Visitor, type WebContext } from "../route.ts";
import { writeSessionCookie } from "../session-cookie.ts";
import { TIME_ZONES } from "../time-zones.ts";
import { throttledSentence } from "./login.tsx";

const DONE: Readonly<Record<string, string>> = {
  password: "Your password is changed. Every other browser is signed out.",
  zone: "Your time zone is saved.",
  session: "That browser is signed out.",
  sessions: "Every other browser is signed out.",
  revoked: "The token is revoked.",
};

type Shown = {
  readonly problems?: AccountProblems;
  readonly tokenFields?: AccountProps["tokenFields"];
  readonly status?: 200 | 422 | 429;
};

const NEW_TOKEN = { name: "", scope: "read", days: "90" };

/** Routes of `/account`. */
export function accountRoutes(deps: WebDeps, refuse: Refuse): Route[] {
  const { account, sessions, tokens, trust } = deps;
  const show = (c: WebContext, visitor: Visitor, shown: Shown = {}) =>
    showAccount(deps, c, visitor, shown);
  return [
    page("/account", "viewer", (c, visitor) => show(c, visitor)),

    action("/account/time-zone", "viewer", async (c, visitor) => {
      const { timeZone } = await readFields(c, "timeZone");
      const outcome = await account.changeTimeZone(visitor.session, timeZone);
      if (outcome.ok) return c.redirect("/account?done=zone", 303);
      return show(c, visitor, { problems: { timeZone: forForm(outcome.detail) }, status: 422 });
    }),

    action("/account/password", "viewer", async (c, visitor) => {
      const { current, password, repeat } = await readFields(c, "current", "password", "repeat");
      const typed = passwordPairProblems(password, repeat);
      if (Object.keys(typed).length > 0) return show(c, visitor, { problems: typed, status: 422 });
      const outcome = await account.changePassword(
        visitor.session,
        { current, next: password },
        { address: c.get("address"), client: c.req.header("user-agent") ?? "" },
      );
      if (outcome.ok) {
        writeSessionCookie(c, trust, outcome.token);
        return c.redirect("/account?done=password", 303);
      }
      if (outcome.reason === "throttled") {
        c.header("retry-after", String(Math.ceil(outcome.waitMs / 1000)));
        const problems = { current: throttledSentence(outcome.waitMs) };
        return show(c, visitor, { problems, status: 429 });
      }
      const problems = { [outcome.field]: forForm(outcome.detail) };
      return show(c, visitor, { problems, status: 422 });
    }),

    action("/account/sessions/revoke-others", "viewer", async (c, { session }) => {
      await sessions.revokeOthers(session);
      return c.redirect("/account?done=sessions", 303);
    }),

    action("/account/sessions/:id/revoke", "viewer", async (c, { session }) => {
      const id = idOf<SessionId>(c.req.param("id"));
      const isRevoked = id !== undefined && (await sessions.revoke(session, id));
      return isRevoked ? c.redirect("/account?done=session", 303) : refuse(c, NOT_FOUND);
    }),

    action("/account/tokens", "viewer", (c, visitor) => makeToken(deps, c, visitor)),

    action("/account/tokens/:id/revoke", "viewer", async (c, { session }) => {
      const id = idOf<ApiTokenId>(c.req.param("id"));
      const isRevoked = id !== undefined && (await tokens.revoke(actorOf(session), id));
      return isRevoked ? c.redirect("/account?done=revoked", 303) : refuse(c, NOT_FOUND);
    }),
  ];
}

async function makeToken(deps: WebDeps, c: WebContext, visitor: Visitor) {
  const fields = await readFields(c, "name", "scope", "days");
  const days = /^\d{1,6}$/.test(fields.days) ? Number(fields.days) : Number.NaN;
  const wish = { name: fields.name, scope: fields.scope, days };
  const made = await deps.tokens.create(actorOf(visitor.session), wish);
  if (!made.ok) {
    const detail = made.field === "days" ? made.detail.replace("NaN", fields.days) : made.detail;
    const problems = { [made.field]: forForm(detail) };
    return showAccount(deps, c, visitor, { problems, tokenFields: fields, status: 422 });
  }
  const origin = deps.trust.publicUrl ?? new URL(c.req.url).origin;
  const shown = (
    <SecretPage
      frame={frameOf(c, deps.about)}
      title="The token is made"
      sentence="It is shown this once. Keep it like a password; it can be revoked on your account."
      label="API token"
      secret={made.token}
      use="A program sends it with each request:"
      example={`curl -H "Authorization: Bearer ${made.token}" ${origin}/api/me`}
      back={{ href: "/account", label: "Back to the account" }}
    />
  );
  return respondPage(c, shown);
}

async function showAccount(
  { about, sessions, tokens }: WebDeps,
  c: WebContext,
  { session, csrf }: Visitor,
  { problems = {}, tokenFields = NEW_TOKEN, status = 200 }: Shown,
) {
  const [open, own] = await Promise.all([sessions.list(session), tokens.list(actorOf(session))]);
  const { user } = session;
  const shown = (
    <AccountPage
      frame={frameOf(c, about)}
      csrf={csrf}
      email={user.email}
      role={session.role}
      workspace={session.workspace.name}
      createdAt={user.createdAt}
      timeZone={user.timeZone}
      timeZones={TIME_ZONES}
      sessions={open.map((each) => ({ ...each, isCurrent: each.id === session.id }))}
      tokens={own}
      scopes={scopesFor(session.role)}
      tokenFields={tokenFields}
      tokenDaysMax={TOKEN_DAYS_MAX}
      passwordCharsMin={PASSWORD_CHARS_MIN}
      problems={problems}
      done={status === 200 ? DONE[c.req.query("done") ?? ""] : undefined}
    />
  );
  return respondPage(c, shown, status);
}
