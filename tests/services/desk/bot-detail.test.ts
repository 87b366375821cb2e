// The page of a bot behind its views: every number is the sum of its rows to the last unit, previews tell the
// truth, settings change when they may, and nothing is told to another workspace.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createBotRepository } from "../../../src/adapters/postgres/bot-repository.ts";
import { createControlRepository } from "../../../src/adapters/postgres/control-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { composeBotDetail } from "../../../src/bot-detail.ts";
import { add, type Decimal, decimal, multiply, subtract } from "../../../src/model/decimal.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { Bot } from "../../../src/ports/bot-store.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import type { BotDetail } from "../../../src/services/desk/bot-detail.ts";
import { PART_KINDS } from "../../../src/services/desk/bot-pnl.ts";
import { TRADED_PRICE, tradedBot, tradedConfig } from "../../support/bot-traded.ts";
import { botSeeder } from "../../support/bot-desk.ts";
import { aConfig } from "../../support/bots.ts";
import { actorOf } from "../../support/research-case.ts";
import {
  silentLog,
  type TestDatabase,
  testDatabase,
  testScope,
} from "../../support/test-database.ts";
import { ETH } from "../../support/trading.ts";

const clock = createClock();
const now = () => clock.now();
/** Nobody listens there: candles come from the store alone. */
const NOWHERE = { demo: "http://127.0.0.1:9" };
const ZERO = decimal("0");
const NOTHING = { action: "", pct: "", price: "", mayLoosen: "", order: "" };

let database: TestDatabase;
let scope: Scope;
let stranger: Scope;
let actor: Actor;
let detail: BotDetail;
let bot: Bot;

beforeAll(async () => {
  database = await testDatabase();
  const mine = await testScope(database.sql, "mine");
  [scope, stranger] = [mine, await testScope(database.sql, "theirs")];
  actor = await actorOf(database.sql, mine);
  const market = createMarketData({ clock, log: silentLog, loopbackUrls: NOWHERE });
  detail = composeBotDetail({ sql: database.sql, market, clock, log: silentLog });
  ({ bot } = await tradedBot(database.sql, scope, now));
}, 60_000);
afterAll(() => database.drop());

const sum = (values: readonly (Decimal | null)[]) =>
  values.reduce<Decimal>((total, value) => add(total, value ?? ZERO), ZERO);

test("every amount is the sum of its rows, to the last unit, and running sums end at it", async () => {
  const { pnl } = await detail.standing(scope, bot);
  const { realised, fees, funding, adjustments, net } = pnl.totals;
  const values = { realised, fees, funding, adjustments, net };
  for (const [part, value] of Object.entries(values)) {
    const kinds = PART_KINDS[part as keyof typeof values];
    const rows = await detail.ledger(scope, bot, kinds, null);
    expect({ part, value: sum(rows.map(({ settleAmount }) => settleAmount)) }).toEqual({
      part,
      value,
    });
    expect({ part, value: rows[0]?.running ?? ZERO }).toEqual({ part, value });
  }
  // Fees of two cycles in full length: nothing was rounded on the way.
  expect(fees).toBe(decimal("-1.015298905"));
});

test("running sums go on from page to page", async () => {
  const all = await detail.ledger(scope, bot, null, null);
  const [third] = all.slice(2);
  if (!third) throw new Error("there are more rows than two");
  const rest = await detail.ledger(scope, bot, null, { at: third.at, id: third.id });
  expect(rest).toEqual(all.slice(3));
  const oldest = all.at(-1);
  expect(oldest?.running).toBe(oldest?.settleAmount ?? ZERO);
});

test("what is open is worth price times quantity minus cost", async () => {
  const { pnl } = await detail.standing(scope, bot);
  const first = multiply(decimal("2051.07"), decimal("0.113"));
  const cost = add(first, multiply(decimal("2030.56"), decimal("0.226")));
  const worth = subtract(multiply(TRADED_PRICE, decimal("0.339")), cost);
  const qty = decimal("0.339");
  expect(pnl.open).toMatchObject([{ positionSide: "long", qty, cost, unrealised: worth }]);
  expect(pnl.unrealised).toBe(worth);
  expect(pnl.net).toBe(add(pnl.totals.net, worth));
  expect(pnl.equity).toBe(add(add(decimal("1000"), pnl.totals.net), worth));
});

test("without a price what is open is unknown, and so is the whole", async () => {
  const seeder = botSeeder(database.sql, scope, now);
  const other = await tradedBot(database.sql, scope, now, { name: "Blind" });
  await seeder.bots.saveFigures(
    scope,
    [{ accountId: other.accountId, botId: other.bot.id, worker: "w", at: now(), body: {} }],
    [],
  );
  const { pnl, row } = await detail.standing(scope, other.bot);
  expect(row.figures).toBeNull();
  expect(pnl).toMatchObject({ unrealised: null, net: null, equity: null });
  expect(pnl.totals.missing).toBe(0);
});

test("the ledger of one bot holds nothing of another on the same market", async () => {
  const all = await detail.ledger(scope, bot, null, null);
  expect([...new Set(all.map(({ owner }) => owner))]).toEqual([`bot:${bot.id}`]);
});

