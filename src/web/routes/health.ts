// /livez: the process answers. /readyz and /healthz: it can work. For supervisors and monitors; the
// answers hold neither secrets nor versions.
import { Hono } from "hono";
import type { Health } from "../../services/desk/health.ts";

/** Routes of the health room. */
export function createHealthRoutes(deps: { health: Health }): Hono {
  const app = new Hono();
  app.get("/livez", (c) => c.json({ status: "ok" }));
  for (const path of ["/readyz", "/healthz"]) {
    app.get(path, async (c) => {
      const { ok, checks } = await deps.health.report();
      return c.json({ status: ok ? "ok" : "failed", checks }, ok ? 200 : 503);
    });
  }
  return app;
}
