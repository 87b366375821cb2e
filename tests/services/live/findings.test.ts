// A stranger trades with the account's own keys: entries wait, a person decides, and whatever was decided the books
// are the exchange's to the last unit and stay so after a restart.
import { expect } from "bun:test";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { decimal } from "../../../src/model/decimal.ts";
import {
  bookDifferences,
  decide,
  findings,
  gateOf,
  holders,
  holding,
  isFound,
  isProtected,
  sessionTest,
  strangerOrders,
  strangerTrades,
} from "./findings-session.ts";

sessionTest("what is ignored lets entries go on, over a restart, until it changes", async (s) => {
  const { worker } = await holding(s);
  await strangerTrades(s, "BUY", "0.01");
  await s.until("it is found", isFound(s, /its owners do not agree, by 0\.01/));
  await s.until("entries wait", async () => (await gateOf(s)) !== null);
  expect((await findings(s))[0]?.choices).toEqual(["adopt", "ignore", "flatten"]);
  expect(await decide(s, "ignore")).toMatchObject({ isRefused: false });
  await s.until("entries go on", async () => (await gateOf(s)) === null);
  await s.until("it says who", isFound(s, /Ignored by ann@example\.org since 2026-01-05/));
  await worker.stop();
  const next = await s.startWorker();
  const restartedAt = s.clock.now();
  await s.until("it is shown again", async () => {
    const shown = (await s.bots.snapshots(s.scope, s.accountId)).every(
      (one) => one.at > restartedAt,
    );
    return shown && (await isFound(s, /Ignored by ann/)());
  });
  expect(await gateOf(s)).toBe(null);
  await strangerTrades(s, "BUY", "0.005");
  await s.until("it blocks again", isFound(s, /its owners do not agree, by 0\.015(?!.*Ignored)/));
  await s.until("entries wait again", async () => (await gateOf(s)) !== null);
  expect(await decide(s, "ignore")).toMatchObject({ isRefused: false });
  await s.until("entries go on again", async () => (await gateOf(s)) === null);
  expect(await decide(s, "heed")).toMatchObject({ isRefused: false });
  await s.until("entries wait once more", async () => (await gateOf(s)) !== null);
  await next.stop();
});

sessionTest("what is closed is gone at the exchange, and the bot keeps its own", async (s) => {
  const { bot, worker } = await holding(s);
  const before = (await holders(s))[`bot:${bot.id}`];
  await strangerTrades(s, "BUY", "0.01");
  await s.until("it is found", isFound(s, /its owners do not agree, by 0\.01/));
  expect(await decide(s, "flatten")).toMatchObject({ isRefused: false });
  await s.until("nothing is found", async () => (await findings(s)).length === 0);
  await s.until("entries go on", async () => (await gateOf(s)) === null);
  expect(await holders(s)).toEqual({ [`bot:${bot.id}`]: before, account: before } as never);
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});

sessionTest("what is taken over by the only bot of the market is protected with it", async (s) => {
  const { bot, worker } = await holding(s);
  const before = Number((await holders(s))[`bot:${bot.id}`]);
  await strangerTrades(s, "BUY", "0.01");
  await s.until("it is found", isFound(s, /gives it to the bot Eager/));
  expect(await decide(s, "adopt")).toMatchObject({ isRefused: false });
  const whole = decimal((before + 0.01).toFixed(6));
  expect(await holders(s)).toEqual({ [`bot:${bot.id}`]: whole, account: whole } as never);
  await s.until("its stop covers everything", isProtected(s, `bot:${bot.id}`, whole));
  await s.until("nothing is found", async () => (await findings(s)).length === 0);
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});

sessionTest("what no bot can hold becomes a person's, and can be closed later", async (s) => {
  const { bot, worker } = await holding(s);
  const other = await s.addBot({ name: "Second", sides: ["short"] });
  await s.until("both are driven", async () => {
    return (await s.bots.find(s.scope, other.id))?.status === "running";
  });
  await s.bots.wish(s.scope, bot.id, { status: "paused" }, s.clock.now());
  await s.bots.wish(s.scope, other.id, { status: "paused" }, s.clock.now());
  await strangerTrades(s, "BUY", "0.01");
  await s.until("it is found", isFound(s, /as a person's position/));
  expect(await decide(s, "adopt")).toMatchObject({ isRefused: false });
  expect((await holders(s))["group:0"]).toBe(decimal("0.01"));
  await s.until("it is known", isFound(s, /0\.01 belong to a person/));
  expect((await findings(s))[0]?.choices).toEqual(["flatten"]);
  expect(await decide(s, "flatten")).toMatchObject({ isRefused: false });
  await s.until("nothing is found", async () => (await findings(s)).length === 0);
  expect((await holders(s))["group:0"]).toBeUndefined();
  await worker.stop();
  expect(await bookDifferences(s)).toEqual([]);
});

sessionTest(
  "what a person closed by hand is taken from the bot, and nothing is sent",
  async (s) => {
    const { bot, worker } = await holding(s);
    const before = Number((await holders(s))[`bot:${bot.id}`]);
    await strangerTrades(s, "SELL", "0.001");
    await s.until("it is found", isFound(s, /its owners do not agree, by -0\.001/));
    // An order that closes it would enlarge what the account holds.
    expect((await findings(s))[0]?.choices).toEqual(["adopt", "ignore"]);
    expect(await decide(s, "adopt")).toMatchObject({ isRefused: false });
    const rest = decimal((before - 0.001).toFixed(6));
    expect(await holders(s)).toEqual({ [`bot:${bot.id}`]: rest, account: rest } as never);
    await s.until("its stop is as small", isProtected(s, `bot:${bot.id}`, rest));
    await s.until("entries go on", async () => (await gateOf(s)) === null);
    await worker.stop();
    expect(await bookDifferences(s)).toEqual([]);
  },
);

sessionTest(
  "a working order of a stranger blocks until it is ignored, and is left alone",
  async (s) => {
    const { worker } = await holding(s);
    const order = { side: "BUY", type: "LIMIT", quantity: "0.01", price: "30000" };
    const id = await strangerOrders(s, order);
    await s.until("it is found", isFound(s, /\(buy 0\.01 at 30000\) was not placed here/));
    expect((await findings(s))[0]?.choices).toEqual(["adopt", "ignore", "cancel"]);
    await s.until("entries wait", async () => (await gateOf(s)) !== null);
    expect(await decide(s, "ignore")).toMatchObject({ isRefused: false });
    await s.until("entries go on", async () => (await gateOf(s)) === null);
    expect((await findings(s)).map(({ choices }) => choices)).toEqual([
      ["adopt", "heed", "cancel"],
    ]);
    expect(s.account.orders.get(Number(id))?.status).toBe("NEW");
    await worker.stop();
  },
);

sessionTest("an unreadable list of what is ignored blocks, and the bot goes on", async (s) => {
  const settings = createSettingsRepository(s.database.sql);
  const key = `account_ignored.${s.accountId}`;
  await settings.write(s.scope, { key, value: { format: 9 } }, s.clock.now());
  const { worker } = await holding(s);
  await strangerTrades(s, "BUY", "0.01");
  await s.until("it is found", isFound(s, /its owners do not agree, by 0\.01/));
  await s.until("entries wait", async () => (await gateOf(s)) !== null);
  expect(await decide(s, "ignore")).toMatchObject({ isRefused: true });
  await worker.stop();
});
