// The cookie that carries a session, and the token of its forms. Used by guard.ts and the routes that
// sign in and out. The cookie's value is never logged and never shown on a page.
import { createHmac, timingSafeEqual } from "node:crypto";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { SESSION_ABSOLUTE_MS } from "../services/desk/sessions.ts";
import type { Trust } from "./deps.ts";
import type { WebContext } from "./route.ts";

/** Name of the cookie; behind TLS browsers bind the prefixed one to this host alone. */
export function cookieName({ publicUrl }: Trust): string {
  return isTls(publicUrl) ? "__Host-dragon_session" : "dragon_session";
}

function isTls(publicUrl: string | undefined): boolean {
  return publicUrl?.startsWith("https:") ?? false;
}

function optionsOf({ publicUrl }: Trust) {
  return { path: "/", httpOnly: true, sameSite: "Lax", secure: isTls(publicUrl) } as const;
}

/** The session word of a request; undefined when there is none of the right shape. */
export function readSessionCookie(c: WebContext, trust: Trust): string | undefined {
  const token = getCookie(c, cookieName(trust));
  return token !== undefined && /^[\w-]{43}$/.test(token) ? token : undefined;
}

/** Hands the session to the browser. */
export function writeSessionCookie(c: WebContext, trust: Trust, token: string): void {
  const maxAge = SESSION_ABSOLUTE_MS / 1000;
  setCookie(c, cookieName(trust), token, { ...optionsOf(trust), maxAge });
}

/** Takes the session away from the browser. */
export function clearSessionCookie(c: WebContext, trust: Trust): void {
  deleteCookie(c, cookieName(trust), optionsOf(trust));
}

/** The token of the session's forms: follows from the cookie, which other sites cannot read. */
export function csrfOf(token: string): string {
  return createHmac("sha256", token).update("dragon form token").digest("base64url");
}

/** Compares a posted token without telling by time how much of it was right. */
export function isCsrf(posted: unknown, expected: string): boolean {
  if (typeof posted !== "string") return false;
  const [a, b] = [Buffer.from(posted), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
