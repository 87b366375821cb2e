// The list of runs as a browser meets it: what addresses show and refuse, what is kept per user, the
// file, marks and deleting. Real app, real database.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { RunId } from "../../src/ports/run-store.ts";
import { CREATED_AT, peopleOf, shownIds, storeRun } from "./runs-grid-case.ts";
import { type WebCase, webCase } from "./web-case.ts";

let made: WebCase;
let alpha: Awaited<ReturnType<typeof peopleOf>>;
let beta: Awaited<ReturnType<typeof peopleOf>>;
/** Runs of alpha by the name the tests call them. */
const ids: Record<string, RunId> = {};

const RUNS: [
  name: string,
  run: Parameters<typeof storeRun>[2],
  metrics: Parameters<typeof storeRun>[3],
][] = [
  ["good", { symbol: "ETH/USDT:USDT", name: "Good one" }, { net_return: 0.5, sharpe: 2.5 }],
  ["bad", { symbol: "BTC/USDT:USDT", direction: "short" }, { net_return: -0.2, sharpe: -1 }],
  ["flat", { timeframeMin: 240, direction: "both" }, { net_return: 0.004, sharpe: null }],
  [
    "spot",
    { kind: "spot", exchangeId: "kucoin", name: "<b>&\"'" },
    { no_losses: true, profit_factor: null },
  ],
  ["waiting", { name: "=cmd|' /C calc'!A0" }, null],
];

beforeAll(async () => {
  made = await webCase();
  alpha = await peopleOf(made, "alpha");
  beta = await peopleOf(made, "beta");
  for (const [index, [name, run, metrics]] of RUNS.entries()) {
    const scope = { ...alpha.scope, userId: alpha.trader.id };
    ids[name] = await storeRun(made, scope, run, metrics, CREATED_AT + index * 1000);
  }
  const theirs = { ...beta.scope, userId: beta.trader.id };
  ids.theirs = await storeRun(made, theirs, { name: "Theirs", symbol: "SECRET/USDT" });
}, 60_000);
afterAll(() => made.database.drop());

const named = (names: string) =>
  names
    .split(" ")
    .filter(Boolean)
    .map((name) => ids[name] ?? 0);

const SHOWN: [query: string, names: string][] = [
  ["", "waiting spot flat bad good"],
  ["sort=createdAt", "good bad flat spot waiting"],
  ["sort=-sharpe", "good spot bad flat waiting"],
  ["sort=sharpe", "bad spot good flat waiting"],
  ["sort=-profitFactor&size=25", "spot flat bad good waiting"],
  ["netReturn.gte=10", "spot good"],
  ["netReturn.inRange=-20..1", "flat bad"],
  ["netReturn.lt=-10&netReturn.gt=40&netReturn.join=or", "bad good"],
  ["netReturn.blank=1", "waiting"],
  ["sharpe.notBlank=1&sharpe.gt=2", "good"],
  ["symbol.in=eth%2Fusdt%3Ausdt", "good"],
  ["symbol.in=ETH%2FUSDT%3AUSDT&symbol.in=BTC%2FUSDT%3AUSDT", "bad good"],
  ["symbol.contains=btc", "bad"],
  ["timeframeMin.equals=240", "flat"],
  ["direction.in=short|both", "flat bad"],
  ["kind.in=SPOT", "spot"],
  ["exchangeId.notEqual=woox", "spot"],
  ["status.in=queued", "waiting"],
  ["createdAt.equals=2024-06-01", "waiting spot flat bad good"],
  ["createdAt.gte=2024-06-01T12:00:03Z", "waiting spot"],
  ["createdAt.lt=2024-06-01", ""],
  ["createdAt.within=7d", ""],
  ["span.equals=31", "waiting spot flat bad good"],
  ["avgPositionTime.gt=1", "spot flat bad good"],
  ["winRate.equals=75", "spot flat bad good"],
  ["isShortlisted.is=yes", ""],
  ["name.contains=%3Cb%3E", "spot"],
  ["q=good", "good"],
  ["q=%25", ""],
  ["name.contains=&symbol.in=&sort=&q=&after=", "waiting spot flat bad good"],
];

for (const [query, names] of SHOWN) {
  test(`/runs?${query} shows ${names || "no run"}`, async () => {
    for (const path of ["/runs", "/runs/rows"]) {
      const answer = await alpha.asViewer.get(`${path}?${query}`);
      expect(answer.status).toBe(200);
      expect(shownIds(await answer.text())).toEqual(named(names));
    }
  });
}

