// Serves the embedded files by their hashed names. Nothing on disk is reachable from here.
import { STATIC_FILES } from "../../../static/index.ts";
import { file, type Route } from "../route.ts";

/** One route per embedded file. */
export function staticRoutes(): Route[] {
  return STATIC_FILES.map((embedded) =>
    file(embedded.path, (c) =>
      c.body(embedded.text, 200, {
        "content-type": embedded.type,
        "cache-control": "public, max-age=31536000, immutable",
      }),
    ),
  );
}
