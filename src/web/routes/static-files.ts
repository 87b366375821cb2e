// Serves the embedded files by their hashed names. Nothing on disk is reachable from here.
import { Hono } from "hono";
import { STATIC_FILES } from "../../../static/index.ts";

/** One route per embedded file. */
export function createStaticRoutes(): Hono {
  const app = new Hono();
  for (const file of STATIC_FILES) {
    app.get(file.path, (c) =>
      c.body(file.text, 200, {
        "content-type": file.type,
        "cache-control": "public, max-age=31536000, immutable",
      }),
    );
  }
  return app;
}
