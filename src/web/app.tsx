// Builds the Hono app from its collaborators: headers, limits, routes, error pages. Called by the
// composition; testable with app.request(). It opens no port.
import { Hono } from "hono";
import { compress } from "hono/compress";
import type { WebDeps } from "./deps.ts";
import { mount, recognise } from "./guard.ts";
import { clientAddress } from "./middleware/client-address.ts";
import { sameOrigin } from "./middleware/same-origin.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import { createRefuse, NOT_FOUND } from "./problems.tsx";
import type { WebEnv } from "./route.ts";
import { routeTable } from "./route-table.ts";

/** The whole web side of Dragon. */
export function createApp(deps: WebDeps): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  const { sessions, tokens, trust, log } = deps;
  const refuse = createRefuse(deps.about);

  app.use(securityHeaders(trust.publicUrl));
  app.use(compress());
  app.use(clientAddress(trust));
  app.use(
    sameOrigin(trust.publicUrl, async (c) =>
      refuse(c, {
        status: 403,
        title: "Refused",
        sentence: "This request came from another site. Open the page here and try again.",
      }),
    ),
  );
  const guard = { sessions, tokens, trust, log, refuse };
  for (const route of routeTable(deps, refuse)) mount(app, route, guard);

  app.notFound(async (c) => {
    await recognise(c, guard);
    return refuse(c, NOT_FOUND);
  });
  app.onError((error, c) => {
    log.error("a request failed", { method: c.req.method, route: c.req.path, error });
    return refuse(c, {
      status: 500,
      title: "Something failed",
      sentence: "Dragon could not answer this request. The console says why.",
    });
  });
  return app;
}
