// The page of a bot as a browser meets it: what each tab shows, what every role may do, what a typed word does,
// and that another workspace is out of reach. Real app, real database.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createControlRepository } from "../../src/adapters/postgres/control-repository.ts";
import type { Bot } from "../../src/ports/bot-store.ts";
import { botCase, traded } from "./bot-case.ts";
import { peopleOf } from "./runs-grid-case.ts";
import { browserOf, type TestBrowser, type WebCase } from "./web-case.ts";

let made: WebCase;
let alpha: Awaited<ReturnType<typeof peopleOf>>;
let beta: Awaited<ReturnType<typeof peopleOf>>;
let asOwner: TestBrowser;
let bot: Bot;

beforeAll(async () => {
  made = await botCase();
  [alpha, beta] = [await peopleOf(made, "alpha"), await peopleOf(made, "beta")];
  asOwner = browserOf(made);
  await asOwner.signIn(alpha.owner.email);
  bot = await traded(made, alpha.scope, { name: "Trader <i>one</i>" });
}, 60_000);
afterAll(() => made.database.drop());

const path = (rest = "") => `/bots/${bot.id}${rest}`;

async function shown(browser: TestBrowser, address: string, status = 200): Promise<string> {
  const answer = await browser.get(address);
  expect([address, answer.status]).toEqual([address, status]);
  return await answer.text();
}

async function present(): Promise<Bot> {
  const found = await made.deps.botDetail.find(alpha.scope, bot.id);
  if (!found) throw new Error("the bot is gone");
  return found;
}

const TABS: [query: string, says: readonly string[]][] = [
  ["", ["Why is it not trading?", "the last price is 31 s old", "take profit", "2072.1"]],
  ["?tab=orders", ["Round trips", "TP_PCT", "1990.12", "0.02189132 USDT"]],
  ["?tab=ledger", ["Sum (USDT)", "Together", "0.33747885"]],
  ["?tab=ledger&kind=fees", ["-1.015298905"]],
  ["?tab=events", ["bot error", "stale data block", "bot started"]],
  ["?tab=events&severity=errors", ["bot error"]],
  ["?tab=config", ["Save as version 2", "in force", "exits_only"]],
  ["?derive=net", ["Where “Profit and loss” comes from", "Together", "(2043.21 × 0.339 −"]],
  ["?derive=fees", ["The rows it is the sum of", "-0.115885455"]],
  ["?derive=unrealised", ["Open long position"]],
];
for (const [query, says] of TABS) {
  test(`/bots/:id${query} shows ${says[0]}`, async () => {
    const page = await shown(alpha.asTrader, path(query));
    for (const text of says) expect(page).toContain(text);
    expect(page).not.toContain("<i>one</i>");
  });
}

test("nonsense in an address shows the beginning of a tab", async () => {
  for (const query of ["tab=ledger&before=x.y&kind=%00", "tab=events&before=-1&severity=loud"]) {
    expect(await shown(alpha.asViewer, path(`?${query}`))).toContain("<table");
  }
  expect(await shown(alpha.asViewer, path("?tab=nothing&derive=love"))).toContain("Why is it not");
});

test("a number opens as a piece, and closes again", async () => {
  const piece = await shown(alpha.asViewer, path("/derivation?part=realised"));
  expect(piece).toContain('id="derivation"');
  expect(piece).not.toContain("<html");
  expect(await shown(alpha.asViewer, path("/derivation"))).toBe('<div id="derivation"></div>');
});

