// A stranger trades with the account's own keys: entries wait, a person decides, and whatever was decided the books
// are the exchange's to the last unit and stay so after a restart.
import { expect, test } from "bun:test";
import { createCommandRepository } from "../../../src/adapters/postgres/command-repository.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { BotFigures, FindingView } from "../../../src/model/live-figures.ts";
import { accountFiguresOf } from "../../../src/services/desk/bot-overview.ts";
import {
  botConfig,
  eagerStrategy,
  type LiveSession,
  openSession,
  SYMBOL,
} from "../../support/live-session.ts";
import { signedCall } from "../../venue/lab.ts";

const TIMEOUT_MS = 120_000;
/** Exits that are not reached during a test, and one entry alone. */
const QUIET = {
  exits: { tp_mode: "PCT", tp_pct: 30, sl_pct: 20 },
  general: {
    use_indicator_consensus: false,
    entry_order_style: "market",
    entry_cooldown_min: 0,
    initial_entry_balance_pct: 5,
    max_entries: 1,
  },
};

function sessionTest(name: string, body: (session: LiveSession) => Promise<void>): void {
  test(
    name,
    async () => {
      const session = await openSession();
      try {
        await body(session);
      } finally {
        await session.close();
      }
    },
    TIMEOUT_MS,
  );
}

/** An order of another program with the same keys, on the long leg where there are legs. */
async function strangerTrades({ venue, account }: LiveSession, side: "BUY" | "SELL", qty: string) {
  const order = { symbol: SYMBOL, side, type: "MARKET", quantity: qty };
  const leg = account.mode === "ONE_WAY" ? {} : { positionSide: "LONG" };
  const reply = await signedCall(venue, account, "POST", "/v3/trade/order", { ...order, ...leg });
  expect(reply.status).toBe(200);
}

async function findings({ bots, scope, accountId }: LiveSession): Promise<readonly FindingView[]> {
  const figures = accountFiguresOf(await bots.snapshots(scope, accountId), accountId);
  return figures?.findings ?? [];
}

async function decide(session: LiveSession, choice: FindingView["choices"][number]) {
  const { scope, accountId, clock, database } = session;
  const [finding] = await findings(session);
  if (finding === undefined) throw new Error("nothing is found");
  expect(finding.choices).toContain(choice);
  const commands = createCommandRepository(database.sql);
  const command = { kind: "settle_finding", findingKey: finding.key, choice } as const;
  const wish = { accountId, botId: null, command, actor: "ann@example.org" };
  const asked = await commands.ask(scope, wish, clock.now());
  if (!asked.ok) throw new Error(asked.detail);
  const find = async () => {
    const recent = await commands.recent(scope, { accountId, botId: null, limit: 20 });
    return recent.find(({ id }) => id === asked.value.id);
  };
  await session.until(`${choice} is done`, async () => (await find())?.doneAt != null);
  return await find();
}

const isFound = (session: LiveSession, text: RegExp) => async () =>
  (await findings(session)).some(({ sentence }) => text.test(sentence));

/** Why the comparison keeps the entries of the bot waiting; null when it does not. */
async function gateOf({ bots, scope, accountId }: LiveSession): Promise<string | null> {
  const own = (await bots.snapshots(scope, accountId)).find(({ botId }) => botId !== null);
  const figures = own?.body as BotFigures | undefined;
  const gate = figures?.gates.find(({ key }) => key === "reconciled");
  if (gate === undefined) throw new Error("the bot shows no gates");
  return gate.isOpen ? null : gate.sentence;
}

async function holders({ trading, scope, accountId }: LiveSession) {
  const held = await trading.holdings(scope, accountId);
  return Object.fromEntries(held.map(({ holder, position }) => [holder, position.qty]));
}

/** A bot that holds something with its stop at the exchange. */
async function holding(session: LiveSession) {
  const bot = await session.addBot({ config: botConfig(eagerStrategy(QUIET)) });
  const worker = await session.startWorker();
  const { trading, scope, accountId } = session;
  await session.until("its stop rests", async () => {
    const alive = await trading.aliveIntents(scope, accountId);
    return alive.some((one) => one.purpose === "protective_stop" && one.status === "open");
  });
  return { bot, worker };
}

/** Differences apart from whose an order is: at the exchange the stranger sent it. */
const bookDifferences = async (session: LiveSession) =>
  (await session.differences()).filter((each) => !each.startsWith("trade "));

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
  const { trading, scope, accountId } = s;
  await s.until("its stop covers everything", async () => {
    const alive = await trading.aliveIntents(scope, accountId);
    const stops = alive.filter((one) => one.purpose === "protective_stop" && one.status === "open");
    return stops.length === 1 && stops[0]?.qty === whole;
  });
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
    const { trading, scope, accountId } = s;
    await s.until("its stop is as small", async () => {
      const alive = await trading.aliveIntents(scope, accountId);
      const stops = alive.filter(
        (one) => one.purpose === "protective_stop" && one.status === "open",
      );
      return stops.length === 1 && stops[0]?.qty === rest;
    });
    await s.until("entries go on", async () => (await gateOf(s)) === null);
    await worker.stop();
    expect(await bookDifferences(s)).toEqual([]);
  },
);

sessionTest(
  "a working order of a stranger blocks until it is ignored, and is left alone",
  async (s) => {
    const { worker } = await holding(s);
    const leg = s.account.mode === "ONE_WAY" ? {} : { positionSide: "LONG" };
    const order = { symbol: SYMBOL, side: "BUY", type: "LIMIT", quantity: "0.01", price: "30000" };
    await signedCall(s.venue, s.account, "POST", "/v3/trade/order", { ...order, ...leg });
    await s.until("it is found", isFound(s, /was not placed here/));
    expect((await findings(s))[0]?.choices).toEqual(["ignore"]);
    await s.until("entries wait", async () => (await gateOf(s)) !== null);
    expect(await decide(s, "ignore")).toMatchObject({ isRefused: false });
    await s.until("entries go on", async () => (await gateOf(s)) === null);
    expect((await findings(s)).map(({ choices }) => choices)).toEqual([["heed"]]);
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
