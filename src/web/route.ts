// What a route is: one entry of the flat table in route-table.ts. The guard reads access and mutates;
// a handler never checks a role itself.
import type { Context } from "hono";
import type { Role, Scope, Session } from "../ports/access-store.ts";

/** What the server tells about a request, and what the middleware finds out. */
export type WebEnv = {
  Bindings: { readonly peer?: string | undefined };
  Variables: {
    /** The client's address, behind trusted proxies as they report it. */
    address: string;
    /** The e-mail a trusted proxy vouches for. */
    vouched: string | undefined;
    visitor: Visitor | null;
  };
};

/** The context of a request. */
export type WebContext = Context<WebEnv>;

/** Somebody signed in with a browser. */
export type Visitor = {
  readonly session: Session;
  /** Must come back in every form. */
  readonly csrf: string;
};

type Answer = Response | Promise<Response>;
type Place = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly mutates: boolean;
  /** Largest body that is read; a form's worth unless told. */
  readonly bodyBytesMax?: number;
  /** Answers with a piece of a page, a stream or a file instead of a whole page. */
  readonly isPart?: true;
};

/** A page without sign-in; changing ones are protected by the same-origin check and their own secret. */
export type PublicPage = Place & {
  readonly kind: "page";
  readonly access: "public";
  handle(c: WebContext, visitor: Visitor | null): Answer;
};

/** A page from a least role on; changing ones need the session's token. */
export type GuardedPage = Place & {
  readonly kind: "page";
  readonly access: Role;
  handle(c: WebContext, visitor: Visitor): Answer;
};

/** An address for programs: a bearer token or a session, JSON in and out; it only reads. */
export type ApiRoute = Place & {
  readonly kind: "api";
  readonly method: "GET";
  readonly mutates: false;
  readonly access: Role;
  handle(c: WebContext, caller: Caller): Answer;
};

/** Files and health: nobody is looked up, so they work without a database. */
export type FileRoute = Place & {
  readonly kind: "file";
  readonly method: "GET";
  readonly mutates: false;
  readonly access: "public";
  handle(c: WebContext): Answer;
};

/** Who asks the API. */
export type Caller = { readonly scope: Scope; readonly via: "session" | "token" };

/** One entry of the table. */
export type Route = PublicPage | GuardedPage | ApiRoute | FileRoute;

type Handle<R extends Route> = R["handle"];

/** Address of a page that only reads. */
export function page(path: string, access: Role, handle: Handle<GuardedPage>): GuardedPage {
  return { kind: "page", method: "GET", path, access, mutates: false, handle };
}

/** Address of a piece of a page, of its live stream, or of a download; it only reads. */
export function part(path: string, access: Role, handle: Handle<GuardedPage>): GuardedPage {
  return { ...page(path, access, handle), isPart: true };
}

/** Address of a form that changes something. */
export function action(path: string, access: Role, handle: Handle<GuardedPage>): GuardedPage {
  return { kind: "page", method: "POST", path, access, mutates: true, handle };
}

/** Address that takes a file as its whole body; the token comes in the header. */
export function upload(
  path: string,
  access: Role,
  bodyBytesMax: number,
  handle: Handle<GuardedPage>,
): GuardedPage {
  return { kind: "page", method: "POST", path, access, mutates: true, bodyBytesMax, handle };
}

/** A page anybody may see. */
export function publicPage(path: string, handle: Handle<PublicPage>): PublicPage {
  return { kind: "page", method: "GET", path, access: "public", mutates: false, handle };
}

/** A form anybody may post. */
export function publicAction(path: string, handle: Handle<PublicPage>): PublicPage {
  return { kind: "page", method: "POST", path, access: "public", mutates: true, handle };
}

/** An address for programs. */
export function api(path: string, access: Role, handle: Handle<ApiRoute>): ApiRoute {
  return { kind: "api", method: "GET", path, access, mutates: false, handle };
}

/** A file or a health address. */
export function file(path: string, handle: Handle<FileRoute>): FileRoute {
  return { kind: "file", method: "GET", path, access: "public", mutates: false, handle };
}
