// Stands before every route: who is it, may they, did the form come from us. Mounted by app.tsx for
// each entry of the table; no route can be reached around it.
import type { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Log } from "../ports/log.ts";
import type { Session } from "../ports/access-store.ts";
import type { OpenedSession, Sessions } from "../services/desk/sessions.ts";
import { actorOf } from "../services/desk/account.ts";
import { includesRole, type Tokens } from "../services/desk/tokens.ts";
import { CSRF_FIELD, CSRF_HEADER } from "../../views/components/form.tsx";
import type { Trust } from "./deps.ts";
import { type Problem, type Refuse, problemJson } from "./problems.tsx";
import type {
  ApiRoute,
  Caller,
  GuardedPage,
  PublicPage,
  Route,
  Visitor,
  WebContext,
  WebEnv,
} from "./route.ts";
import { csrfOf, isCsrf, readSessionCookie, writeSessionCookie } from "./session-cookie.ts";

/** What the guard needs. */
export type GuardDeps = {
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly trust: Trust;
  readonly log: Log;
  readonly refuse: Refuse;
};

/** Puts a route behind the guard. */
export function mount(app: Hono<WebEnv>, route: Route, deps: GuardDeps): void {
  const limit = limitBody(route, deps);
  app.on(route.method, route.path, async (c) => {
    let answer: Response | undefined;
    const refused = await limit(c, async () => {
      answer = await answerRoute(c, route, deps);
    });
    return answer ?? refused ?? c.body(null, 500);
  });
}

function answerRoute(c: WebContext, route: Route, deps: GuardDeps) {
  switch (route.kind) {
    case "file":
      return route.handle(c);
    case "api":
      return answerApi(c, route, deps);
    case "page":
      return isPublic(route) ? answerPublic(c, route, deps) : answerPage(c, route, deps);
  }
}

/** Largest body that is read where a route names no other. */
export const BODY_BYTES_MAX = 64 * 1024;

const UNSIZED: Problem = {
  status: 411,
  title: "Length missing",
  sentence: "A file must say its length before it is sent.",
};

function limitBody({ bodyBytesMax = BODY_BYTES_MAX }: Route, { refuse }: GuardDeps) {
  const shown =
    bodyBytesMax < 2 ** 20 ? `${bodyBytesMax / 1024} KiB` : `${bodyBytesMax / 2 ** 20} MiB`;
  const sentence = `A request may hold ${shown} at most.`;
  const limit = bodyLimit({
    maxSize: bodyBytesMax,
    onError: (c) => refuse(c, { status: 413, title: "Too large", sentence }),
  });
  return async (c: WebContext, next: () => Promise<void>) => {
    // A body without a length would be collected whole before anybody is asked who sends it.
    const isUnsized = bodyBytesMax > BODY_BYTES_MAX && c.req.header("transfer-encoding");
    return isUnsized ? refuse(c, UNSIZED) : limit(c, next);
  };
}

function isPublic(route: PublicPage | GuardedPage): route is PublicPage {
  return route.access === "public";
}

/** Finds out who looks at a page that anybody may see. */
export async function recognise(c: WebContext, deps: GuardDeps): Promise<void> {
  try {
    await findVisitor(c, deps);
  } catch (error) {
    // Public pages also work without a database; nobody is signed in then.
    deps.log.warn("a session could not be looked up", { error });
  }
}

async function answerPublic(c: WebContext, route: PublicPage, deps: GuardDeps) {
  await recognise(c, deps);
  return route.handle(c, c.get("visitor"));
}

async function answerPage(c: WebContext, route: GuardedPage, deps: GuardDeps) {
  const visitor = (await findVisitor(c, deps)) ?? (await enterByProxy(c, route, deps));
  if (!visitor) {
    if (c.get("vouched") !== undefined && !route.mutates) return strangerAnswer(c, deps);
    return c.redirect(loginAddress(c, route), 303);
  }
  const { session, csrf } = visitor;
  if (!includesRole(session.role, route.access)) {
    const sentence = `Your role is ${session.role}; this page is for ${rolesFrom(route)}.`;
    return deps.refuse(c, { status: 403, title: "Not allowed", sentence });
  }
  if (route.mutates && !isCsrf(await postedToken(c, route), csrf)) {
    const sentence =
      "This form belongs to another session. Go back, reload the page and send it again.";
    return deps.refuse(c, { status: 403, title: "The form is out of date", sentence });
  }
  return route.handle(c, visitor);
}

