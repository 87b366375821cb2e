// What every bot store must do: definitions, configuration versions, wishes, status and removal here, what
// workers write in bot-records.contract.ts. Run on the simulated store and on real PostgreSQL by
// bot-store.test.ts.
import { expect } from "bun:test";
import { decimal } from "../../src/model/decimal.ts";
import type { BotId } from "../../src/ports/bot-store.ts";
import {
  ALL_EVENTS,
  aBot,
  aConfig,
  anEvent,
  type BotTest,
  commit,
  leasedBot,
  made,
} from "../support/bots.ts";
import { committed, leased } from "../support/store-world.ts";
import { aFill, anIntent, ETH, idOf, START } from "../support/trading.ts";
import { botRecordsContract } from "./bot-records.contract.ts";

const OWNER = "owner@example.org";

/** Everything about bots. */
export function botsContract(register: BotTest): void {
  definitions(register);
  legs(register);
  life(register);
  driven(register);
  removal(register);
  botRecordsContract(register);
}

function definitions(register: BotTest): void {
  register("a bot comes back as it was made, created and paused", async (world) => {
    const { bots, scope } = world;
    const accountId = await world.newAccount();
    const { sides, ...wanted } = aBot(accountId);
    const bot = await made(world, { ...wanted, sides });
    expect(bot).toEqual({
      ...wanted,
      id: bot.id,
      accountName: "Account 1",
      mode: "paper",
      exchangeId: "woox",
      configVersion: 1,
      status: "created",
      desiredStatus: "paused",
      desiredAction: null,
      lastError: null,
      createdAt: START,
      updatedAt: START,
    });
    expect(await bots.find(scope, bot.id)).toEqual(bot);
    expect(await bots.state(scope, bot.id)).toBeNull();
  });

  register("bots are listed by name, of all accounts or of one", async (world) => {
    const { bots, scope } = world;
    const [one, two] = [await world.newAccount(), await world.newAccount()];
    const first = await made(world, aBot(one, { name: "beta" }));
    const second = await made(world, aBot(two, { name: "Alpha" }));
    const third = await made(world, aBot(one, { name: "gamma", symbol: ETH }));
    expect(await bots.list(scope, null)).toEqual([second, first, third]);
    expect(await bots.list(scope, one)).toEqual([first, third]);
  });

  register("a name is taken once, however it is written", async (world) => {
    const { bots, scope } = world;
    const accountId = await world.newAccount();
    const bot = await made(world, aBot(accountId, { name: "First" }));
    const other = aBot(accountId, { name: "FIRST", symbol: ETH });
    expect(await bots.create(scope, other, OWNER, START)).toMatchObject({ reason: "name_taken" });
    const second = await made(world, { ...other, name: "Second" });
    expect(await bots.rename(scope, second.id, "first", START)).toMatchObject({
      reason: "name_taken",
    });
    expect(await bots.rename(scope, bot.id, "first", START + 1)).toMatchObject({
      value: { name: "first", updatedAt: START + 1 },
    });
    expect(await bots.find(scope, second.id)).toEqual(second);
  });

  register("a configuration is changed from the version that was seen", async (world) => {
    const { bots, scope } = world;
    const bot = await made(world, aBot(await world.newAccount()));
    const config = aConfig({ leverage: 5 });
    const change = { seenVersion: 1, config, note: "more leverage" };
    const changed = await bots.changeConfig(scope, bot.id, change, "other@example.org", START + 5);
    expect(changed).toEqual({
      ok: true,
      value: { ...bot, config, configVersion: 2, updatedAt: START + 5 },
    });
    const late = await bots.changeConfig(scope, bot.id, change, OWNER, START + 6);
    expect(late).toMatchObject({ reason: "version_moved" });
    expect(await bots.configVersions(scope, bot.id)).toEqual([
      { version: 2, config, actor: "other@example.org", note: "more leverage", at: START + 5 },
      { version: 1, config: aConfig(), actor: OWNER, note: "", at: START },
    ]);
  });

  register("of two changes that saw one version, one is stored", async (world) => {
    const { bots, scope } = world;
    const bot = await made(world, aBot(await world.newAccount()));
    const change = { seenVersion: 1, config: aConfig(), note: "" };
    const answers = await Promise.all(
      [1, 2, 3].map(() => bots.changeConfig(scope, bot.id, change, OWNER, START)),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await bots.configVersions(scope, bot.id)).toHaveLength(2);
  });

  register("what is not there is refused by name", async (world) => {
    const { bots, scope } = world;
    const accountId = (await world.newAccount()) + 999;
    const wanted = { ...aBot(await world.newAccount()), accountId: accountId as never };
    expect(await bots.create(scope, wanted, OWNER, START)).toMatchObject({
      reason: "unknown_account",
    });
    const none = 999 as BotId;
    const unknown = { ok: false, reason: "unknown_bot" };
    const change = { seenVersion: 1, config: aConfig(), note: "" };
    expect(await bots.rename(scope, none, "x", START)).toMatchObject(unknown);
    expect(await bots.changeConfig(scope, none, change, OWNER, START)).toMatchObject(unknown);
    expect(await bots.wish(scope, none, { status: "running" }, START)).toMatchObject(unknown);
    expect(await bots.remove(scope, none, START)).toMatchObject(unknown);
    expect(await bots.find(scope, none)).toBeNull();
  });
}

