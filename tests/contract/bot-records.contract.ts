// What workers write about bots, in every bot store: the step of a bot in the write-ahead commit, events
// and figures. Part of bots.contract.ts.
import { expect } from "bun:test";
import { decimal } from "../../src/model/decimal.ts";
import type { BotId, Snapshot } from "../../src/ports/bot-store.ts";
import {
  ALL_EVENTS,
  aBot,
  anEvent,
  type BotTest,
  commit,
  leasedBot,
  made,
} from "../support/bots.ts";
import { committed, leased, TTL_MS } from "../support/store-world.ts";
import { anIntent, idOf, START } from "../support/trading.ts";

/** Steps, events and figures. */
export function botRecordsContract(register: BotTest): void {
  steps(register);
  events(register);
  figures(register);
}

function steps(register: BotTest): void {
  register("a step commits its state and events together with the intents", async (world) => {
    const { bots, store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const event = anEvent({ botId: bot.id, kind: "order_withheld" });
    const state = { peak: 101.25, latches: [true, null] };
    const step = { botId: bot.id, seenVersion: 0, state, events: [event] };
    const place = [anIntent({ clientOrderId: idOf(lease, 0) })];
    expect(await commit(world, lease, { place, step })).toMatchObject({ ok: true });
    expect(await bots.state(scope, bot.id)).toEqual({
      ...{ botId: bot.id, version: 1, body: state, updatedAt: START },
    });
    const next = { ...step, seenVersion: 1, state: [], events: [] };
    expect(await commit(world, lease, { step: next })).toEqual({ ok: true, value: [] });
    expect(await bots.state(scope, bot.id)).toMatchObject({ version: 2, body: [] });
    const ofBot = { botId: bot.id, severities: null, beforeId: null, limit: 10 };
    expect(await bots.events(scope, { ...ofBot, accountId: lease.accountId })).toMatchObject([
      { ...event, accountId: lease.accountId, severity: "warning" },
    ]);
    expect(await store.aliveIntents(scope, lease.accountId)).toHaveLength(1);
  });

  register("a step from another state than the stored one leaves nothing", async (world) => {
    const { bots, store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const [parked] = await committed(
      world,
      lease,
      anIntent({ owner: `bot:${bot.id + 1}`, status: "parked" }),
    );
    const attempt = async (botId: BotId, seenVersion: number) => {
      const step = { botId, seenVersion, state: {}, events: [anEvent()] };
      const place = [anIntent({ clientOrderId: idOf(lease, 5) })];
      return await commit(world, lease, { place, withdraw: [parked!.id], step });
    };
    const moved = { ok: false, reason: "state_moved" };
    expect(await attempt(bot.id, 1)).toMatchObject(moved);
    const first = { botId: bot.id, seenVersion: 0, state: {}, events: [] };
    await commit(world, lease, { step: first });
    expect(await attempt(bot.id, 0)).toMatchObject(moved);
    expect(await attempt(bot.id, 2)).toMatchObject(moved);
    const elsewhere = await made(world, aBot(await world.newAccount(), { name: "elsewhere" }));
    expect(await attempt(elsewhere.id, 0)).toMatchObject(moved);
    expect(await bots.remove(scope, bot.id, START)).toMatchObject({ ok: true });
    expect(await attempt(bot.id, 1)).toMatchObject(moved);
    expect(await store.aliveIntents(scope, lease.accountId)).toEqual([parked!]);
    expect(await bots.events(scope, ALL_EVENTS)).toEqual([]);
    expect(await bots.state(scope, elsewhere.id)).toBeNull();
  });

  register("a refused batch takes its step with it", async (world) => {
    const { bots, store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const [used] = await committed(world, lease, anIntent({ clientOrderId: idOf(lease, 0) }));
    const step = { botId: bot.id, seenVersion: 0, state: {}, events: [anEvent()] };
    const seen = await store.epoch(scope);
    const late = { place: [], send: [], step };
    expect(await store.commitIntents(scope, lease, seen + 1, late, START)).toMatchObject({
      reason: "epoch_moved",
    });
    const place = [anIntent({ clientOrderId: idOf(lease, 0) })];
    expect(await commit(world, lease, { place, step })).toMatchObject({ reason: "duplicate_id" });
    const withdraw = [used!.id];
    expect(await commit(world, lease, { withdraw, step })).toMatchObject({ reason: "not_waiting" });
    await store.releaseLease(scope, lease);
    expect(await commit(world, lease, { step })).toMatchObject({ reason: "lease_lost" });
    expect(await bots.state(scope, bot.id)).toBeNull();
    expect(await bots.events(scope, ALL_EVENTS)).toEqual([]);
  });

  register("of steps from one state, committed at once, one is stored", async (world) => {
    const { bots, store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    for (const seenVersion of [0, 1]) {
      const answers = await Promise.all(
        [1, 2, 3, 4].map((n) => {
          const step = { botId: bot.id, seenVersion, state: { n }, events: [anEvent()] };
          const clientOrderId = idOf(lease, seenVersion * 10 + n);
          return commit(world, lease, { place: [anIntent({ clientOrderId })], step });
        }),
      );
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
      const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer.reason]));
      expect(refusals).toEqual(["state_moved", "state_moved", "state_moved"]);
    }
    expect(await bots.state(scope, bot.id)).toMatchObject({ version: 2 });
    expect(await store.aliveIntents(scope, lease.accountId)).toHaveLength(2);
  });

  register("a new holder of the lease goes on from the stored state", async (world) => {
    const { bots, store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const step = { botId: bot.id, seenVersion: 0, state: { peak: 1 }, events: [] };
    await commit(world, lease, { step });
    await store.releaseLease(scope, lease);
    const taken = await store.takeLease(scope, lease.accountId, "worker-2", TTL_MS, false);
    if (!taken.ok) throw new Error(taken.detail);
    const seen = await bots.state(scope, bot.id);
    const next = { ...step, seenVersion: seen!.version, state: { peak: 2 } };
    expect(await commit(world, taken.value, { step: next })).toMatchObject({ ok: true });
    expect(await commit(world, lease, { step: next })).toMatchObject({ reason: "lease_lost" });
    expect(await bots.state(scope, bot.id)).toMatchObject({ version: 2, body: { peak: 2 } });
  });
}

function events(register: BotTest): void {
  register("events come newest first, by account, bot and loudness", async (world) => {
    const { bots, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const other = await leased(world);
    const loud = anEvent({ kind: "order_refused", botId: bot.id, sentence: "loud" });
    const quiet = anEvent({ kind: "order_filled", botId: bot.id, sentence: "quiet" });
    const ofAccount = anEvent({ kind: "reconcile_failed", sentence: "account", at: START - 5 });
    expect(await bots.appendEvents(scope, lease, [loud, quiet])).toBe(true);
    expect(await bots.appendEvents(scope, lease, [ofAccount])).toBe(true);
    expect(await bots.appendEvents(scope, other, [anEvent({ sentence: "other" })])).toBe(true);
    expect(await bots.appendEvents(scope, lease, [])).toBe(true);
    const said = async (query: Partial<Parameters<typeof bots.events>[1]>) =>
      (await bots.events(scope, { ...ALL_EVENTS, ...query })).map(({ sentence }) => sentence);
    expect(await said({})).toEqual(["other", "account", "quiet", "loud"]);
    expect(await said({ accountId: lease.accountId })).toEqual(["account", "quiet", "loud"]);
    expect(await said({ botId: bot.id })).toEqual(["quiet", "loud"]);
    expect(await said({ severities: ["error", "warning"] })).toEqual(["account", "loud"]);
    expect(await said({ limit: 2 })).toEqual(["other", "account"]);
    const [, second] = await bots.events(scope, ALL_EVENTS);
    expect(await said({ beforeId: second!.id })).toEqual(["quiet", "loud"]);
    expect(await bots.events(scope, { ...ALL_EVENTS, severities: ["error"] })).toMatchObject([
      { ...loud, accountId: lease.accountId, severity: "error" },
    ]);
    await expect(bots.events(scope, { ...ALL_EVENTS, limit: 501 })).rejects.toThrow("limit");
  });
}

/** What is read back of a worker that never told that it lives. */
const silent = (snapshot: Snapshot) => ({ ...snapshot, isWorkerAlive: false });

function figures(register: BotTest): void {
  register("the newest snapshot of an account and of each bot is kept", async (world) => {
    const { bots, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const ofBot = { accountId, botId: bot.id, worker: "w1", at: START, body: { price: 1 } };
    const ofAccount = { accountId, botId: null, worker: "w1", at: START, body: { free: "2.50" } };
    await bots.saveFigures(scope, [ofBot, ofAccount], []);
    expect(await bots.snapshots(scope, null)).toEqual([silent(ofAccount), silent(ofBot)]);
    const newer = { ...ofBot, worker: "w2", at: START + 10, body: { price: 2 } };
    await bots.saveFigures(scope, [newer], []);
    await bots.saveFigures(scope, [{ ...ofBot, at: START + 5 }], []);
    expect(await bots.snapshots(scope, accountId)).toEqual([silent(ofAccount), silent(newer)]);
    expect(await bots.snapshots(scope, await world.newAccount())).toEqual([]);
    await bots.saveFigures(scope, [], []);
  });

  register(
    "a worker whose clock was set back shows its figures on, another does not",
    async (world) => {
      const { bots, scope } = world;
      const { bot, lease } = await leasedBot(world);
      const { accountId } = lease;
      const late = {
        accountId,
        botId: bot.id,
        worker: "w1",
        at: START + 3_600_000,
        body: { n: 1 },
      };
      await bots.saveFigures(scope, [late], []);
      await bots.saveFigures(scope, [{ ...late, worker: "w2", at: START, body: { n: 2 } }], []);
      expect(await bots.snapshots(scope, accountId)).toMatchObject([{ body: { n: 1 } }]);
      await bots.saveFigures(scope, [{ ...late, at: START, body: { n: 3 } }], []);
      expect(await bots.snapshots(scope, accountId)).toMatchObject([{ body: { n: 3 } }]);
    },
  );

  register("an equity curve keeps its ends and is thinned evenly between them", async (world) => {
    const { bots, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const samples = [...Array(101).keys()].map((n) => ({
      ...{ accountId, botId: bot.id, at: START + n * 1000, equity: decimal(`${1000 + n}.25`) },
    }));
    const ofAccount = { accountId, botId: null, at: START, equity: decimal("5") };
    await bots.saveFigures(scope, [], [...samples, ofAccount]);
    const again = { ...ofAccount, equity: decimal("6") };
    await bots.saveFigures(scope, [], [again]);
    const curve = (query: { readonly botId: BotId | null; sinceAt: number; limit: number }) =>
      bots.equity(scope, { accountId, ...query });
    expect(await curve({ botId: null, sinceAt: 0, limit: 10 })).toEqual([ofAccount]);
    expect(await curve({ botId: bot.id, sinceAt: 0, limit: 101 })).toEqual(samples);
    expect(await curve({ botId: bot.id, sinceAt: START + 99_000, limit: 2 })).toEqual(
      samples.slice(-2),
    );
    const thin = await curve({ botId: bot.id, sinceAt: 0, limit: 11 });
    expect(thin).toEqual(samples.filter((_, n) => n % 10 === 0));
    const seven = await curve({ botId: bot.id, sinceAt: 0, limit: 7 });
    expect(seven).toHaveLength(7);
    expect([seven[0], seven.at(-1)]).toEqual([samples[0], samples.at(-1)]);
    expect(await curve({ botId: bot.id, sinceAt: 0, limit: 1 })).toEqual(samples.slice(0, 1));
    await expect(curve({ botId: null, sinceAt: 0, limit: 5001 })).rejects.toThrow("limit");
  });
}
