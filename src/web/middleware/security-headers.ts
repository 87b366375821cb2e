// Puts the strict headers on every answer. Mounted first in app.ts. No page may need an exception:
// a page that does is written differently.
import type { MiddlewareHandler } from "hono";

/** Nothing inline, nothing from elsewhere; forms only to ourselves; never framed. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  // Not `no-referrer`: with it browsers send `Origin: null` on form posts, which the same-origin check refuses.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** A year; without subdomains, which may belong to somebody else. */
const TLS_ONLY = "max-age=31536000";

/** Adds the headers; pages are not cached unless the route said otherwise. */
export function securityHeaders(publicUrl: string | undefined): MiddlewareHandler {
  const isTls = publicUrl?.startsWith("https:") ?? false;
  return async (c, next) => {
    await next();
    if (isTls) c.header("strict-transport-security", TLS_ONLY);
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
    if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
  };
}
