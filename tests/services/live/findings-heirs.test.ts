// Who takes over what a stranger did: the only bot, the bot or the person somebody names, never one whose sides forbid
// it; and working orders of strangers that are taken over or cancelled.
import { expect } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type { BotId } from "../../../src/ports/bot-store.ts";
import { gridText } from "../../../src/venue/decimal.ts";
import {
  bookDifferences,
  botConfig,
  decide,
  findings,
  gateOf,
  holders,
  holding,
  isClear,
  isFound,
  isProtected,
  type LiveSession,
  quietStrategy,
  sessionTest,
  strangerOrders,
  strangerTrades,
} from "./findings-session.ts";

const SHORT_ONLY = quietStrategy({ allow_long: false, allow_short: true });
const RESTING = { side: "BUY", type: "LIMIT", quantity: "0.01", price: "30000" };

/** A second bot on the market, paused: it trades short and holds nothing. */
async function secondBot(s: LiveSession) {
  const bot = await s.addBot({ name: "Second", sides: ["short"], config: botConfig(SHORT_ONLY) });
  await s.until("both are driven", async () => {
    return (await s.bots.find(s.scope, bot.id))?.status === "running";
  });
  await s.bots.wish(s.scope, bot.id, { status: "paused" }, s.clock.now());
  return bot;
}

const namesOf = async (s: LiveSession) =>
  (await findings(s))[0]?.heirs?.map(({ name }) => name ?? "a person");

const orderAt = ({ account }: LiveSession, id: string) => account.orders.get(Number(id))?.status;

const minus = (qty: string | undefined, by: number) => decimal((Number(qty) - by).toFixed(6));

