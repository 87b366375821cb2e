// The candles page against the real app: who sees and may do what, how refusals read, what an upload
// needs, the live stream, export and delete.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createMarketData } from "../../src/adapters/ccxt/market-data.ts";
import { createCandleRepository } from "../../src/adapters/postgres/candle-repository.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { CANDLE_CSV_HEADER, parseCandleCsv } from "../../src/model/candle-csv.ts";
import { createCandles, type Candles } from "../../src/services/research/candles.ts";
import { createApp } from "../../src/web/app.tsx";
import { IMPORT_BYTES_MAX } from "../../src/web/routes/candles.tsx";
import { startBinance } from "../support/fake-exchange/binance.ts";
import { type FakeExchange, tooMany } from "../support/fake-exchange/server.ts";
import { makeWorld } from "../support/fake-exchange/world.ts";
import { silentLog } from "../support/silent-log.ts";
import { browserOf, type TestBrowser, type WebCase, webCase, workspaceWith } from "./web-case.ts";

const FROM = Date.UTC(2024, 0, 1);
const world = makeWorld({ seed: 4, from: FROM, bars: 900, holes: [[50, 60]] });
const GOOD = `${CANDLE_CSV_HEADER}\n0,10,12,9,11,1\n300000,11,12,10,10,2\n900000,10,10,10,10,0\n`;
const PARTIAL = { "hx-request": "true" };

let made: WebCase;
let exchange: FakeExchange;
let candles: Candles;
let app: WebCase["app"];
const browsers: Record<string, TestBrowser> = {};

beforeAll(async () => {
  made = await webCase();
  exchange = startBinance(world);
  const clock = { ...createClock(), now: () => world.now };
  candles = createCandles({
    store: createCandleRepository(made.database.sql),
    market: createMarketData({ clock, log: silentLog, loopbackUrls: { binance: exchange.url } }),
    ...{ audit: made.audit, clock, log: silentLog },
  });
  app = createApp({ ...made.deps, candles });
  for (const name of ["alpha", "beta"]) {
    await workspaceWith(made, name);
    for (const role of ["trader", "viewer"]) {
      const browser = browserOf({ app });
      await browser.signIn(`${role}@${name}.example`);
      browsers[`${role}@${name}`] = browser;
    }
  }
}, 30_000);

afterAll(async () => {
  await candles.stop();
  exchange.stop();
  await made.database.drop();
});

function by(who: string): TestBrowser {
  const found = browsers[who];
  if (!found) throw new Error(`no browser for ${who}`);
  return found;
}

const BTC = { symbol: "BTC/USDT:USDT", exchange: "binance", market: "perps", timeframe: "" };

/** Sends a file as the script of the page does. */
async function upload(
  who: string,
  body: string | Uint8Array,
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
) {
  const browser = by(who);
  const query = new URLSearchParams({ ...BTC, file: "file.csv", ...fields });
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return app.request(`/candles/import?${query}`, {
    method: "POST",
    headers: {
      cookie: browser.cookie,
      "user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0",
      "sec-fetch-site": "same-origin",
      "x-csrf-token": browser.csrf,
      "content-length": String(bytes.length),
      ...headers,
    },
    body: bytes,
  });
}

const textOf = async (answer: Response | Promise<Response>) => (await answer).text();

/** Without tags, as somebody reads it. */
const words = (html: string) => html.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");

async function seriesId(who: string): Promise<string> {
  const page = await textOf(by(who).get("/candles/list"));
  return /href="\/candles\/(\d+)"/.exec(page)?.[1] ?? "";
}

test("without candles the page says so in one sentence and offers one action, a viewer none", async () => {
  const trader = await textOf(by("trader@alpha").get("/candles"));
  expect(trader).toContain("No candles yet.");
  expect(trader.match(/<details[^>]* open=""/g)).toHaveLength(2);
  const viewer = await textOf(by("viewer@alpha").get("/candles"));
  expect(viewer).toContain("A trader can bring them in");
  expect(viewer).not.toContain("<form id=");
});

