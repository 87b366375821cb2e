// Builds the Hono app from its collaborators: headers, limits, routes, error pages. Called by the
// composition; testable with app.request(). It opens no port.
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { MessagePage } from "../../views/pages/message.tsx";
import type { WebDeps } from "./deps.ts";
import { sameOrigin } from "./middleware/same-origin.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import { respondPage } from "./respond.ts";
import { createHealthRoutes } from "./routes/health.ts";
import { createHomeRoutes } from "./routes/home.tsx";
import { createSetupRoutes } from "./routes/setup.tsx";
import { createStaticRoutes } from "./routes/static-files.ts";

/** Largest request body that is read. */
export const BODY_BYTES_MAX = 64 * 1024;

type Problem = { status: 403 | 404 | 413 | 500; title: string; sentence: string };

/** The whole web side of Dragon. */
export function createApp(deps: WebDeps): Hono {
  const app = new Hono();
  const answer = (c: Context, { status, title, sentence }: Problem) => {
    if (!c.req.header("accept")?.includes("text/html")) {
      return c.json({ type: "about:blank", title, status, detail: sentence }, status, {
        "content-type": "application/problem+json",
      });
    }
    return respondPage(
      c,
      <MessagePage version={deps.about.version} title={title} sentence={sentence} />,
      status,
    );
  };

  app.use(securityHeaders());
  app.use(
    sameOrigin(deps.publicUrl, async (c) =>
      answer(c, {
        status: 403,
        title: "Refused",
        sentence: "This request came from another site. Open the page here and try again.",
      }),
    ),
  );
  app.use(
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: (c) =>
        answer(c, {
          status: 413,
          title: "Too large",
          sentence: `A request may hold ${BODY_BYTES_MAX / 1024} KiB at most.`,
        }),
    }),
  );
  app.route("/", createHealthRoutes(deps));
  app.route("/", createStaticRoutes());
  app.route("/", createHomeRoutes(deps));
  app.route("/", createSetupRoutes(deps));

  app.notFound((c) =>
    answer(c, { status: 404, title: "Not found", sentence: "There is no page at this address." }),
  );
  app.onError((error, c) => {
    deps.log.error("a request failed", { method: c.req.method, route: c.req.path, error });
    return answer(c, {
      status: 500,
      title: "Something failed",
      sentence: "Dragon could not answer this request. The console says why.",
    });
  });
  return app;
}