const REFUSED: [query: string, says: string][] = [
  ["sort=password", "there is no column &quot;password&quot;; the columns are symbol, createdAt"],
  ["sort=error", "there is no column"],
  ["password.contains=x", "password.contains: there is no column"],
  ["__proto__.equals=x", "there is no column"],
  ["constructor.join=or", "there is no column"],
  ["colour=red", "colour: there is no such parameter; sort, q, size, after and filters"],
  ["a.b.c=1", "a.b.c: there is no such parameter"],
  ["sharpe.contains=1", "sharpe.contains: contains does not fit this column; it knows equals"],
  ["sharpe.gt=abc", "sharpe.gt: it is &quot;abc&quot;; a number such as 1.5 is allowed"],
  ["sharpe.gt=1e999", "a number such as 1.5 is allowed"],
  ["sharpe.inRange=1", "two numbers such as 1..2.5 are allowed"],
  ["createdAt.gt=2024-02-30", "UTC days from 2000 to 2099 such as 2024-01-31 are allowed"],
  ["createdAt.within=week", "1d to 3650d are allowed"],
  ["direction.in=up", "long, short, both are allowed"],
  ["isShortlisted.is=maybe", "yes or no is allowed"],
  ["netReturn.blank=0", "1 is allowed"],
  ["netReturn.join=xor", "and or or is allowed"],
  ["sharpe.gt=1&sharpe.lt=2&sharpe.lt=3", "a column may have 2 conditions, not more"],
  ["size=7", "25, 50, 100, 200 are allowed"],
  [`q=${"x".repeat(101)}`, "q: up to 100 characters of plain text are allowed"],
  ["name.contains=%00", "control character"],
  [`name.contains=${"x".repeat(201)}`, "201 characters are too many; 200 are allowed"],
  ["after=nonsense", "after: this is no place in a list sorted like this one"],
  [`after=${Buffer.from('["sharpe","desc",0,"1",1]').toString("base64url")}`, "no place in a list"],
];

for (const [query, says] of REFUSED) {
  test(`/runs?${query.slice(0, 60)} is refused with 400 and says why`, async () => {
    for (const path of ["/runs", "/runs/rows", "/runs.csv"]) {
      const answer = await alpha.asViewer.get(`${path}?${query}`);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain(says);
    }
  });
}

test("pages follow one another by the links on them, each run once", async () => {
  const many = await peopleOf(made, "gamma");
  const scope = { ...many.scope, userId: many.trader.id };
  for (let k = 0; k < 60; k++) await storeRun(made, scope, {}, { sharpe: k % 5 }, CREATED_AT + k);
  for (const sort of ["-sharpe", "name", "-createdAt"]) {
    const seen: number[] = [];
    let path: string | undefined = `/runs?size=25&sort=${sort}`;
    let pages = 0;
    while (path && pages < 9) {
      const page = await (await many.asViewer.get(path)).text();
      seen.push(...shownIds(page));
      const next = /class="button quiet" href="(\/runs\?[^"]*after=[^"]*)" hx-get="([^"]*)"/.exec(
        page,
      );
      if (pages > 0) expect(page).toContain("First page of this list");
      const rows = next?.[2]?.replaceAll("&amp;", "&");
      if (rows) {
        const part = await (await many.asViewer.get(rows)).text();
        const whole = await (
          await many.asViewer.get(next?.[1]?.replaceAll("&amp;", "&") ?? "")
        ).text();
        expect(shownIds(part)).toEqual(shownIds(whole));
        expect(part).not.toContain("<html");
      }
      path = next?.[1]?.replaceAll("&amp;", "&");
      pages += 1;
    }
    expect(pages).toBe(3);
    expect(new Set(seen).size).toBe(60);
    expect(seen.length).toBe(60);
  }
  expect(await made.deps.runList.choices(scope)).toEqual({
    symbols: ["PERP_ETH_USDT"],
    strategies: ["DragonDcaAtr"],
  });
}, 30_000);

test("the page marks sorting and filters, and every chip leads to the list without it", async () => {
  const page = await (
    await alpha.asViewer.get("/runs?sort=-sharpe&netReturn.gte=-50&direction.in=long%7Cboth&q=PERP")
  ).text();
  expect(page).toContain('data-key="sharpe" aria-sort="descending"');
  expect(page).toContain('href="/runs?q=PERP&amp;');
  for (const text of ["Search: PERP", "Net return ≥ -50 %", "Direction is long or both"]) {
    expect(page).toContain(text);
  }
  const chips = [...page.matchAll(/<a href="([^"]+)" aria-label="Remove the filter/g)];
  expect(chips.map((chip) => (chip[1] ?? "").replaceAll("&amp;", "&"))).toEqual([
    "/runs?netReturn.gte=-50&direction.in=long%7Cboth&sort=-sharpe",
    "/runs?q=PERP&direction.in=long%7Cboth&sort=-sharpe",
    "/runs?q=PERP&netReturn.gte=-50&sort=-sharpe",
  ]);
});