test("our exchanges come first, then every other that ccxt knows", async () => {
  const page = await textOf(by("trader@alpha").get("/candles"));
  const select = /<select id="exchange"[\s\S]*?<\/select>/.exec(page)?.[0] ?? "";
  const ids = [...select.matchAll(/value="([^"]+)"/g)].map((match) => match[1]);
  expect(ids.slice(0, 8)).toEqual([
    ...["woox", "binance", "bybit", "okx", "kraken", "kucoin", "upbit"],
    ids.slice(7).sort()[0],
  ]);
  expect(ids.length).toBeGreaterThan(90);
  expect(new Set(ids).size).toBe(ids.length);
});

type Refused = [
  what: string,
  body: string,
  fields: Record<string, string>,
  headers: Record<string, string>,
  status: number,
  says: string,
];

const UPLOADS: Refused[] = [
  ["no symbol", GOOD, { symbol: " " }, {}, 422, "It is missing."],
  ["a symbol nobody understands", GOOD, { symbol: "what?" }, {}, 422, "is not understood"],
  ["an exchange that cannot be", GOOD, { exchange: "../x" }, {}, 422, "not the name of an exch"],
  ["a market that is none", GOOD, { market: "margin" }, {}, 422, "neither perps nor spot"],
  ["a timeframe that is none", GOOD, { timeframe: "7m" }, {}, 422, "7 minutes do not divide"],
  ["no token", GOOD, {}, { "x-csrf-token": "" }, 403, "another session"],
  ["another site", GOOD, {}, { "sec-fetch-site": "cross-site" }, 403, "another site"],
  [
    "a body above the limit",
    GOOD,
    {},
    { "content-length": String(IMPORT_BYTES_MAX + 1) },
    413,
    "512 MiB at most",
  ],
];

for (const [what, body, fields, headers, status, says] of UPLOADS) {
  test(`an upload with ${what} is refused with ${status} and a sentence`, async () => {
    const answer = await upload("trader@alpha", body, fields, headers);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { detail: string }).detail).toContain(says);
    expect(await textOf(by("trader@alpha").get("/candles/list"))).toContain("No candles yet.");
  });
}

test("a viewer may not send a file", async () => {
  const answer = await upload("viewer@alpha", GOOD);
  expect(answer.status).toBe(403);
});

test("a good file is stored and shown with its gap; another workspace sees nothing of it", async () => {
  const answer = await upload("trader@alpha", Bun.gzipSync(new TextEncoder().encode(GOOD)));
  expect([answer.status, await answer.json()]).toMatchObject([200, { state: "imported" }]);
  const page = words(await textOf(by("viewer@alpha").get("/candles")));
  expect(page).toContain("BTC/USDT 5m binance · perps");
  expect(page).toContain("75.0%, 1 gap");
  expect(page).toContain("Import of file.csv into binance BTC/USDT:USDT 5m");
  expect(page).toContain("3 added, 0 replaced, 0 unchanged.");
  expect(words(await textOf(by("viewer@beta").get("/candles")))).not.toContain("BTC/USDT 5m");
});

test("a broken file is refused with its lines, and the list stays as it was", async () => {
  const before = await textOf(by("viewer@alpha").get("/candles/list"));
  const body = `${GOOD}1200000,10,12,9,11,<b>\n1500000,10,12,9,11,-2\n`;
  const answer = await upload("trader@alpha", body, { file: `<i>"x".csv` });
  expect([answer.status, await answer.json()]).toMatchObject([422, { state: "refused" }]);
  const jobs = await textOf(by("trader@alpha").get("/candles/jobs"));
  expect(jobs).not.toContain("<b>");
  expect(jobs).not.toContain("<i>");
  const read = words(jobs);
  expect(read).toContain("2 things are wrong with the file. Nothing was stored.");
  expect(read).toMatch(/5 volume: &quot;&lt;b&gt;&quot; is not a number 6 volume: -2 must be/);
  expect(await textOf(by("viewer@alpha").get("/candles/list"))).toBe(before);
});