test("an opened number is the sum of the rows below it", async () => {
  const piece = await shown(alpha.asViewer, path("/derivation?part=realised"));
  const cells = [...piece.matchAll(/<td class="figure[^"]*">(-?[\d.]+)<\/td>/g)];
  const [worth, running] = [cells[0]?.[1], cells[1]?.[1]];
  expect(worth).toBe(running ?? "");
  expect(piece).toContain(`<span class="number">${worth} USDT</span>`);
});

test("the chart and the diagnostics are files of the page", async () => {
  const chart = await (await alpha.asViewer.get(path("/chart.json"))).json();
  expect(chart).toMatchObject({ problem: null, priceDecimals: expect.any(Number) });
  const text = await shown(alpha.asViewer, path("/diagnostics.txt"));
  expect(text).toContain(`bot ${bot.id},`);
});

test("those who only look see no form that acts, and may not act", async () => {
  const page = await shown(alpha.asViewer, path());
  for (const text of ["Danger zone", "Pause bot", "Cancel…"]) expect(page).not.toContain(text);
  expect(await shown(alpha.asViewer, path("?tab=config"))).not.toContain("Save as version");
  await shown(alpha.asViewer, path("/preview?action=skip_rung"), 403);
  for (const place of ["run", "pause", "stop", "flatten", "kill", "commands", "config", "undo/1"]) {
    const answer = await alpha.asViewer.post(path(`/${place}`), { confirm: "KILL" });
    expect([place, answer.status]).toEqual([place, 403]);
  }
  expect((await alpha.asTrader.post(path("/release"))).status).toBe(403);
});

test("another workspace finds no bot at any address", async () => {
  for (const rest of ["", "/live", "/derivation", "/preview", "/chart.json", "/diagnostics.txt"]) {
    await shown(beta.asTrader, path(rest), 404);
  }
  for (const place of [
    "run",
    "stop",
    "flatten",
    "kill",
    "delete",
    "commands",
    "config",
    "undo/1",
  ]) {
    const answer = await beta.asTrader.post(path(`/${place}`), { confirm: "FLATTEN" });
    expect([place, answer.status]).toEqual([place, 404]);
  }
  expect((await present()).desiredAction).toBeNull();
});

test("pausing takes a click, stopping and flattening take their word", async () => {
  expect((await alpha.asTrader.post(path("/pause"))).headers.get("location")).toBe(
    path("?done=paused"),
  );
  expect((await present()).desiredStatus).toBe("paused");
  expect((await alpha.asTrader.post(path("/run"))).status).toBe(303);
  const wrong = await alpha.asTrader.post(path("/flatten"), { confirm: "flatten" });
  expect(wrong.status).toBe(422);
  expect(await wrong.text()).toContain("is not FLATTEN");
  expect((await present()).desiredAction).toBeNull();
  const right = await alpha.asTrader.post(path("/flatten"), { confirm: "FLATTEN" });
  expect(right.headers.get("location")).toBe(path("?done=flatten"));
  expect((await present()).desiredAction).toBe("flatten");
});

test("a trader kills the bot with the word, and an owner lifts it", async () => {
  const wrong = await alpha.asTrader.post(path("/kill"), { confirm: "yes" });
  expect(wrong.status).toBe(422);
  expect(await wrong.text()).toContain("is not KILL");
  expect((await alpha.asTrader.post(path("/kill"), { confirm: "KILL" })).status).toBe(303);
  const page = await shown(alpha.asTrader, path());
  expect(page).toContain("This bot is halted");
  expect(page).not.toContain("Lift the halt");
  expect(await shown(asOwner, path())).toContain("Lift the halt of this bot");
  expect((await asOwner.post(path("/release"))).status).toBe(303);
  expect(await shown(alpha.asTrader, path())).not.toContain("This bot is halted");
});

test("an action is previewed, confirmed, and then waits for the worker", async () => {
  const preview = await shown(alpha.asTrader, path("?action=close_part&pct=25"));
  expect(preview).toContain("0.08475 of 0.339 are sold");
  expect(preview).toContain('name="pct" value="25"');
  const fields = { action: "close_part", pct: "25", price: "", mayLoosen: "", order: "" };
  const asked = await alpha.asTrader.post(path("/commands"), fields);
  expect(asked.headers.get("location")).toBe(path("?done=asked"));
  expect(await shown(alpha.asViewer, path())).toContain("Close 25 % of the position");
  made.advance(61_000);
  expect(await shown(alpha.asViewer, path())).toContain("Nobody told what came of it");
  const refused = await alpha.asTrader.post(path("/commands"), { ...fields, pct: "200" });
  expect(refused.status).toBe(422);
  expect(await refused.text()).toContain("above 0 and up to 100");
});

test("settings come back with the sentence at their field, or as a new version", async () => {
  const seenVersion = "1";
  const wrong = { seenVersion, "strategy.exits.tp_pct": "much" };
  const refused = await alpha.asTrader.post(path("/config"), wrong);
  expect(refused.status).toBe(422);
  const page = await refused.text();
  expect(page).toContain('id="strategy-exits-tp_pct-problem"');
  expect(page).toContain('value="much"');
  const right = { seenVersion, "strategy.exits.tp_pct": "2.5", note: "wider" };
  const saved = await alpha.asTrader.post(path("/config"), right);
  expect(saved.headers.get("location")).toBe(path("?tab=config&done=saved"));
  const config = await shown(alpha.asTrader, path("?tab=config"));
  expect(config).toContain("<code>exits.tp_pct</code> 1.5 → 2.5");
  const stale = await alpha.asTrader.post(path("/config"), {
    ...right,
    note: "",
    seenVersion: "1",
  });
  expect(stale.status).toBe(422);
  expect((await alpha.asTrader.post(path("/undo/1"))).status).toBe(303);
  expect(await shown(alpha.asViewer, path("?tab=config"))).toContain("back to version 1");
  expect((await alpha.asTrader.post(path("/undo/99"))).status).toBe(422);
});

test("a bot that runs is not deleted; the sentence says what to do", async () => {
  const refused = await alpha.asTrader.post(path("/delete"), { confirm: "DELETE" });
  expect(refused.status).toBe(422);
  expect(await present()).toMatchObject({ id: bot.id });
});

/** What somebody's stream of the page has sent, message by message. */
async function follow({ cookie }: TestBrowser, query: string) {
  const headers = { cookie, "user-agent": "Firefox/140.0" };
  const peer = { peer: "192.0.2.1" };
  const answer = await made.app.request(path(`/live?${query}`), { headers }, peer);
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  const reader = answer.body?.getReader();
  if (!reader) throw new Error("the stream has no body");
  const decoder = new TextDecoder();
  let text = "";
  return {
    /** Reads on until something was said. @returns what was read for it */
    async until(said: string) {
      const from = text.length;
      while (!text.includes(said, from)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended without ${said}`);
        text += decoder.decode(value);
      }
      return text.slice(from);
    },
    stop: () => reader.cancel(),
  };
}

const idsIn = (html: string) =>
  [...html.matchAll(/<div id="([a-z-]+)" hx-swap-oob/g)].map((m) => m[1]);

test("the stream begins with every piece, and then sends only those that changed", async () => {
  const stream = await follow(alpha.asTrader, "tab=overview");
  const first = await stream.until('id="effect-kill"');
  expect(idsIn(first)).toEqual([
    ...["bot-head", "bot-tiles", "bot-position", "bot-gates", "bot-open-orders", "bot-equity"],
    ...["bot-wish", "bot-by-hand", "bot-danger", "effect-stop", "effect-flatten", "effect-kill"],
  ]);
  await alpha.asTrader.post(path("/pause"));
  const paused = await stream.until("Run bot");
  expect(idsIn(paused)).toEqual(["bot-head", "bot-wish"]);
  await stream.stop();
}, 20_000);

test("what may be done follows the position, and figures that moved are told", async () => {
  const stream = await follow(alpha.asTrader, "tab=overview");
  expect(await stream.until('id="effect-kill"')).toContain("Now 1955");
  const { sql } = made.database;
  const seen = await sql<{ body: Record<string, unknown> }[]>`
    select body from snapshots where bot_id = ${bot.id}`;
  const body = { ...seen[0]?.body, position: null, orders: [] };
  await sql`update snapshots set body = ${sql.json(body as never)} where bot_id = ${bot.id}`;
  const flat = await stream.until("No rung is waiting");
  expect(idsIn(flat)).toContain("bot-position");
  expect(flat).toContain("The bot holds nothing.");
  await sql`update snapshots set body = ${sql.json(seen[0]?.body as never)} where bot_id = ${bot.id}`;
  await stream.until("Now 1955");
  await stream.stop();
}, 20_000);

test("those who only look are sent no form", async () => {
  const stream = await follow(alpha.asViewer, "tab=overview");
  const first = await stream.until('id="bot-equity"');
  expect(first).not.toContain("<form");
  expect(first).not.toContain("csrf");
  await stream.stop();
}, 20_000);

test("a tab of rows follows while its first page is shown, and its older pages stay", async () => {
  const stream = await follow(alpha.asViewer, "tab=events&severity=errors");
  expect(await stream.until('id="bot-tab"')).toContain("bot error");
  await stream.stop();
  const older = await follow(alpha.asViewer, "tab=events&before=1");
  const sent = await older.until('id="bot-tiles"');
  expect(idsIn(sent)).toEqual(["bot-head", "bot-tiles"]);
  await older.stop();
  const page = await shown(alpha.asViewer, path("?tab=events&severity=errors"));
  expect(page).toContain(`/bots/${bot.id}/live?tab=events&amp;severity=errors`);
}, 20_000);

test("executions, orders and events lead to each other", async () => {
  const ledger = await shown(alpha.asViewer, path("?tab=ledger"));
  const [, tradeId] = /tab=orders#fill-([^"]+)"/.exec(ledger) ?? [];
  expect(tradeId).toBeDefined();
  const orders = await shown(alpha.asViewer, path("?tab=orders"));
  expect(orders).toContain(`id="fill-${tradeId}"`);
  expect(orders).toMatch(/id="client-\d{19}"/);
  expect(await shown(alpha.asViewer, path())).toContain(`/bots/${bot.id}?tab=orders#order-9001`);
});

test("a page says of which second its figures are", async () => {
  const page = await shown(alpha.asViewer, path());
  expect(page).toMatch(/Figures <span class="number as-of">as of <time [^>]*>\d\d:\d\d:\d\d</);
  expect(page).toMatch(/2043\.21 \(mark, \d\d:\d\d:\d\d\)/);
  expect(page).toMatch(/price of \d\d:\d\d:\d\d/);
});

test("a bot whose entries are blocked may still be stopped harder, a halted one not", async () => {
  const control = createControlRepository(made.database.sql);
  const set = (state: "reducing" | "halted" | "active") =>
    control.setStates(
      alpha.scope,
      [{ scope: { kind: "bot", botId: bot.id }, state, reason: "r", actor: "a@b.c" }],
      made.clock.now(),
    );
  await set("reducing");
  const reducing = await shown(asOwner, path());
  expect([reducing.includes("Kill this bot"), reducing.includes("Lift the halt")]).toEqual([
    true,
    true,
  ]);
  await set("halted");
  expect(await shown(asOwner, path())).not.toContain("Kill this bot");
  await set("active");
});
