// What every command store must do: a command is asked once, taken by the holder of the lease alone,
// finished once, and over when nobody took it. Run on the simulated store and on real PostgreSQL by
// command-store.test.ts.
import { expect } from "bun:test";
import { decimal } from "../../src/model/decimal.ts";
import type { BotId } from "../../src/ports/bot-store.ts";
import type { Bus } from "../../src/ports/bus.ts";
import type { Command, CommandStore } from "../../src/ports/command-store.ts";
import type { IntentId } from "../../src/ports/trading-store.ts";
import { aBot, type BotWorld, leasedBot, made } from "../support/bots.ts";
import { leased, TTL_MS } from "../support/store-world.ts";
import { ETH, START } from "../support/trading.ts";

/** A workspace with bots that can be asked for something. */
export type CommandWorld = BotWorld & { readonly commands: CommandStore; readonly bus: Bus };

/** Registers one test of a command store. */
export type CommandTest = (name: string, body: (world: CommandWorld) => Promise<void>) => void;

const ACTOR = "trader@example.org";
const EVERY: readonly Command[] = [
  { kind: "close_part", pct: 25.5 },
  { kind: "move_stop", price: decimal("99.50000000000000001"), mayLoosen: false },
  { kind: "skip_rung" },
  { kind: "cancel_order", intentId: 7 as IntentId },
  { kind: "settle_finding", findingKey: "drift:BTC", choice: "adopt" },
  { kind: "clear_error" },
];
const SKIP: Command = { kind: "skip_rung" };
const DONE = { outcome: "The rung at 95.5 is left out.", isRefused: false };

/** Everything about commands. */
export function commandsContract(register: CommandTest): void {
  asking(register);
  taking(register);
}