test("figures carry their colour, dates and money their form, and names are text", async () => {
  const page = await (await alpha.asViewer.get("/runs")).text();
  expect(page).toContain('<td class="r u8">+50%');
  expect(page).toContain('<td class="r d3">-20%');
  expect(page).toContain(">+0.4%");
  expect(page).toContain("∞");
  expect(page).toContain("▲ LONG");
  expect(page).toContain("+$100.10");
  expect(page).toContain("01/06/24 12:00");
  expect(page).toContain("&lt;b&gt;&amp;&quot;&#x27;");
  expect(page).not.toContain("<b>&");
  expect(page).not.toMatch(/\sstyle=|\son[a-z]+=/i);
});

test("columns, their order and widths are kept for the one who chose them", async () => {
  const layout = { "hx-request": "true" };
  const path = "/runs/columns";
  const fields = new URLSearchParams([
    ...[
      ["column", "sharpe"],
      ["column", "symbol"],
      ["width", "sharpe:20"],
    ],
    ["csrf", alpha.asTrader.csrf],
  ] as [string, string][]);
  const send = (body: URLSearchParams, headers: Record<string, string> = {}) =>
    made.app.request(
      path,
      {
        method: "POST",
        body,
        headers: {
          ...{ cookie: alpha.asTrader.cookie, accept: "text/html", ...headers },
          ...{ host: "127.0.0.1:8400", origin: "http://127.0.0.1:8400" },
          ...{ "sec-fetch-site": "same-origin" },
        },
      },
      { peer: "192.0.2.1" },
    );
  expect((await send(fields, layout)).status).toBe(204);
  const heads = async (browser: typeof alpha.asTrader) => {
    const page = await (await browser.get("/runs")).text();
    return [
      ...page.matchAll(/data-key="(\w+)"(?: data-width="(\d+)")?[^>]*><span class="head"/g),
    ].map((match) => [match[1], match[2]].filter(Boolean).join(":"));
  };
  expect(await heads(alpha.asTrader)).toEqual(["sharpe:20", "symbol"]);
  expect((await heads(alpha.asViewer)).length).toBeGreaterThan(10);
  const back = await alpha.asTrader.post(path, { reset: "yes", back: "sort=-sharpe" });
  expect(back.headers.get("location")).toBe("/runs?sort=-sharpe");
  expect(await heads(alpha.asTrader)).toEqual(await heads(alpha.asViewer));
  const evil = await alpha.asTrader.post(path, { reset: "yes", back: "x\\..//evil.example" });
  expect(evil.headers.get("location")).toStartWith("/");
  const refused: [Record<string, string>, string][] = [
    [{ column: "password" }, "column: &quot;password&quot; is not one of symbol"],
    [{}, "choose at least one column"],
    [{ column: "sharpe", width: "sharpe:999" }, "7 to 60 steps"],
  ];
  for (const [posted, says] of refused) {
    const answer = await alpha.asTrader.post(path, posted);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(says);
  }
  expect(await heads(alpha.asTrader)).toEqual(await heads(alpha.asViewer));
});

test("a viewer keeps an own shortlist and note, which nobody else sees", async () => {
  const path = `/runs/${ids.good}/mark`;
  expect((await alpha.asViewer.post(path, { isShortlisted: "yes" })).status).toBe(303);
  const saved = await alpha.asViewer.post(path, { note: " watch <it> " }, { "hx-request": "true" });
  expect(saved.status).toBe(204);
  const mine = await (await alpha.asViewer.get("/runs?isShortlisted.is=yes")).text();
  expect(shownIds(mine)).toEqual(named("good"));
  expect(mine).toContain("watch &lt;it&gt;");
  expect(mine).toContain("aria-pressed=true");
  expect(shownIds(await (await alpha.asTrader.get("/runs?isShortlisted.is=yes")).text())).toEqual(
    [],
  );
  const refused: [Record<string, string>, number, string][] = [
    [{}, 400, "at least one of them is needed"],
    [{ isShortlisted: "1" }, 400, "yes or no is allowed"],
    [{ note: "x".repeat(2001) }, 400, "2001 characters; 2000 are allowed"],
  ];
  for (const [fields, status, says] of refused) {
    const answer = await alpha.asViewer.post(path, fields);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(says);
  }
  expect((await alpha.asViewer.post(path, { note: "" })).status).toBe(303);
  expect(shownIds(await (await alpha.asViewer.get("/runs?note.notBlank=1")).text())).toEqual([]);
  for (const other of [`/runs/${ids.theirs}/mark`, "/runs/99999999/mark", "/runs/x/mark"]) {
    expect((await alpha.asViewer.post(other, { note: "x" })).status).toBe(404);
  }
});

