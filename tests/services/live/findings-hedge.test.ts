// Findings on an account that keeps long and short apart: a difference names its leg, whatever is decided concerns that
// leg alone, and nobody is given a reduction of more than he holds there.
import { expect } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import {
  bookDifferences,
  decide,
  findings,
  gateOf,
  holders,
  holding,
  isClear,
  isFound,
  isProtected,
  type LiveSession,
  sessionTest,
  strangerOrders,
  strangerTrades,
  SYMBOL,
} from "./findings-session.ts";

function hedgeTest(name: string, body: (session: LiveSession) => Promise<void>): void {
  sessionTest(name, body, "HEDGE_MODE");
}

/** What the exchange itself holds, by leg. */
function legsAt({ account }: LiveSession): Record<string, number> {
  const held = [...account.legs.values()].filter(({ lots }) => lots !== 0);
  return Object.fromEntries(held.map(({ side, lots }) => [side, lots]));
}

hedgeTest("closing what is on one leg leaves the other one alone", async (s) => {
  const { bot, worker } = await holding(s);
  const owner = `long bot:${bot.id}`;
  const before = await holders(s);
  const { LONG } = legsAt(s);
  await strangerTrades(s, "SELL", "0.01", "SHORT");
  await s.until(
    "it names its leg",
    isFound(s, new RegExp(`^${SYMBOL} short: .*owners do not agree, by -0\\.01`)),
  );
  const [found] = await findings(s);
  expect(found?.choices).toEqual(["adopt", "ignore", "flatten"]);
  expect(found?.heirs).toEqual([{ botId: null, name: null }]);
  await s.until("entries wait", async () => (await gateOf(s)) !== null);
  expect(await decide(s, "flatten")).toMatchObject({
    ...{ isRefused: false, outcome: `${SYMBOL} short: what was found is closed.` },
  });
  expect(legsAt(s)).toEqual({ LONG: LONG ?? 0 });
  expect(await holders(s)).toEqual(before);
  await s.until("nothing is found", isClear(s));
  await s.until(
    "its stop still rests",
    isProtected(s, `bot:${bot.id}`, decimal(before[owner] ?? 0)),
  );
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});

hedgeTest("taking over one leg leaves the difference of the other one", async (s) => {
  const { bot, worker } = await holding(s);
  const [owner, account] = [`long bot:${bot.id}`, "long account"];
  const before = Number((await holders(s))[owner]);
  await strangerTrades(s, "SELL", "0.02", "SHORT");
  await strangerTrades(s, "BUY", "0.01", "LONG");
  await s.until("the short one is found", isFound(s, /short: .*owners do not agree, by -0\.02/));
  await s.until("the long one is found", isFound(s, /long: .*owners do not agree, by 0\.01/));
  const about = /long: /;
  expect(await decide(s, "adopt", { heir: bot.id, about })).toMatchObject({
    ...{
      isRefused: false,
      outcome: `It was taken over: 0.01 ${SYMBOL} long belongs to the bot Eager now.`,
    },
  });
  const whole = decimal((before + 0.01).toFixed(6));
  expect(await holders(s)).toMatchObject({ [owner]: whole, [account]: whole });
  await s.until("its stop covers it", isProtected(s, `bot:${bot.id}`, whole));
  await s.until("one is left", async () => (await findings(s)).length === 1);
  expect(await isFound(s, /short: .*owners do not agree, by -0\.02/)()).toBe(true);
  expect(await gateOf(s)).not.toBe(null);
  expect(await decide(s, "adopt", { heir: null })).toMatchObject({ isRefused: false });
  expect(await holders(s)).toMatchObject({ [owner]: whole, "short group:0": decimal("0.02") });
  await s.until("it is known", isFound(s, /short: -0\.02 belong to a person/));
  await s.until("entries go on", async () => (await gateOf(s)) === null);
  expect(await decide(s, "flatten")).toMatchObject({ isRefused: false });
  expect(await holders(s)).toEqual({ [owner]: whole, [account]: whole });
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});

hedgeTest("what is taken from a leg is taken from whoever holds it there", async (s) => {
  const { bot, worker } = await holding(s);
  const before = Number((await holders(s))[`long bot:${bot.id}`]);
  await strangerTrades(s, "SELL", "0.001", "LONG");
  await s.until("it is found", isFound(s, /long: .*owners do not agree, by -0\.001/));
  const [found] = await findings(s);
  expect([found?.choices, found?.heirs]).toEqual([
    ["adopt", "ignore"],
    [{ botId: bot.id, name: "Eager" }],
  ]);
  expect(await decide(s, "adopt", { heir: null })).toMatchObject({ isRefused: true });
  expect(await decide(s, "adopt")).toMatchObject({ isRefused: false });
  const rest = decimal((before - 0.001).toFixed(6));
  expect(await holders(s)).toEqual({ [`long bot:${bot.id}`]: rest, "long account": rest });
  await s.until("its stop is as small", isProtected(s, `bot:${bot.id}`, rest));
  await s.until("nothing is found", isClear(s));
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});

hedgeTest("an order on one leg does not keep the other one from being closed", async (s) => {
  const { worker } = await holding(s);
  const resting = { side: "BUY", type: "LIMIT", quantity: "0.01", price: "30000" };
  await strangerOrders(s, resting, "LONG");
  await strangerTrades(s, "SELL", "0.01", "SHORT");
  await s.until("the order is found", isFound(s, /\(buy 0\.01 long at 30000\)/));
  await s.until("the leg is found", isFound(s, /short: .*owners do not agree, by -0\.01/));
  expect(await decide(s, "flatten", { about: /short: / })).toMatchObject({ isRefused: false });
  expect(legsAt(s)).not.toHaveProperty("SHORT");
  expect(await decide(s, "cancel", { about: /was not placed here/ })).toMatchObject({
    isRefused: false,
  });
  await s.until("nothing is found", isClear(s));
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});
