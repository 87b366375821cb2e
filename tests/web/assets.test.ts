// Files and pages arrive compressed where the browser accepts it, unchanged in content; the first
// signed-in page stays small.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { join } from "node:path";
import { ALPINE_JS, APP_CSS, SHELL_JS, STATIC_FILES } from "../../static/index.ts";
import { createAssets } from "../../src/web/assets.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { browserOf, OWNER, type WebCase, webCase } from "./web-case.ts";

/** What a first page may weigh with all its files, compressed. */
const FIRST_PAGE_BYTES_MAX = 120_000;

let made: WebCase;
beforeAll(async () => {
  made = await webCase();
});
afterAll(() => made.database.drop());

const ask = (path: string, accepts: string) =>
  made.app.request(path, { headers: { "accept-encoding": accepts, accept: "text/html" } });
const bytesOf = async (answer: Response) => new Uint8Array(await answer.arrayBuffer());

test("every file is sent plain, as gzip and as brotli with the same content", async () => {
  for (const { path, text } of STATIC_FILES) {
    const [plain, zipped, best] = await Promise.all(
      ["identity", "gzip, deflate", "gzip, deflate, br"].map((accepts) => ask(path, accepts)),
    );
    expect(await plain?.text()).toBe(text);
    expect(zipped?.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(await bytesOf(zipped as Response)).toString()).toBe(text);
    expect(best?.headers.get("content-encoding")).toBe("br");
    expect(brotliDecompressSync(await bytesOf(best as Response)).toString()).toBe(text);
    expect(best?.headers.get("cache-control")).toContain("immutable");
    expect(best?.headers.get("vary")).toBe("accept-encoding");
  }
}, 30_000);

test("what the executable carries is sent instead of being made", async () => {
  const file = join(temporaryFolder(), "app.css.br");
  await Bun.write(file, Uint8Array.of(1, 2, 3));
  const assets = createAssets({ [`br ${APP_CSS.path}`]: file });
  expect(await assets.find(APP_CSS, "br")).toEqual({
    encoding: "br",
    data: Uint8Array.of(1, 2, 3),
  });
  expect((await assets.find(APP_CSS, "gzip"))?.encoding).toBe("gzip");
  expect(await assets.find(APP_CSS, "brotli-like")).toBeUndefined();
});

test("pages are compressed for those who accept it and the same for those who do not", async () => {
  const packed = await ask("/", "gzip");
  expect(packed.headers.get("content-encoding")).toBe("gzip");
  expect(packed.headers.get("vary")).toBe("Accept-Encoding");
  const plain = await ask("/", "identity");
  expect(plain.headers.get("content-encoding")).toBeNull();
  expect(gunzipSync(await bytesOf(packed)).toString()).toBe(await plain.text());
});

test("the first signed-in page with all its files stays below 120 KB", async () => {
  expect((await made.setup.createOwnerLocally(OWNER)).ok).toBe(true);
  const browser = browserOf(made);
  await browser.signIn(OWNER.email);
  const page = await browser.get("/", { "accept-encoding": "gzip" });
  let total = (await bytesOf(page)).length;
  for (const file of [APP_CSS, SHELL_JS, ALPINE_JS]) {
    total += (await made.deps.assets.find(file, "br"))?.data.length ?? Number.NaN;
  }
  expect(total).toBeGreaterThan(30_000);
  expect(total).toBeLessThan(FIRST_PAGE_BYTES_MAX);
});
