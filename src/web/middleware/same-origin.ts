// Refuses a changing request that another site's page caused. Mounted in app.ts before all routes.
// Programs without a browser send neither header and pass: they carry no browser's rights.
import type { MiddlewareHandler } from "hono";
import type { WebContext, WebEnv } from "../route.ts";

const READING = new Set(["GET", "HEAD", "OPTIONS"]);

/** The host and port of an address, undefined when it is not one (e.g. `null`). */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Answers 403 through `refuse` when a browser says that the request came from elsewhere. */
export function sameOrigin(
  publicUrl: string | undefined,
  refuse: (c: WebContext) => Promise<Response>,
): MiddlewareHandler<WebEnv> {
  const publicHost = publicUrl === undefined ? undefined : hostOf(publicUrl);
  return async (c, next) => {
    if (READING.has(c.req.method)) return next();
    const site = c.req.header("sec-fetch-site");
    if (site !== undefined && site !== "same-origin" && site !== "none") return refuse(c);
    const origin = c.req.header("origin");
    if (origin === undefined) return next();
    const host = hostOf(origin);
    const ours = [c.req.header("host"), publicHost];
    if (host === undefined || !ours.includes(host)) return refuse(c);
    return next();
  };
}