test("the file holds every run found, in ISO and plain decimals, and no cell is a formula", async () => {
  const answer = await alpha.asTrader.get("/runs.csv?sort=createdAt");
  expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(answer.headers.get("content-disposition")).toMatch(/filename="runs-\d{4}-\d\d-\d\d\.csv"/);
  const text = await answer.text();
  const lines = text.split("\r\n");
  expect(lines.pop()).toBe("");
  expect(lines[0]).toStartWith("id,symbol,createdAt,name,exchangeId,kind,timeframeMin");
  expect(lines.length).toBe(1 + RUNS.length);
  expect(lines[1]).toStartWith(
    `${ids.good},ETH/USDT:USDT,2024-06-01T12:00:00Z,Good one,woox,perps,5,long`,
  );
  expect(lines[4]).toContain(`,"<b>&""'",`);
  expect(lines[5]).toContain(",'=cmd|' /C calc'!A0,");
  expect(text).not.toMatch(/(^|,|\r\n)"?[=+@]/);
  expect(text).not.toContain("SECRET");
  const few = await (await alpha.asTrader.get("/runs.csv?netReturn.gte=10&size=25")).text();
  expect(few.split("\r\n").length).toBe(4);
});

test("deleting asks for the word, deletes only runs of the own workspace, and notes it", async () => {
  const scope = { ...alpha.scope, userId: alpha.trader.id };
  const [one, two] = [
    await storeRun(made, scope, { name: "doomed" }),
    await storeRun(made, scope, {}),
  ];
  const path = "/runs/delete";
  expect((await alpha.asViewer.post(path, { id: String(one) })).status).toBe(403);
  const question = await alpha.asTrader.post(path, { id: String(one) });
  expect(question.status).toBe(200);
  expect(await question.text()).toContain("Delete one run?");
  const wrong = await alpha.asTrader.post(path, { id: String(one), confirm: "delete" });
  expect(wrong.status).toBe(422);
  expect(await wrong.text()).toContain("nothing is deleted");
  for (const fields of [{}, { id: "x" }, { id: "0" }] as Record<string, string>[]) {
    expect((await alpha.asTrader.post(path, { ...fields, confirm: "DELETE" })).status).toBe(400);
  }
  expect(shownIds(await (await alpha.asTrader.get("/runs")).text())).toContain(one);
  const done = await alpha.asTrader.post(path, { id: String(one), confirm: "DELETE" });
  expect(done.headers.get("location")).toBe("/runs?done=deleted-1");
  expect(await (await alpha.asTrader.get("/runs?done=deleted-1")).text()).toContain(
    "One run is deleted.",
  );
  const left = shownIds(await (await alpha.asTrader.get("/runs")).text());
  expect(left).not.toContain(one);
  expect(left).toContain(two);
  await alpha.asTrader.post(path, { id: String(ids.theirs), confirm: "DELETE" });
  const theirs = await (await beta.asTrader.get("/runs")).text();
  expect(shownIds(theirs)).toEqual(named("theirs"));
  const entries = await made.audit.list(alpha.scope, { limit: 20 });
  expect(entries.filter(({ action }) => action.includes("run")).length).toBe(1);
});

test("no address of one workspace shows a run of the other", async () => {
  for (const path of [
    "/runs",
    "/runs/rows",
    "/runs.csv",
    `/runs?q=${ids.theirs}`,
    "/runs?symbol.contains=secret",
  ]) {
    for (const browser of [alpha.asTrader, alpha.asViewer]) {
      const text = await (await browser.get(path)).text();
      expect(text).not.toContain("SECRET/USDT");
      expect(shownIds(text)).not.toContain(ids.theirs);
    }
  }
});

test("an empty list says so and offers one thing to do", async () => {
  const none = await peopleOf(made, "delta");
  const forTrader = await (await none.asTrader.get("/runs")).text();
  expect(forTrader).toContain("No backtest has been run yet.");
  expect(forTrader).toContain('class="button" href="/backtest"');
  const forViewer = await (await none.asViewer.get("/runs")).text();
  expect(forViewer).not.toContain('href="/backtest"');
  const filtered = await (await alpha.asViewer.get("/runs?sharpe.gt=1000")).text();
  expect(filtered).toContain("No run matches these filters.");
  expect(filtered).toContain("Clear the filters");
});
