// Bots on a whole live side by a fast clock: they trade, and whatever is done to them in between, the books end
// up equal to the exchange's to the last unit.
import { expect, test } from "bun:test";
import { createCommandRepository } from "../../../src/adapters/postgres/command-repository.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { Bot } from "../../../src/ports/bot-store.ts";
import type { Command } from "../../../src/ports/command-store.ts";
import {
  botConfig,
  eagerStrategy,
  type LiveSession,
  openSession,
  SYMBOL,
} from "../../support/live-session.ts";

const TIMEOUT_MS = 120_000;
/** Exits that are not reached during a test. */
const FAR_EXITS = { tp_mode: "PCT", tp_pct: 8, sl_pct: 5 };

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

const fillsOf = ({ trading, scope, accountId }: LiveSession) =>
  trading.fills(scope, accountId, SYMBOL);

const kindsOf = async ({ bots, scope, accountId }: LiveSession) => {
  const query = { accountId, botId: null, severities: null, beforeId: null, limit: 500 };
  return (await bots.events(scope, query)).map(({ kind }) => kind);
};

async function statusOf({ bots, scope }: LiveSession, { id }: Bot) {
  return (await bots.find(scope, id))?.status;
}

sessionTest(
  "a bot opens, protects, takes its profit and opens again, and the books agree",
  async (session) => {
    const bot = await session.addBot();
    const worker = await session.startWorker();
    const { trading, scope, accountId } = session;
    await session.until(
      "two cycles are closed",
      async () => {
        const cycles = await trading.cycles(scope, accountId, 10);
        return cycles.filter(({ closedAt }) => closedAt !== null).length >= 2;
      },
      3 * 3_600_000,
    );
    await session.bots.wish(scope, bot.id, { action: "flatten" }, session.clock.now());
    await session.until("it is paused", async () => (await statusOf(session, bot)) === "paused");
    await worker.stop();
    expect(await session.differences()).toEqual([]);
    const owners = new Set((await fillsOf(session)).map(({ owner }) => owner));
    expect([...owners]).toEqual([`bot:${bot.id}`]);
    expect(await kindsOf(session)).toContain("flatten_completed");
    for (const botId of [bot.id, null]) {
      const curve = { accountId, botId, sinceAt: 0, limit: 100 };
      expect((await session.bots.equity(scope, curve)).length).toBeGreaterThan(1);
    }
  },
);

sessionTest(
  "killed at any moment and started again, nothing is doubled and nothing lost",
  async (session) => {
    const bot = await session.addBot();
    const { trading, scope, accountId, clock } = session;
    for (let life = 0; life < 6; life++) {
      const worker = await session.startWorker();
      await clock.sleep(70_000 + life * 37_000);
      await worker.kill();
      // The lease of the killed one ends with its lock.
      await clock.sleep(5_000);
    }
    const last = await session.startWorker();
    await session.until("something was traded", async () => (await fillsOf(session)).length > 1);
    await session.bots.wish(scope, bot.id, { action: "flatten" }, clock.now());
    await session.until("it is paused", async () => (await statusOf(session, bot)) === "paused");
    await session.until("no order is in doubt", async () => {
      const alive = await trading.aliveIntents(scope, accountId);
      return alive.every(({ status }) => status !== "unverified" && status !== "sending");
    });
    await last.stop();
    expect(await session.differences()).toEqual([]);
  },
);

sessionTest(
  "a bot that is paused opens nothing, keeps guarding, and goes on when asked",
  async (session) => {
    const bot = await session.addBot();
    const { trading, scope, accountId, clock, bots } = session;
    const worker = await session.startWorker();
    const holds = async () => (await trading.holdings(scope, accountId)).length > 0;
    await session.until("it holds something", holds);
    await bots.wish(scope, bot.id, { status: "paused" }, clock.now());
    await session.until("it is paused", async () => (await statusOf(session, bot)) === "paused");
    const alive = await trading.aliveIntents(scope, accountId);
    expect(alive.map(({ purpose }) => purpose).sort()).toEqual(["protective_stop", "take_profit"]);
    await bots.wish(scope, bot.id, { status: "running" }, clock.now());
    await session.until("it runs", async () => (await statusOf(session, bot)) === "running");
    await bots.wish(scope, bot.id, { status: "stopped" }, clock.now());
    await session.until("it stopped", async () => (await statusOf(session, bot)) === "stopped");
    const left = await trading.aliveIntents(scope, accountId);
    expect(left.every(({ purpose }) => purpose === "protective_stop")).toBe(true);
    await worker.stop();
  },
);