sessionTest("of two bots of the market the one that is named gets it", async (s) => {
  const { bot, worker } = await holding(s);
  const second = await secondBot(s);
  const before = (await holders(s))[`bot:${bot.id}`];
  await strangerTrades(s, "SELL", "0.001");
  await s.until("it is found", isFound(s, /by -0\.001.*as a person's position/));
  expect(await namesOf(s)).toEqual(["a person", "Eager", "Second"]);
  const rest = minus(before, 0.001);
  const decided = await decide(s, "adopt", { heir: bot.id });
  expect(decided).toMatchObject({
    ...{ isRefused: false, outcome: expect.stringContaining("belongs to the bot Eager now") },
    command: { heir: bot.id },
  });
  expect(await holders(s)).toEqual({ [`bot:${bot.id}`]: rest, account: rest });
  await s.until("its stop is as small", isProtected(s, `bot:${bot.id}`, rest));
  await s.until("nothing is found", isClear(s));
  expect((await s.bots.find(s.scope, second.id))?.status).toBe("paused");
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});

sessionTest("a person can be named although a bot could have it", async (s) => {
  const { bot, worker } = await holding(s);
  const before = (await holders(s))[`bot:${bot.id}`];
  await strangerTrades(s, "BUY", "0.01");
  await s.until("it is found", isFound(s, /gives it to the bot Eager/));
  expect(await namesOf(s)).toEqual(["Eager", "a person"]);
  expect(await decide(s, "adopt", { heir: null })).toMatchObject({ isRefused: false });
  expect(await holders(s)).toMatchObject({
    [`bot:${bot.id}`]: before,
    "group:0": decimal("0.01"),
  });
  // What comes next on the market of a person's position is a person's unless a bot is named.
  await strangerTrades(s, "BUY", "0.005");
  await s.until("more is found", isFound(s, /by 0\.005.*as a person's position/));
  expect(await namesOf(s)).toEqual(["a person", "Eager"]);
  await worker.stop();
});

sessionTest("a bot whose sides forbid it, and one that is not there, get nothing", async (s) => {
  const { worker } = await holding(s);
  const second = await secondBot(s);
  await strangerTrades(s, "BUY", "0.01");
  await s.until("it is found", isFound(s, /owners do not agree, by 0\.01\./));
  const before = await holders(s);
  expect(await namesOf(s)).toEqual(["Eager", "a person"]);
  for (const heir of [second.id, 9999 as BotId]) {
    expect(await decide(s, "adopt", { heir })).toMatchObject({
      ...{ isRefused: true, outcome: "It was not taken over: that bot cannot take it over now." },
    });
  }
  expect(await holders(s)).toEqual(before);
  expect(await gateOf(s)).not.toBe(null);
  await worker.stop();
});

sessionTest("an order a person takes over is known, and cancelled when it is wished", async (s) => {
  const { worker } = await holding(s);
  const id = await strangerOrders(s, RESTING);
  await s.until("it is found", isFound(s, /was not placed here/));
  expect(await decide(s, "adopt", { heir: null })).toMatchObject({
    ...{ isRefused: false, outcome: expect.stringContaining("belongs to a person now") },
  });
  await s.until("entries go on", async () => (await gateOf(s)) === null);
  await s.until("it is known", isFound(s, /\(buy 0\.01 at 30000\) is a person's/));
  expect((await findings(s))[0]).toMatchObject({ kind: "known_order", choices: ["cancel"] });
  expect(orderAt(s, id)).toBe("NEW");
  expect(await decide(s, "cancel")).toMatchObject({ isRefused: false });
  expect(orderAt(s, id)).toBe("CANCELLED");
  await s.until("nothing is found", isClear(s));
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});

sessionTest("what an order executes after a person took it over is the person's", async (s) => {
  const { bot, worker } = await holding(s);
  const before = (await holders(s))[`bot:${bot.id}`];
  await strangerOrders(s, { ...RESTING, price: priceBelow(s, 0.0003) });
  await s.until("it is found", isFound(s, /was not placed here|by 0\.01/));
  expect(await decide(s, "adopt", { heir: null })).toMatchObject({ isRefused: false });
  await s.until("it was executed", isFound(s, /0\.01 belong to a person/));
  await s.until("it does not work any more", async () => (await findings(s)).length === 1);
  expect(await holders(s)).toMatchObject({
    [`bot:${bot.id}`]: before,
    "group:0": decimal("0.01"),
  });
  expect(await gateOf(s)).toBe(null);
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});

/** A price a little below the market, on the grid. */
function priceBelow({ venue }: LiveSession, ratio: number): string {
  const [market] = venue.exchange.markets.values();
  if (!market) throw new Error("the venue has no market");
  const ticks = Math.floor(market.markTicks * (1 - ratio));
  return gridText(ticks, market.instrument.price);
}

sessionTest(
  "an order a bot takes over is the bot's: it takes back what it does not want",
  async (s) => {
    const { bot, worker } = await holding(s);
    const before = await holders(s);
    const id = await strangerOrders(s, RESTING);
    await s.until("it is found", isFound(s, /makes it an order of the bot Eager/));
    expect(await decide(s, "adopt", { heir: bot.id })).toMatchObject({ isRefused: false });
    await s.until("nothing is found", isClear(s));
    await s.until("the bot took it back", async () => orderAt(s, id) === "CANCELLED");
    await s.until("entries go on", async () => (await gateOf(s)) === null);
    expect((await s.bots.find(s.scope, bot.id))?.status).toBe("running");
    expect(await holders(s)).toEqual(before);
    await worker.stop();
    expect(await bookDifferences(s)).toEqual([]);
  },
);

sessionTest("a stranger's order is cancelled at the exchange and leaves the list", async (s) => {
  const { worker } = await holding(s);
  const before = await holders(s);
  const id = await strangerOrders(s, RESTING);
  await s.until("it is found", isFound(s, /was not placed here/));
  const decided = await decide(s, "cancel");
  expect(decided).toMatchObject({ isRefused: false, outcome: expect.stringContaining(id) });
  expect(orderAt(s, id)).toBe("CANCELLED");
  await s.until("nothing is found", isClear(s));
  await s.until("entries go on", async () => (await gateOf(s)) === null);
  expect(await holders(s)).toEqual(before);
  const query = { accountId: s.accountId, botId: null, severities: null, beforeId: null };
  const events = await s.bots.events(s.scope, { ...query, limit: 20 });
  expect(events.map(({ kind }) => kind)).toContain("order_cancelled");
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});