/** The header alone for files: reading the body to find a field would read the file. */
async function postedToken(c: WebContext, { bodyBytesMax }: GuardedPage): Promise<unknown> {
  const header = c.req.header(CSRF_HEADER);
  if (header !== undefined || bodyBytesMax !== undefined) return header;
  return (await c.req.parseBody())[CSRF_FIELD];
}

function rolesFrom({ access }: GuardedPage): string {
  return access === "owner" ? "owners" : access === "trader" ? "traders and owners" : "users";
}

function loginAddress(c: WebContext, route: GuardedPage): string {
  if (route.mutates) return "/login";
  const { pathname, search } = new URL(c.req.url);
  return `/login?next=${encodeURIComponent(pathname + search)}`;
}

/** The visitor of the session cookie; a proxy that names somebody else ends that session's say. */
async function findVisitor(c: WebContext, deps: GuardDeps): Promise<Visitor | null> {
  const token = readSessionCookie(c, deps.trust);
  const session = token === undefined ? null : await deps.sessions.find(token);
  if (token === undefined || !session || !isVouched(c, session)) return null;
  return setVisitor(c, { token, session });
}

function isVouched(c: WebContext, { user }: Session): boolean {
  const vouched = c.get("vouched");
  return vouched === undefined || vouched.toLowerCase() === user.email.toLowerCase();
}

function setVisitor(c: WebContext, { token, session }: OpenedSession): Visitor {
  const visitor = { session, csrf: csrfOf(token) };
  c.set("visitor", visitor);
  return visitor;
}

/** Opens a session for the user a trusted proxy names; only when a page is read. */
async function enterByProxy(
  c: WebContext,
  route: GuardedPage,
  { sessions, trust }: GuardDeps,
): Promise<Visitor | null> {
  const vouched = c.get("vouched");
  if (vouched === undefined || route.mutates) return null;
  const client = c.req.header("user-agent") ?? "";
  const opened = await sessions.logInVouched(vouched, { address: c.get("address"), client });
  if (!opened) return null;
  writeSessionCookie(c, trust, opened.token);
  return setVisitor(c, opened);
}

function strangerAnswer(c: WebContext, { refuse }: GuardDeps) {
  const sentence = `The proxy signed you in as ${c.get("vouched")}, who is no user of this Dragon.`;
  return refuse(c, { status: 403, title: "Unknown user", sentence });
}

async function answerApi(c: WebContext, route: ApiRoute, deps: GuardDeps) {
  const caller = await findCaller(c, deps);
  if (!caller) {
    const sentence = "Send an API token as Authorization: Bearer, or sign in.";
    return problemJson(c, { status: 401, title: "Not signed in", sentence });
  }
  if (!includesRole(caller.scope.role, route.access)) {
    const sentence = `This needs the rights of ${route.access}; this ${caller.via} has those of ${caller.scope.role}.`;
    return problemJson(c, { status: 403, title: "Not allowed", sentence });
  }
  return route.handle(c, caller);
}

/** A bearer token counts alone: a wrong one is not made good by a cookie. */
async function findCaller(c: WebContext, deps: GuardDeps): Promise<Caller | null> {
  const header = c.req.header("authorization");
  if (header !== undefined) {
    const token = /^Bearer ([\w-]{20,200})$/i.exec(header)?.[1];
    const found = token === undefined ? null : await deps.tokens.recognise(token);
    return found && { scope: found.scope, via: "token" };
  }
  const visitor = await findVisitor(c, deps);
  return visitor && { scope: actorOf(visitor.session).scope, via: "session" };
}