sessionTest(
  "a position whose stop is refused again and again is told once, and guarded when it can be",
  async (session) => {
    const { exchange } = session.venue;
    exchange.faults.arm({ name: "rate_429", match: { endpoint: "POST trade/algoOrder" } });
    await session.addBot({ config: botConfig(eagerStrategy({ exits: FAR_EXITS })) });
    const worker = await session.startWorker();
    const told = async () =>
      (await kindsOf(session)).filter((kind) => kind === "position_unprotected").length;
    await session.until("it is told", async () => (await told()) > 0, 2 * 3_600_000);
    exchange.faults.clear();
    const { trading, scope, accountId } = session;
    await session.until("it is guarded", async () => {
      const alive = await trading.aliveIntents(scope, accountId);
      return alive.some(({ purpose, status }) => purpose === "protective_stop" && status === "open");
    });
    expect(await told()).toBe(1);
    await worker.stop();
  },
);

sessionTest(
  "a kill switch takes entries back and keeps the stop, within a second",
  async (session) => {
    await session.addBot();
    const { trading, scope, accountId, clock, control } = session;
    const worker = await session.startWorker();
    const holds = async () => (await trading.holdings(scope, accountId)).length > 0;
    await session.until("it holds something", holds);
    await session.until("its ladder rests", async () => {
      const alive = await trading.aliveIntents(scope, accountId);
      return alive.some(({ purpose }) => purpose === "rung");
    });
    const change = { scope: { kind: "global" }, state: "halted", reason: "a test", actor: "ann" };
    await control.setStates(scope, [change as never], clock.now());
    await session.until("no entry rests", async () => {
      const alive = await trading.aliveIntents(scope, accountId);
      return alive.every(({ purpose }) => purpose !== "rung" && purpose !== "entry");
    });
    const alive = await trading.aliveIntents(scope, accountId);
    expect(alive.some(({ purpose }) => purpose === "protective_stop")).toBe(true);
    await worker.stop();
  },
);

sessionTest(
  "what a person asks of a running bot is carried out once, with its outcome",
  async (session) => {
    const bot = await session.addBot({ config: botConfig(eagerStrategy({ exits: FAR_EXITS })) });
    const { trading, scope, accountId, clock, database } = session;
    const commands = createCommandRepository(database.sql);
    const worker = await session.startWorker();
    const stopOf = async () =>
      (await trading.aliveIntents(scope, accountId)).find(({ purpose, status }) => {
        return purpose === "protective_stop" && status === "open";
      });
    const qtyHeld = async () =>
      (await trading.holdings(scope, accountId)).find(({ holder }) => holder === `bot:${bot.id}`);
    const ask = async (command: Command) => {
      const asked = await commands.ask(
        scope,
        { accountId, botId: bot.id, command, actor: "ann" },
        clock.now(),
      );
      if (!asked.ok) throw new Error(asked.detail);
      const find = async () => {
        const recent = await commands.recent(scope, { accountId, botId: bot.id, limit: 20 });
        return recent.find(({ id }) => id === asked.value.id && asked.value.doneAt !== undefined);
      };
      await session.until(`${command.kind} is done`, async () => (await find())?.doneAt != null);
      return await find();
    };
    await session.until("its stop rests", async () => (await stopOf()) !== undefined);
    const before = (await stopOf())?.terms;
    if (before?.kind !== "trigger") throw new Error("a stop is a trigger");
    const looser = decimal(String(Number(before.triggerPrice) - 100));
    expect(await ask({ kind: "move_stop", price: looser, mayLoosen: false })).toMatchObject({
      isRefused: true,
    });
    const safer = decimal(String(Number(before.triggerPrice) + 50));
    expect(await ask({ kind: "move_stop", price: safer, mayLoosen: false })).toMatchObject({
      isRefused: false,
    });
    await session.until("the stop rests at its new price", async () => {
      const terms = (await stopOf())?.terms;
      return terms?.kind === "trigger" && Number(terms.triggerPrice) === Number(safer);
    });
    expect(await ask({ kind: "close_part", pct: 50 })).toMatchObject({ isRefused: false });
    // What is held may grow meanwhile: a rung may be executed.
    await session.until("a part was closed", async () => {
      const recent = await trading.recentIntents(scope, accountId, { owner: null, limit: 100 });
      return recent.some(
        ({ targetKey, filledQty }) => targetKey === "close_part" && filledQty !== "0",
      );
    });
    await session.until("the stop is as large as what is held", async () => {
      const stop = await stopOf();
      return stop !== undefined && stop.qty === (await qtyHeld())?.position.qty;
    });
    await worker.stop();
    expect(await session.differences()).toEqual([]);
  },
);
