// Serves the embedded files by their hashed names. Nothing on disk is reachable from here.
import { STATIC_FILES } from "../../../static/index.ts";
import type { WebDeps } from "../deps.ts";
import { file, type Route } from "../route.ts";

const HEADERS = {
  "cache-control": "public, max-age=31536000, immutable",
  vary: "accept-encoding",
};

/** One route per embedded file. */
export function staticRoutes({ assets }: Pick<WebDeps, "assets">): Route[] {
  return STATIC_FILES.map((embedded) =>
    file(embedded.path, async (c) => {
      const headers = { ...HEADERS, "content-type": embedded.type };
      const packed = await assets.find(embedded, c.req.header("accept-encoding") ?? "");
      if (!packed) return c.body(embedded.text, 200, headers);
      const body = new Uint8Array(packed.data);
      return c.body(body, 200, { ...headers, "content-encoding": packed.encoding });
    }),
  );
}
