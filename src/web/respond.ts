// Sends pages and knows the frame around them. Used by every route, so that no page goes out without
// its document type.
import type { HtmlEscapedString } from "hono/utils/html";
import type { Frame } from "../../views/layout.tsx";
import type { About } from "./deps.ts";
import type { WebContext } from "./route.ts";

/** Statuses of pages. */
export type PageStatus = 200 | 400 | 403 | 404 | 409 | 410 | 411 | 413 | 422 | 429 | 500 | 503;

/** A whole HTML document as the answer. */
export async function respondPage(
  c: WebContext,
  page: HtmlEscapedString | Promise<HtmlEscapedString>,
  status: PageStatus = 200,
): Promise<Response> {
  return c.html(`<!doctype html>${await page}`, status);
}

/** The frame for whoever is looking. */
export function frameOf(c: WebContext, { version, hasDemo }: About): Frame {
  const visitor = c.get("visitor");
  const who = visitor && {
    email: visitor.session.user.email,
    role: visitor.session.role,
    csrf: visitor.csrf,
  };
  const isDemo = visitor ? hasDemo(visitor.session.workspace.id) : false;
  return { version, path: c.req.path, visitor: who, isDemo };
}

/** A path of ours to go to after signing in; `/` for anything that leads elsewhere. */
export function safePath(wanted: string | undefined): string {
  const base = "http://dragon.invalid";
  // A backslash counts as a slash for browsers, and a control character may hide one.
  if (!wanted?.startsWith("/") || /[\\\p{Cc}]/u.test(wanted)) return "/";
  const url = URL.canParse(wanted, base) ? new URL(wanted, base) : undefined;
  if (url?.origin !== base || url.pathname.startsWith("//")) return "/";
  return `${url.pathname}${url.search}`;
}

/** A sentence of a service without the field's name, which the form shows anyway. */
export function forForm(detail: string): string {
  const text = detail.replace(/^[a-z ]+: /, "").replace(/\.$/, "");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The number of a row in an address; undefined when it is none. */
export function idOf<Id extends number>(text: string | undefined): Id | undefined {
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? (Number(text) as Id) : undefined;
}
