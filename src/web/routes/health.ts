// /livez: the process answers. /readyz and /healthz: it can work. For supervisors and monitors; the
// answers hold neither secrets nor versions.
import type { Health } from "../../services/desk/health.ts";
import { file, type Route } from "../route.ts";

/** Routes for monitors. */
export function healthRoutes({ health }: { health: Health }): Route[] {
  const ready = (path: string) =>
    file(path, async (c) => {
      const { ok, checks } = await health.report();
      return c.json({ status: ok ? "ok" : "failed", checks }, ok ? 200 : 503);
    });
  return [file("/livez", (c) => c.json({ status: "ok" })), ready("/readyz"), ready("/healthz")];
}