const FORM = {
  exchange: "binance",
  symbol: "BTC_PERP",
  market: "perps",
  timeframe: "1m",
  range: "dates",
  days: "30",
  from: "2024-01-01",
  until: "",
  candles: "yes",
  funding: "",
};

const FORMS: [what: string, change: Partial<typeof FORM>, says: string][] = [
  ["no symbol", { symbol: "" }, "It is missing."],
  ["an exchange nobody has", { exchange: "nowhere" }, "not an exchange we can reach"],
  ["a spot symbol as a perpetual", { symbol: "SPOT_BTC_USDT" }, "is a spot symbol"],
  ["a timeframe that is none", { timeframe: "1y" }, "is not a number followed by m, h, d or w"],
  ["no first day", { from: "" }, "is not a date such as 2024-01-31"],
  ["an end before the begin", { until: "2023-12-31" }, "not after the first day"],
  ["days that are none", { range: "last", days: "0" }, "whole number of days from 1 to 10000"],
  ["neither candles nor funding", { candles: "" }, "Choose candles, funding rates or both."],
  ["funding of a spot market", { market: "spot", symbol: "BTC/USDT", funding: "yes" }, "have fund"],
  ["a first day in the future", { from: "2999-01-01", until: "2999-02-01" }, "must be in the past"],
];

for (const [what, change, says] of FORMS) {
  test(`a download with ${what} gives the form again with 422, and nothing begins`, async () => {
    const before = candles.jobs((await scopeOf("alpha")).scope).length;
    for (const headers of [{}, PARTIAL]) {
      const fields = { ...FORM, ...change };
      const answer = await by("trader@alpha").post("/candles/download", fields, headers);
      expect(answer.status).toBe(422);
      const page = await answer.text();
      expect(page).toContain(says);
      expect(page.includes("<html")).toBe(headers !== PARTIAL);
      expect(page).toContain(`value="${fields.symbol}"`);
    }
    expect(candles.jobs((await scopeOf("alpha")).scope)).toHaveLength(before);
  });
}

async function scopeOf(name: string) {
  const login = await made.access.findLogin(`trader@${name}.example`);
  if (!login) throw new Error("no user");
  const [workspace] = await made.access.membershipsOf(login.user.id);
  if (!workspace) throw new Error("no workspace");
  const scope = { workspaceId: workspace.id, userId: login.user.id, role: "trader" } as const;
  return { scope, user: login.user };
}

test("a download begins, is told over the stream to its end, and asks the list to be drawn anew", async () => {
  const begun = await by("trader@alpha").post(
    "/candles/download",
    { ...FORM, funding: "yes" },
    PARTIAL,
  );
  expect([begun.status, begun.headers.get("hx-trigger")]).toEqual([200, `{"jobs-changed":{}}`]);
  expect(await textOf(by("viewer@alpha").get("/candles/jobs"))).toContain("hx-sse:connect");
  const told = await textOf(by("viewer@alpha").get("/candles/jobs/stream"));
  expect(told).toContain("event: series-changed");
  expect(told).toEndWith("event: jobs-ended\ndata: \n\n");
  const last = words(told.slice(told.lastIndexOf("data: <div")));
  expect(last).toContain("Download binance BTC/USDT:USDT 1m");
  expect(last).toContain("888 added, 0 replaced, 0 unchanged.");
  expect(last).toContain("Download binance BTC/USDT:USDT funding");
  expect(await textOf(by("viewer@alpha").get("/candles/jobs"))).not.toContain("hx-sse:connect");
  expect(words(await textOf(by("viewer@alpha").get("/candles")))).toContain("Funding rates");
  const late = await textOf(by("viewer@beta").get("/candles/jobs/stream"));
  expect(words(late)).not.toContain("888");
  expect(late).toContain("event: series-changed\ndata: \n\nevent: jobs-ended");
});