function legs(register: BotTest): void {
  register("two bots of an account never trade the same side of a symbol", async (world) => {
    const { bots, scope } = world;
    const [one, two] = [await world.newAccount(), await world.newAccount()];
    await made(world, aBot(one, { name: "long", sides: ["long"] }));
    const rival = (change: Parameters<typeof aBot>[1]) =>
      bots.create(scope, aBot(one, { name: "rival", ...change }), OWNER, START);
    expect(await rival({ sides: ["long"] })).toMatchObject({ reason: "leg_taken" });
    expect(await rival({ sides: ["short", "long"] })).toMatchObject({ reason: "leg_taken" });
    await made(world, aBot(one, { name: "short", sides: ["short"] }));
    await made(world, aBot(one, { name: "other symbol", symbol: ETH, sides: ["long"] }));
    await made(world, aBot(two, { name: "other account", sides: ["long"] }));
    expect(await bots.list(scope, one)).toHaveLength(3);
  });

  register("of rivals made at once, one is there", async (world) => {
    const { bots, scope } = world;
    const accountId = await world.newAccount();
    const answers = await Promise.all(
      ["a", "b", "c", "d"].map((name) =>
        bots.create(scope, aBot(accountId, { name }), OWNER, START),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await bots.list(scope, accountId)).toHaveLength(1);
  });
}

function life(register: BotTest): void {
  register("a wish changes what it names and nothing else", async (world) => {
    const { bots, scope } = world;
    const { id } = await made(world, aBot(await world.newAccount()));
    const wish = (wished: Parameters<typeof bots.wish>[2]) =>
      bots.wish(scope, id, wished, START + 1);
    expect(await wish({ status: "running" })).toMatchObject({
      value: { desiredStatus: "running", desiredAction: null, status: "created" },
    });
    expect(await wish({ action: "flatten" })).toMatchObject({
      value: { desiredStatus: "running", desiredAction: "flatten", updatedAt: START + 1 },
    });
    expect(await wish({ status: "stopped" })).toMatchObject({
      value: { desiredStatus: "stopped", desiredAction: "flatten" },
    });
    expect(await wish({ action: null })).toMatchObject({
      value: { desiredStatus: "stopped", desiredAction: null },
    });
  });

  register("a worker tells the status and clears what it carried out", async (world) => {
    const { bots, scope } = world;
    const { bot, lease } = await leasedBot(world);
    await bots.wish(scope, bot.id, { status: "running", action: "flatten" }, START);
    const tell = (change: Parameters<typeof bots.setStatus>[3]) =>
      bots.setStatus(scope, lease, bot.id, change, START + 7);
    const running = { status: "running", lastError: null, clearsAction: false } as const;
    expect(await tell(running)).toBe(true);
    expect(await bots.find(scope, bot.id)).toMatchObject({
      ...{ status: "running", desiredStatus: "running", desiredAction: "flatten" },
      updatedAt: START + 7,
    });
    const paused = { status: "paused", lastError: null, clearsAction: true } as const;
    expect(await tell({ ...paused, desiredStatus: "paused" })).toBe(true);
    expect(await bots.find(scope, bot.id)).toMatchObject({
      ...{ status: "paused", desiredStatus: "paused", desiredAction: null },
    });
    const failed = { status: "error", lastError: "No candles.", clearsAction: false } as const;
    expect(await tell(failed)).toBe(true);
    expect(await bots.find(scope, bot.id)).toMatchObject({ lastError: "No candles." });
  });

  register("an error has its sentence, and nothing else has one", async (world) => {
    const { bots, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const tell = (status: "error" | "running", lastError: string | null) =>
      bots.setStatus(scope, lease, bot.id, { status, lastError, clearsAction: false }, START);
    await expect(tell("error", null)).rejects.toThrow();
    await expect(tell("running", "No candles.")).rejects.toThrow();
    expect(await bots.find(scope, bot.id)).toEqual(bot);
  });

  register("a worker without the lease changes no status and adds no event", async (world) => {
    const { bots, store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const other = await leased(world);
    await store.releaseLease(scope, lease);
    const change = { status: "running", lastError: null, clearsAction: true } as const;
    expect(await bots.setStatus(scope, lease, bot.id, change, START)).toBe(false);
    expect(await bots.appendEvents(scope, lease, [anEvent({ botId: bot.id })])).toBe(false);
    await expect(bots.setStatus(scope, other, bot.id, change, START)).rejects.toThrow("no bot");
    expect(await bots.find(scope, bot.id)).toEqual(bot);
    expect(await bots.events(scope, ALL_EVENTS)).toEqual([]);
  });
}

function driven(register: BotTest): void {
  register("an account is driven while one of its bots is on or has a wish", async (world) => {
    const { bots, scope } = world;
    const { bot, lease } = await leasedBot(world);
    await made(world, aBot(await world.newAccount(), { name: "at rest" }));
    const { accountId } = lease;
    const isDriven = async () => {
      const all = await bots.tradedAccounts();
      expect([[], [{ workspaceId: scope.workspaceId, accountId }]]).toContainEqual([...all]);
      return all.length === 1;
    };
    const tell = (status: "running" | "paused" | "stopped" | "error") => {
      const lastError = status === "error" ? "No candles." : null;
      const change = { status, lastError, clearsAction: true };
      return bots.setStatus(scope, lease, bot.id, change, START);
    };
    const wish = (wished: Parameters<typeof bots.wish>[2]) =>
      bots.wish(scope, bot.id, wished, START);
    expect(await isDriven()).toBe(false);
    await wish({ status: "running" });
    expect(await isDriven()).toBe(true);
    await tell("running");
    await wish({ status: "stopped" });
    expect(await isDriven()).toBe(true);
    await tell("paused");
    expect(await isDriven()).toBe(true);
    await tell("stopped");
    expect(await isDriven()).toBe(false);
    await wish({ action: "flatten" });
    expect(await isDriven()).toBe(true);
    await tell("error");
    await wish({ status: "paused" });
    expect(await isDriven()).toBe(true);
    await wish({ status: "running" });
    expect(await isDriven()).toBe(true);
    await tell("stopped");
    await bots.remove(scope, bot.id, START);
    expect(await isDriven()).toBe(false);
  });

  register("two driven bots of an account are one account to drive", async (world) => {
    const { bots, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const second = await made(world, aBot(lease.accountId, { name: "Second", symbol: ETH }));
    for (const { id } of [bot, second]) await bots.wish(scope, id, { status: "running" }, START);
    expect(await bots.tradedAccounts()).toHaveLength(1);
  });
}

function removal(register: BotTest): void {
  register("a removed bot is gone and gives name and side free", async (world) => {
    const { bots, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const step = { botId: bot.id, seenVersion: 0, state: {}, events: [] };
    expect(await commit(world, lease, { step })).toMatchObject({ ok: true });
    const snapshot = { accountId: lease.accountId, botId: bot.id, worker: "w", at: 1, body: {} };
    await bots.saveFigures(scope, [snapshot], []);
    expect(await bots.remove(scope, bot.id, START)).toEqual({ ok: true, value: null });
    expect(await bots.find(scope, bot.id)).toBeNull();
    expect(await bots.list(scope, null)).toEqual([]);
    expect(await bots.state(scope, bot.id)).toBeNull();
    expect(await bots.configVersions(scope, bot.id)).toEqual([]);
    expect(await bots.snapshots(scope, null)).toEqual([]);
    expect(await bots.remove(scope, bot.id, START)).toMatchObject({ reason: "unknown_bot" });
    const again = await made(world, aBot(lease.accountId));
    expect(again.id).toBeGreaterThan(bot.id);
  });

  register("a bot that runs is not removed", async (world) => {
    const { bots, scope } = world;
    const { bot, lease } = await leasedBot(world);
    for (const status of ["running", "paused"] as const) {
      const change = { status, lastError: null, clearsAction: false };
      await bots.setStatus(scope, lease, bot.id, change, START);
      expect(await bots.remove(scope, bot.id, START)).toMatchObject({ reason: "not_stopped" });
    }
    const stopped = { status: "stopped", lastError: null, clearsAction: false } as const;
    await bots.setStatus(scope, lease, bot.id, stopped, START);
    expect(await bots.remove(scope, bot.id, START)).toMatchObject({ ok: true });
  });

  register("a bot with an order or a position is not removed", async (world) => {
    const { bots, store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const owner = `bot:${bot.id}` as const;
    const order = anIntent({ owner, clientOrderId: idOf(lease, 0), qty: decimal("1") });
    const foreign = anIntent({ owner: `bot:${bot.id + 1}`, clientOrderId: idOf(lease, 1) });
    const [intent] = await committed(world, lease, order, foreign);
    const remove = () => bots.remove(scope, bot.id, START);
    expect(await remove()).toMatchObject({ reason: "not_stopped" });
    const news = { event: "accepted", exchangeOrderId: "x1" } as const;
    await store.recordNews(scope, lease, intent!.id, news, START);
    await store.recordFill(scope, lease, aFill());
    expect(await remove()).toMatchObject({ reason: "not_stopped" });
    const close = anIntent({
      ...{ owner, clientOrderId: idOf(lease, 2), side: "sell", qty: decimal("1") },
      ...{ purpose: "exit", isReduceOnly: true },
    });
    const [exit] = await committed(world, lease, close);
    const known = { event: "accepted", exchangeOrderId: "x2" } as const;
    await store.recordNews(scope, lease, exit!.id, known, START);
    const fill = aFill({ tradeId: "2", exchangeOrderId: "x2", side: "sell", at: START + 2000 });
    await store.recordFill(scope, lease, fill);
    expect(await remove()).toEqual({ ok: true, value: null });
  });
}
