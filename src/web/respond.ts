// Sends a page. Used by every route, so that no page goes out without its document type.
import type { Context } from "hono";
import type { HtmlEscapedString } from "hono/utils/html";

/** A whole HTML document as the answer. */
export async function respondPage(
  c: Context,
  page: HtmlEscapedString | Promise<HtmlEscapedString>,
  status: 200 | 403 | 404 | 410 | 413 | 422 | 500 | 503 = 200,
): Promise<Response> {
  return c.html(`<!doctype html>${await page}`, status);
}