test("orders come with their fills and cycles with their results", async () => {
  const orders = await detail.orders(scope, bot);
  expect(orders.map(({ fills }) => fills.length)).toEqual([1, 1, 1, 2, 1]);
  const cycles = await detail.cycles(scope, bot);
  expect(cycles.map(({ closedAt }) => closedAt === null)).toEqual([true, false]);
});

test("the chart has every candle, the fills, levels and orders, in less than 300 kB", async () => {
  const chart = await detail.chart(scope, bot);
  expect(chart.problem).toBeNull();
  expect(chart.at.length).toBe(720);
  expect(chart.fills.map(({ side }) => side)).toEqual(["buy", "buy", "buy", "sell", "buy", "buy"]);
  expect(chart.orders).toHaveLength(3);
  expect(chart.stop.at(-1)).toBe(1955);
  expect(chart.stop[0]).toBeNull();
  expect(chart.averageEntry.filter((level) => level !== null).length).toBeGreaterThan(20);
  expect(chart.equity.at).toHaveLength(200);
  expect(JSON.stringify(chart).length).toBeLessThan(300_000);
});

test("without candles the rest of the chart is there, and a sentence says why", async () => {
  const seeder = botSeeder(database.sql, scope, now);
  const accountId = await seeder.account("Elsewhere", "demo");
  const other = await seeder.bot(accountId, { name: "No candles", symbol: ETH });
  const chart = await detail.chart(scope, other);
  expect(chart).toMatchObject({ at: [], fills: [], equity: { at: [] } });
  expect(chart.problem).toContain("not here yet");
}, 20_000);

const PREVIEWS: [what: string, typed: Partial<typeof NOTHING>, says: string | RegExp][] = [
  ["a part", { action: "close_part", pct: "50" }, "0.1695 of 0.339 are sold"],
  ["nothing", { action: "close_part", pct: "0" }, /above 0 and up to 100/],
  ["more than all", { action: "close_part", pct: "100.1" }, /above 0 and up to 100/],
  ["a word", { action: "close_part", pct: "half" }, /above 0 and up to 100/],
  ["a tighter stop", { action: "move_stop", price: "1990" }, "moves from 1955 to 1990"],
  ["a looser stop", { action: "move_stop", price: "1900" }, /allow it expressly/],
  [
    "a looser stop that is wanted",
    { action: "move_stop", price: "1900", mayLoosen: "yes" },
    "protects LESS",
  ],
  ["a stop beyond the price", { action: "move_stop", price: "2100" }, /must be below the price/],
  ["no price", { action: "move_stop", price: "-5" }, /must be a price above 0/],
  ["the next rung", { action: "skip_rung" }, "The rung at 1989.4 is left out"],
  ["an order", { action: "cancel_order", order: "9003" }, "rung buy 0.339 at 1989.4"],
  ["the protective stop", { action: "cancel_order", order: "9002" }, /moved, not cancelled/],
  ["an order that is gone", { action: "cancel_order", order: "77" }, /not open any more/],
  ["an error that is not there", { action: "clear_error" }, /no error to clear/],
  ["something else", { action: "sell_everything" }, /must be one of close_part/],
];
for (const [what, typed, says] of PREVIEWS) {
  test(`the preview of ${what} says what would happen`, async () => {
    const preview = await detail.preview(scope, bot, { ...NOTHING, ...typed });
    if (typeof says === "string") {
      expect(preview.ok && preview.value.effects.join(" ")).toContain(says);
    } else {
      expect(preview.ok === false && preview.detail).toMatch(says);
    }
  });
}

test("an asked action waits for the worker, and a refused one does not", async () => {
  const refused = { ...NOTHING, action: "close_part", pct: "0" };
  expect(await detail.ask(actor, bot, refused)).toMatchObject({ ok: false, field: "pct" });
  const asked = await detail.ask(actor, bot, { ...NOTHING, action: "close_part", pct: "25.5" });
  expect(asked).toMatchObject({
    ok: true,
    command: { command: { kind: "close_part", pct: 25.5 } },
  });
  const { commands } = await detail.standing(scope, bot);
  expect(commands).toMatchObject([{ actor: actor.user.email, doneAt: null }]);
});

test("settings that are safe change while a position is open; the ladder waits", async () => {
  const typed = { "strategy.exits.tp_pct": "2.25", "limits.maxOpenOrders": "", note: "wider" };
  const edited = await detail.edit(actor, bot, bot.configVersion, typed);
  if (!edited.ok) throw new Error(edited.detail);
  expect(edited.bot).toMatchObject({
    configVersion: 2,
    config: { limits: { maxOpenOrders: null } },
  });
  const ladder = { "strategy.dca.volume_multiplier": "3" };
  expect(await detail.edit(actor, edited.bot, 2, ladder)).toMatchObject({
    ok: false,
    field: "strategy.dca.volume_multiplier",
  });
  expect((await detail.versions(scope, bot)).map(({ note }) => note)).toEqual(["wider", ""]);
  const back = await detail.undo(actor, edited.bot, 2, 1);
  expect(back).toMatchObject({ ok: true, bot: { configVersion: 3, config: bot.config } });
  bot = back.ok ? back.bot : bot;
});