test("without its script the form goes on to the page, and a failure says why in one sentence", async () => {
  exchange.fault = () => tooMany("3600");
  const begun = await by("trader@alpha").post("/candles/download", { ...FORM, timeframe: "15m" });
  expect(begun.headers.get("location")).toBe("/candles?done=downloading");
  const told = await textOf(by("trader@alpha").get("/candles/jobs/stream"));
  exchange.fault = () => null;
  expect(words(told)).toContain("come back in 3600 s");
});

test("a job is cancelled by traders of its workspace; ended and foreign ones are not found", async () => {
  const { scope } = await scopeOf("alpha");
  const held = Promise.withResolvers<void>();
  exchange.fault = () =>
    new Response(
      new ReadableStream({
        async start(controller) {
          await held.promise;
          controller.close();
        },
      }),
    );
  await by("trader@alpha").post("/candles/download", { ...FORM, timeframe: "5m" });
  const [job] = candles.jobs(scope);
  const path = `/candles/jobs/${job?.id}/cancel`;
  expect((await by("trader@beta").post(path)).status).toBe(404);
  expect((await by("viewer@alpha").post(path)).status).toBe(403);
  expect((await by("trader@alpha").post(path, {}, PARTIAL)).status).toBe(204);
  held.resolve();
  exchange.fault = () => null;
  await textOf(by("trader@alpha").get("/candles/jobs/stream"));
  expect(candles.jobs(scope)[0]?.state.is).toBe("cancelled");
  expect((await by("trader@alpha").post(path)).status).toBe(404);
});

test("the page of a series shows its figures, findings and the funding of its market", async () => {
  const id = await seriesId("viewer@alpha");
  const page = words(await textOf(by("viewer@alpha").get(`/candles/${id}`)));
  for (const text of ["BTC/USDT 1m", "888", "10 candles missing", "Funding rates", "5m candles"]) {
    expect(page).toContain(text);
  }
  const quality = words(await textOf(by("viewer@alpha").get(`/candles/${id}/quality`)));
  expect(quality).toContain("Gaps 1");
  expect(quality).toContain("01/01/24 00:50 10 10m 0s");
  const bar = await textOf(by("viewer@alpha").get(`/candles/${id}/coverage`));
  expect(bar).toContain('<rect class="none"');
});

test("the export is a file with a name that import reads again", async () => {
  const id = await seriesId("viewer@alpha");
  const answer = await by("viewer@alpha").get(`/candles/${id}/csv`);
  expect(answer.headers.get("content-disposition")).toBe(
    'attachment; filename="binance_BTC-USDT-USDT_1m.csv"',
  );
  const series = parseCandleCsv(new Uint8Array(await answer.arrayBuffer()), 1);
  expect([series.length, series.openAt[0]]).toEqual([888, FROM]);
});

test("nothing of a series is found from another workspace", async () => {
  const id = await seriesId("viewer@alpha");
  for (const path of ["", "/coverage", "/quality", "/csv"]) {
    expect((await by("trader@beta").get(`/candles/${id}${path}`)).status).toBe(404);
    expect((await by("trader@alpha").get(`/candles/x${path}`)).status).toBe(404);
  }
  const deleting = await by("trader@beta").post(`/candles/${id}/delete`, { confirm: "BTC/USDT" });
  expect(deleting.status).toBe(404);
  expect((await by("viewer@alpha").get(`/candles/${id}`)).status).toBe(200);
});

test("a series is deleted once its name is typed", async () => {
  const id = await seriesId("viewer@alpha");
  await by("trader@alpha").get(`/candles/${id}`);
  const path = `/candles/${id}/delete`;
  const wrong = await by("trader@alpha").post(path, { confirm: "btc" });
  expect(wrong.status).toBe(422);
  expect(await wrong.text()).toContain("“btc” is not BTC/USDT; nothing was deleted.");
  expect((await by("viewer@alpha").post(path, { confirm: "BTC/USDT" })).status).toBe(403);
  const done = await by("trader@alpha").post(path, { confirm: "BTC/USDT" });
  expect(done.headers.get("location")).toBe("/candles?done=deleted");
  expect((await by("trader@alpha").get(`/candles/${id}`)).status).toBe(404);
});
