// One-time links: the first owner is created, or a user sets a password. The token in the path is the
// permission; it is compared by hash in the store and never logged.
import { MessagePage } from "../../../views/pages/message.tsx";
import {
  LinkPage,
  type SetupFields,
  SetupPage,
  type SetupProblems,
} from "../../../views/pages/setup.tsx";
import { PASSWORD_CHARS_MIN } from "../../services/desk/passwords.ts";
import type { LinkState } from "../../services/desk/setup.ts";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import { passwordPairProblems, readSetupForm } from "../forms/setup-form.ts";
import { forForm, frameOf, respondPage } from "../respond.ts";
import { publicAction, publicPage, type Route, type WebContext } from "../route.ts";
import { writeSessionCookie } from "../session-cookie.ts";
import { TIME_ZONES } from "../time-zones.ts";

type Closed = { status: 404 | 410; title: string; sentence: string };

const CLOSED: Record<Exclude<LinkState, "open">, Closed> = {
  used: {
    status: 410,
    title: "Dragon is already set up",
    sentence: "This Dragon has an owner, so its set-up link no longer does anything.",
  },
  expired: {
    status: 410,
    title: "The link has expired",
    sentence: "This set-up link was valid for a day. Restart Dragon: it prints a new one.",
  },
  unknown: {
    status: 404,
    title: "The link is not valid",
    sentence:
      "Only the link of the latest start works. Look at the console, or restart Dragon for a new one.",
  },
};

const USER_CLOSED: Record<"used" | "expired", Closed> = {
  used: {
    status: 410,
    title: "The link was already used",
    sentence: "A password was set with it. Sign in with that, or ask an owner for a new link.",
  },
  expired: {
    status: 410,
    title: "The link has expired",
    sentence: "This link is too old, or there is a newer one. Ask an owner for a new link.",
  },
};

const ADVICE = "Was it not you? On the machine itself, this sets a new password:";

type PageDeps = Pick<WebDeps, "about" | "setup" | "members" | "sessions" | "trust" | "log">;

/** Routes of `/setup/:token`. */
export function setupRoutes(deps: PageDeps): Route[] {
  const { setup, members } = deps;
  return [
    publicPage("/setup/:token", async (c) => {
      c.set("visitor", null);
      const token = c.req.param("token") ?? "";
      const link = await members.linkView(token);
      if (link.state === "open") return linkForm(deps, c, link.email, {});
      if (link.state !== "unknown") return userClosed(deps, c, link.state);
      const state = await setup.linkState(token);
      if (state !== "open") return ownerClosed(deps, c, state);
      return ownerForm(deps, c, { email: "", timeZone: deps.about.timeZone }, {});
    }),
    publicAction("/setup/:token", async (c) => {
      c.set("visitor", null);
      const token = c.req.param("token") ?? "";
      const link = await members.linkView(token);
      if (link.state === "open") return setPassword(deps, c, token, link.email);
      if (link.state !== "unknown") return userClosed(deps, c, link.state);
      return createOwner(deps, c, token);
    }),
  ];
}

function closed(
  { about }: PageDeps,
  c: WebContext,
  { status, title, sentence }: Closed,
  advice: { advice?: string; command?: string } = {},
) {
  const frame = frameOf(c, about);
  const page = <MessagePage frame={frame} title={title} sentence={sentence} {...advice} />;
  return respondPage(c, page, status);
}

/** Somebody else may have been quicker, so a used link says how to take the account back. */
function rescue({ about }: PageDeps, state: LinkState) {
  const command = `${about.program} admin reset-password --email ADDRESS`;
  return state === "used" ? { advice: ADVICE, command } : {};
}

function ownerClosed(deps: PageDeps, c: WebContext, state: Exclude<LinkState, "open">) {
  return closed(deps, c, CLOSED[state], rescue(deps, state));
}

function userClosed(deps: PageDeps, c: WebContext, state: "used" | "expired") {
  return closed(deps, c, USER_CLOSED[state], rescue(deps, state));
}

function ownerForm(
  { about }: PageDeps,
  c: WebContext,
  fields: SetupFields,
  problems: SetupProblems,
) {
  const page = (
    <SetupPage
      frame={frameOf(c, about)}
      action={c.req.path}
      fields={fields}
      problems={problems}
      timeZones={TIME_ZONES}
      passwordCharsMin={PASSWORD_CHARS_MIN}
    />
  );
  return respondPage(c, page, Object.keys(problems).length > 0 ? 422 : 200);
}

async function createOwner(deps: PageDeps, c: WebContext, token: string) {
  const state = await deps.setup.linkState(token);
  if (state !== "open") return ownerClosed(deps, c, state);
  const posted = await readFields(c, "email", "password", "repeat", "timeZone");
  const { fields, problems, request } = readSetupForm(posted);
  if (!request) return ownerForm(deps, c, fields, problems);
  const outcome = await deps.setup.createOwner(token, request);
  if (outcome.ok) {
    deps.log.info("the owner was created");
    const client = c.req.header("user-agent") ?? "";
    const origin = { address: c.get("address"), client };
    const opened = await deps.sessions.logIn(outcome.email, request.password, origin);
    if (opened.ok) writeSessionCookie(c, deps.trust, opened.token);
    return c.redirect("/", 303);
  }
  if (outcome.reason !== "refused") return ownerClosed(deps, c, outcome.reason);
  return ownerForm(deps, c, fields, { [outcome.field]: forForm(outcome.detail) });
}

function linkForm({ about }: PageDeps, c: WebContext, email: string, problems: SetupProblems) {
  const page = (
    <LinkPage
      frame={frameOf(c, about)}
      action={c.req.path}
      email={email}
      problems={problems}
      passwordCharsMin={PASSWORD_CHARS_MIN}
    />
  );
  return respondPage(c, page, Object.keys(problems).length > 0 ? 422 : 200);
}

async function setPassword(deps: PageDeps, c: WebContext, token: string, email: string) {
  const { password, repeat } = await readFields(c, "password", "repeat");
  const problems = passwordPairProblems(password, repeat);
  if (Object.keys(problems).length > 0) return linkForm(deps, c, email, problems);
  const outcome = await deps.members.acceptLink(token, password);
  if (outcome.ok) return c.redirect("/login?done=password", 303);
  if (outcome.reason === "refused") {
    return linkForm(deps, c, email, { password: forForm(outcome.detail) });
  }
  if (outcome.reason === "unknown") return closed(deps, c, CLOSED.unknown);
  return userClosed(deps, c, outcome.reason);
}