const REFUSED: [what: string, typed: Record<string, string>, field: string][] = [
  ["an empty take-profit", { "strategy.exits.tp_pct": "" }, "strategy.exits.tp_pct"],
  ["a negative stop", { "strategy.exits.sl_pct": "-1" }, "strategy.exits.sl_pct"],
  ["a drawdown above 100", { "limits.maxDrawdownPct": "101" }, "limits.maxDrawdownPct"],
  ["an unknown pause", { pauseMode: "nap" }, "pauseMode"],
  ["nothing at all", {}, "form"],
];
for (const [what, typed, field] of REFUSED) {
  test(`${what} is refused and leaves everything as it was`, async () => {
    const before = await detail.versions(scope, bot);
    const edited = await detail.edit(actor, bot, bot.configVersion, typed);
    expect(edited).toMatchObject({ ok: false, field });
    expect(await detail.versions(scope, bot)).toEqual(before);
  });
}

test("two people who change the same version do not overwrite each other", async () => {
  const typed = { "strategy.exits.tp_pct": "3" };
  const late = await detail.edit(actor, bot, bot.configVersion - 1, typed);
  expect(late).toMatchObject({ ok: false, field: "form" });
});

test("an idle bot may change its ladder, and never the sides it takes", async () => {
  const seeder = botSeeder(database.sql, scope, now);
  const accountId = await seeder.account("Idle", "demo");
  const idle = await seeder.bot(accountId, { name: "Idle", config: tradedConfig() });
  expect(await detail.isIdle(scope, idle)).toBe(true);
  expect(await detail.isIdle(scope, bot)).toBe(false);
  const typed = { "strategy.dca.volume_multiplier": "3", leverage: "7" };
  const edited = await detail.edit(actor, idle, 1, typed);
  expect(edited).toMatchObject({ ok: true, bot: { config: { leverage: 7 } } });
  const strategy = { general: { allow_long: false, allow_short: true } };
  const turned = aConfig({ ...tradedConfig(), strategy });
  const bots = createBotRepository(database.sql);
  const change = { seenVersion: 2, config: turned, note: "" };
  await bots.changeConfig(scope, idle.id, change, "x@example.org", now());
  const present = await detail.find(scope, idle.id);
  if (!present) throw new Error("the bot is there");
  const undone = await detail.undo(actor, present, 3, 2);
  expect(undone.ok === false && undone.detail).toMatch(/make a new bot/);
});

test("killing a bot takes the typed word, and only this bot is halted", async () => {
  expect(await detail.kill(actor, bot, "kill")).toMatchObject({ ok: false, field: "kill" });
  const control = createControlRepository(database.sql);
  const ofBot = async () =>
    (await control.read(scope)).states.filter((each) => each.scope.kind === "bot");
  expect(await ofBot()).toEqual([]);
  expect(await detail.kill(actor, bot, "KILL")).toEqual({ ok: true });
  expect(await ofBot()).toMatchObject([{ scope: { botId: bot.id }, state: "halted" }]);
  expect((await detail.standing(scope, bot)).state).toMatchObject({ actor: actor.user.email });
  const scopeOf = { kind: "bot", botId: bot.id } as const;
  const frozen = { scope: scopeOf, state: "frozen", reason: "by hand", actor: "ann" } as const;
  await control.setStates(scope, [frozen], now());
  expect(await detail.kill(actor, bot, "KILL")).toMatchObject({ ok: false, field: "kill" });
  expect(await ofBot()).toMatchObject([{ state: "frozen" }]);
  await detail.release(actor, bot);
  expect(await ofBot()).toMatchObject([{ state: "active" }]);
  const entries = await createAuditRepository(database.sql).list(scope, { limit: 5 });
  expect(entries.map(({ action }) => action)).toContain("trading_state_changed");
});

test("diagnostics hold ids, gates and events, and nothing of another bot", async () => {
  const text = await detail.diagnostics(scope, bot);
  for (const part of [`bot ${bot.id},`, "CLOSED fresh_prices", "9003 open rung buy", "bot_error"]) {
    expect(text).toContain(part);
  }
  expect(text).not.toContain("Blind");
});

test("another workspace finds neither the bot nor a row of it", async () => {
  expect(await detail.find(stranger, bot.id)).toBeNull();
  expect(await detail.ledger(stranger, bot, null, null)).toEqual([]);
  expect(await detail.orders(stranger, bot)).toEqual([]);
  expect(await detail.events(stranger, bot, { severities: null, beforeId: null })).toEqual([]);
});

test("a page hears how the bot stands until it leaves", async () => {
  const heard = Promise.withResolvers<string>();
  const stop = detail.watch(scope, bot.id, async (standing) => {
    heard.resolve(standing?.row.bot.name ?? "gone");
  });
  expect(await heard.promise).toBe("Trader");
  stop();
});
