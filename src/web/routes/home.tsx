// The first page. Reads only; shows a page also when the database is away.
import { Hono } from "hono";
import { HomePage } from "../../../views/pages/home.tsx";
import type { WebDeps } from "../deps.ts";
import { respondPage } from "../respond.ts";

/** Route of `/`. */
export function createHomeRoutes({ about, health, setup }: WebDeps): Hono {
  const app = new Hono();
  app.get("/", async (c) => {
    const { ok } = await health.report();
    const hasOwner = ok && (await setup.hasOwner());
    const page = (
      <HomePage
        version={about.version}
        database={ok ? about.database : undefined}
        hasOwner={hasOwner}
        program={about.program}
      />
    );
    return respondPage(c, page, ok ? 200 : 503);
  });
  return app;
}
