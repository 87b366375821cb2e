// What is written of the figures workers show, and when: news after ten seconds, what only ticked on after five
// minutes or while somebody looks, and what a position is worth as soon as it moved.
import { expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type { AccountFigures, BotFigures } from "../../../src/model/live-figures.ts";
import type { Scope, WorkspaceId } from "../../../src/ports/access-store.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import type { BotId, Snapshot } from "../../../src/ports/bot-store.ts";
import { createFiguresWriter } from "../../../src/services/live/figures-writer.ts";
import { virtualClock } from "../../adapters/resilience/virtual-clock.ts";
import { aPosition, someAccountFigures, someFigures } from "../../support/bot-desk.ts";
import { silentLog } from "../../support/silent-log.ts";
import { START } from "../../support/trading.ts";

const scope: Scope = { workspaceId: 1 as WorkspaceId, userId: null, role: "owner" };
const accountId = 1 as AccountId;
const BOT = 7 as BotId;
const TICK_MS = 3000;

/** A writer that is offered figures every tick, and what it wrote. */
function writing() {
  const clock = virtualClock(START);
  const batches: Snapshot[][] = [];
  const trouble = { fails: false };
  const saveFigures = async (_scope: Scope, snapshots: readonly Snapshot[]) => {
    if (trouble.fails) throw new Error("the database is not there");
    batches.push([...snapshots]);
  };
  const writer = createFiguresWriter({ bots: { saveFigures }, clock, log: silentLog });
  const offer = (botId: BotId | null, body: Snapshot["body"]) =>
    writer.offer(scope, { accountId, botId, worker: "w", at: clock.now(), body });
  /** Ticks for a while, offering what is made for each tick. */
  const tick = async (durationMs: number, offerAll: (at: number) => void) => {
    const endAt = clock.now() + durationMs;
    while (clock.now() < endAt) {
      await clock.runUntil(clock.now() + TICK_MS);
      offerAll(clock.now());
      await writer.look();
    }
    return batches.splice(0);
  };
  const bot =
    (change: Partial<BotFigures> = {}) =>
    (at: number) => {
      const beats = { lastTickAt: at, heartbeats: [at % 7] };
      const equity = decimal(String(1000 + (at % 11)));
      const price = { price: decimal(String(2050 + (at % 5))), at, source: "mark" } as const;
      // The gate is open since the same instant, whatever its sentence says.
      const gates = [
        { key: "fresh_prices", isOpen: true, sentence: `${at % 9}.5 s old`, since: START } as const,
      ];
      offer(BOT, someFigures(START, { ...beats, equity, price, gates, ...change }));
    };
  return { clock, writer, offer, tick, bot, trouble };
}

test("an idle bot whose figures only tick on is written every five minutes", async () => {
  const { tick, bot } = writing();
  expect(await tick(15_000, bot())).toHaveLength(1);
  expect(await tick(900_000, bot())).toHaveLength(3);
});

test("while somebody looks it is written every ten seconds, the first time at once", async () => {
  const { tick, bot, writer } = writing();
  await tick(15_000, bot());
  writer.isWatched();
  expect(await tick(3000, bot())).toHaveLength(1);
  for (let look = 0; look < 3; look++) {
    writer.isWatched();
    expect((await tick(12_000, bot())).length).toBeGreaterThanOrEqual(1);
  }
  expect((await tick(33_000, bot())).length).toBeLessThanOrEqual(3);
  expect(await tick(120_000, bot())).toHaveLength(0);
});

test("any other change is written within ten seconds", async () => {
  const { tick, bot } = writing();
  await tick(15_000, bot());
  const changes: Partial<BotFigures>[] = [
    { health: "warning" },
    { nextAction: "Waits for its account" },
    { gates: [{ key: "fresh_prices", isOpen: false, sentence: "1 s old", since: START }] },
    { balance: decimal("999") },
    { leverage: 7 },
    { position: aPosition() },
    { position: aPosition({ stopPrice: null }) },
  ];
  for (const change of changes) {
    expect(await tick(12_000, bot(change))).toHaveLength(1);
  }
});

test("a change of status does not wait for its ten seconds", async () => {
  const { tick, bot, writer } = writing();
  await tick(15_000, bot());
  writer.hurry();
  expect(await tick(TICK_MS, bot({ health: "error" }))).toHaveLength(1);
});

test("what a position is worth is written when it moved by more than 0.05 %", async () => {
  const { tick, bot } = writing();
  const at = (price: string, unrealised: string): Partial<BotFigures> => ({
    price: { price: decimal(price), at: START, source: "mark" },
    position: aPosition({ notional: decimal("1000"), unrealised: decimal(unrealised) }),
  });
  await tick(15_000, bot(at("2000", "10")));
  expect(await tick(12_000, bot(at("2001", "10.5")))).toEqual([]);
  expect(await tick(12_000, bot(at("2001.01", "10.5")))).toHaveLength(1);
  expect(await tick(12_000, bot(at("2001.01", "9.99")))).toHaveLength(1);
  const unknown = aPosition({ notional: decimal("1000"), unrealised: null });
  expect(await tick(12_000, bot({ ...at("2001.01", "9.99"), position: unknown }))).toHaveLength(1);
});

test("small moves add up until they are seen", async () => {
  const { tick, bot } = writing();
  const held = { position: aPosition() };
  let price = 2000;
  await tick(15_000, bot({ ...held, price: null }));
  const creeping = (now: number) => {
    price += 0.2;
    const shown = { price: decimal(price.toFixed(1)), at: now, source: "mark" } as const;
    bot({ ...held, price: shown })(now);
  };
  expect((await tick(57_000, creeping)).length).toBeGreaterThan(2);
});

test("an account is written every five minutes unless it tells something", async () => {
  const { tick, offer } = writing();
  const account =
    (change: Partial<AccountFigures> = {}) =>
    (at: number) =>
      offer(null, someAccountFigures(START, { lastTickAt: at, leaseUntil: at + 1, ...change }));
  expect(await tick(15_000, account())).toHaveLength(1);
  expect(await tick(900_000, account())).toHaveLength(3);
  const blocks = ["a limit is reached"];
  expect(await tick(12_000, account({ blocks }))).toHaveLength(1);
  expect(await tick(12_000, account({ blocks, walletBalance: decimal("1") }))).toHaveLength(1);
  expect(await tick(12_000, account({ walletBalance: decimal("1") }))).toHaveLength(1);
});

test("what could not be written is written at the next look, changed or not", async () => {
  const { tick, bot, trouble } = writing();
  trouble.fails = true;
  expect(await tick(15_000, bot())).toEqual([]);
  trouble.fails = false;
  expect(await tick(12_000, bot())).toHaveLength(1);
});

test("samples are written although no figure changed", async () => {
  const { tick, bot, writer } = writing();
  await tick(15_000, bot());
  const sample = { accountId, botId: BOT, at: START, equity: decimal("1") };
  writer.sample(scope, sample);
  expect(await tick(12_000, bot())).toEqual([[]]);
});