function asking(register: CommandTest): void {
  register("commands of every kind wait as they were asked, oldest first", async (world) => {
    const { commands, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    for (const command of EVERY) {
      const asked = { accountId, botId: bot.id, command, actor: ACTOR };
      const stored = await commands.ask(scope, asked, START);
      expect(stored).toMatchObject({
        ok: true,
        value: { ...asked, at: START, doneAt: null, outcome: null, isRefused: false },
      });
    }
    const waiting = await commands.waiting(scope, lease, START + 1);
    expect(waiting.map(({ command }) => command)).toEqual([...EVERY]);
    const recent = await commands.recent(scope, { accountId, botId: bot.id, limit: 100 });
    expect(recent).toEqual(waiting.toReversed());
  });

  register("a command to the account itself names no bot", async (world) => {
    const { commands, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const asked = { accountId, botId: null, command: SKIP, actor: ACTOR };
    expect(await commands.ask(scope, asked, START)).toMatchObject({ value: asked });
    expect(await commands.recent(scope, { accountId, botId: bot.id, limit: 5 })).toEqual([]);
    expect(await commands.recent(scope, { accountId, botId: null, limit: 5 })).toHaveLength(1);
  });

  register("an account or bot that is not there is asked for nothing", async (world) => {
    const { commands, bots, scope, stranger } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const other = await world.newAccount();
    const asked = { accountId, botId: bot.id, command: SKIP, actor: ACTOR };
    const unknown = { ok: false, reason: "unknown_account" };
    expect(await commands.ask(stranger, asked, START)).toMatchObject(unknown);
    const elsewhere = { ...asked, accountId: other };
    const noBot = { ok: false, reason: "unknown_bot" };
    expect(await commands.ask(scope, elsewhere, START)).toMatchObject(noBot);
    const nobody = { ...asked, botId: (bot.id + 1) as BotId };
    expect(await commands.ask(scope, nobody, START)).toMatchObject(noBot);
    await bots.remove(scope, bot.id, START);
    expect(await commands.ask(scope, asked, START)).toMatchObject(noBot);
    expect(await commands.recent(scope, { accountId, botId: null, limit: 5 })).toEqual([]);
  });

  register("twenty commands of an account may wait, of each account", async (world) => {
    const { commands, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const asked = { accountId, botId: bot.id, command: SKIP, actor: ACTOR };
    const answers = await Promise.all(
      Array.from({ length: 22 }, () => commands.ask(scope, asked, START)),
    );
    const refused = answers.filter(({ ok }) => !ok);
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ reason: "too_many" });
    const other = await made(world, aBot(await world.newAccount(), { name: "B", symbol: ETH }));
    const elsewhere = { ...asked, accountId: other.accountId, botId: other.id };
    expect(await commands.ask(scope, elsewhere, START)).toMatchObject({ ok: true });
    // What is over takes no place any more, also while no worker looks.
    expect(await commands.ask(scope, asked, START + 60_000)).toMatchObject({ ok: true });
  });

  register("asking wakes whoever drives the bot", async (world) => {
    const { commands, bus, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const heard: (string | null)[] = [];
    const both = Promise.withResolvers<void>();
    const note = (payload: string | null) => {
      if (payload !== null) heard.push(payload);
      if (heard.length === 2) both.resolve();
    };
    const stops = [await bus.listen("bots", note), await bus.listen("accounts", note)];
    const asked = { accountId, command: SKIP, actor: ACTOR };
    await commands.ask(scope, { ...asked, botId: bot.id }, START);
    await commands.ask(scope, { ...asked, botId: null }, START);
    await both.promise;
    expect(heard.sort()).toEqual([String(bot.id), String(accountId)].sort());
    for (const { stop } of stops) await stop();
  });
}

function taking(register: CommandTest): void {
  register("only the holder of the lease takes and finishes commands", async (world) => {
    const { commands, scope, stranger } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const asked = { accountId, botId: bot.id, command: SKIP, actor: ACTOR };
    const stored = await commands.ask(scope, asked, START);
    if (!stored.ok) throw new Error(stored.detail);
    const { id } = stored.value;
    const late = { ...lease, token: lease.token - 1 };
    expect(await commands.waiting(scope, late, START)).toEqual([]);
    expect(await commands.waiting(stranger, lease, START)).toEqual([]);
    expect(await commands.finish(scope, late, id, DONE, START)).toBe(false);
    expect(await commands.finish(stranger, lease, id, DONE, START)).toBe(false);
    const other = await leased(world);
    expect(await commands.waiting(scope, other, START)).toEqual([]);
    expect(await commands.finish(scope, other, id, DONE, START)).toBe(false);
    expect(await commands.recent(stranger, { accountId, botId: null, limit: 5 })).toEqual([]);
    expect(await commands.waiting(scope, lease, START)).toEqual([stored.value]);
  });

  register("a command is finished once, with what came of it", async (world) => {
    const { commands, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const asked = { accountId, botId: bot.id, command: SKIP, actor: ACTOR };
    const stored = await commands.ask(scope, asked, START);
    if (!stored.ok) throw new Error(stored.detail);
    const { id } = stored.value;
    expect(await commands.finish(scope, lease, id, DONE, START + 5)).toBe(true);
    const again = { outcome: "Something else.", isRefused: true };
    expect(await commands.finish(scope, lease, id, again, START + 6)).toBe(false);
    expect(await commands.waiting(scope, lease, START + 6)).toEqual([]);
    expect(await commands.recent(scope, { accountId, botId: bot.id, limit: 5 })).toEqual([
      { ...stored.value, ...DONE, doneAt: START + 5 },
    ]);
  });

  register("a command that waited a minute is refused and never carried out", async (world) => {
    const { commands, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const asked = { accountId, botId: bot.id, command: SKIP, actor: ACTOR };
    await commands.ask(scope, asked, START);
    const fresh = await commands.ask(scope, asked, START + 1);
    if (!fresh.ok) throw new Error(fresh.detail);
    const taken = await commands.waiting(scope, lease, START + 60_000);
    expect(taken).toEqual([fresh.value]);
    const [, old] = await commands.recent(scope, { accountId, botId: bot.id, limit: 5 });
    expect(old).toMatchObject({ doneAt: START + 60_000, isRefused: true });
    if (!old) throw new Error("the first command is still listed");
    expect(old.outcome).not.toBe("");
    expect(await commands.finish(scope, lease, old.id, DONE, START + 60_001)).toBe(false);
  });

  register("a command is handed out once, and one without an end is closed", async (world) => {
    const { commands, store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const asked = { accountId, botId: bot.id, command: SKIP, actor: ACTOR };
    const stored = await commands.ask(scope, asked, START);
    if (!stored.ok) throw new Error(stored.detail);
    expect(await commands.waiting(scope, lease, START + 50_000)).toEqual([stored.value]);
    expect(await commands.waiting(scope, lease, START + 50_001)).toEqual([]);
    // Whoever takes over does not begin again what may have been sent already.
    await store.releaseLease(scope, lease);
    const next = await store.takeLease(scope, accountId, "worker-2", TTL_MS, false);
    if (!next.ok) throw new Error(next.detail);
    expect(await commands.waiting(scope, next.value, START + 109_999)).toEqual([]);
    const recent = async () => await commands.recent(scope, { accountId, botId: null, limit: 1 });
    expect(await recent()).toMatchObject([{ doneAt: null }]);
    expect(await commands.waiting(scope, next.value, START + 110_000)).toEqual([]);
    expect(await recent()).toMatchObject([{ doneAt: START + 110_000, isRefused: true }]);
  });

  register("an outcome without a sentence is not kept", async (world) => {
    const { commands, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const asked = { accountId, botId: bot.id, command: SKIP, actor: ACTOR };
    const stored = await commands.ask(scope, asked, START);
    if (!stored.ok) throw new Error(stored.detail);
    const { id } = stored.value;
    for (const outcome of ["", "x".repeat(501)]) {
      const end = { outcome, isRefused: false };
      await expect(commands.finish(scope, lease, id, end, START)).rejects.toThrow();
    }
    const [kept] = await commands.recent(scope, { accountId, botId: null, limit: 1 });
    expect(kept).toEqual(stored.value);
  });
}
