// Stopping and releasing on real PostgreSQL: an account, bots that hold something and have orders at work, and the
// deeds of their worker. Used by the tests of emergencies and of their pages.
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import type { Sql } from "../../src/adapters/postgres/connect.ts";
import { createControlRepository } from "../../src/adapters/postgres/control-repository.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { composeEmergency } from "../../src/emergency.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import { decimal } from "../../src/model/decimal.ts";
import type { EventKind } from "../../src/model/event-kinds.ts";
import type { FindingView } from "../../src/model/live-figures.ts";
import type { Role, Scope, UserId } from "../../src/ports/access-store.ts";
import type { AccountMode } from "../../src/ports/account-store.ts";
import type { Bot } from "../../src/ports/bot-store.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Notifier } from "../../src/ports/notifier.ts";
import type { Lease, NewIntent } from "../../src/ports/trading-store.ts";
import type { Actor } from "../../src/services/desk/actor.ts";
import { aBot } from "./bots.ts";
import { silentLog } from "./silent-log.ts";
import { aFill, anIntent, idOf } from "./trading.ts";

/** What a case may choose. */
export type EmergencyOptions = {
  readonly notifier?: Notifier;
};

const LEASE_MS = 3_600_000;

/** The side that stops and releases, over an open database. */
export function emergencySide(sql: Sql, clock: Clock, options: EmergencyOptions = {}) {
  return composeEmergency({
    ...{ sql, clock, log: silentLog, key: new Uint8Array(32).fill(7), version: "9.9.9" },
    ...(options.notifier ? { notifier: options.notifier } : {}),
  });
}

/** Somebody of the workspace. */
export function actorIn(scope: Scope, role: Role): Actor {
  const userId = scope.userId ?? (1 as UserId);
  const user = { id: userId, email: `${role}@example.org`, timeZone: "UTC" };
  return {
    scope: { ...scope, userId: scope.userId, role },
    user: { ...user, createdAt: 0, disabledAt: null },
  };
}

/** Rows of a workspace: what owners and workers write. */
export function tradingRows(sql: Sql, scope: Scope, clock: Clock) {
  const accounts = createAccountRepository(sql);
  const bots = createBotRepository(sql);
  const trading = createTradingRepository(sql, nextStatus);
  const control = createControlRepository(sql);
  const leases = new Map<number, Lease>();
  let orders = 0;

  async function leaseOf({ accountId }: Bot): Promise<Lease> {
    const known = leases.get(accountId);
    if (known) return known;
    const taken = await trading.takeLease(scope, accountId, "worker-1", LEASE_MS, false);
    if (!taken.ok) throw new Error(taken.detail);
    leases.set(accountId, taken.value);
    return taken.value;
  }

  async function order(bot: Bot, change: Partial<NewIntent> = {}) {
    const lease = await leaseOf(bot);
    orders += 1;
    const isParked = change.status === "parked";
    const clientOrderId = isParked ? null : idOf(lease, orders, bot.id);
    const intent = anIntent({ owner: `bot:${bot.id}`, clientOrderId, ...change });
    const epoch = await trading.epoch(scope);
    const batch = { place: [intent], send: [] };
    const made = await trading.commitIntents(scope, lease, epoch, batch, clock.now());
    if (!made.ok) throw new Error(made.detail);
    const [row] = made.value;
    if (!row) throw new Error("nothing was written");
    const exchangeOrderId = `x${orders}`;
    if (!isParked) {
      const news = { event: "accepted", exchangeOrderId } as const;
      const told = await trading.recordNews(scope, lease, row.id, news, clock.now());
      if (!told.ok) throw new Error(told.detail);
    }
    return { row, exchangeOrderId };
  }

  return {
    ...{ accounts, bots, trading, control, order },
    /** An account and a bot on it that is to run. */
    async bot(name: string, mode: AccountMode = "demo"): Promise<Bot> {
      const named = { name: `Account of ${name}`, exchangeId: "woox", mode } as const;
      const account = await accounts.create(scope, named, null, clock.now());
      if (!account.ok) throw new Error(account.detail);
      const wanted = aBot(account.value.id, { name });
      const bot = await bots.create(scope, wanted, "owner@example.org", clock.now());
      if (!bot.ok) throw new Error(bot.detail);
      const wished = await bots.wish(scope, bot.value.id, { status: "running" }, clock.now());
      if (!wished.ok) throw new Error(wished.detail);
      return wished.value;
    },
    /** The bot holds so much at 100. */
    async holds(bot: Bot, qty: string): Promise<void> {
      const lease = await leaseOf(bot);
      const { exchangeOrderId } = await order(bot, { qty: decimal(qty) });
      const fill = aFill({ exchangeOrderId, tradeId: exchangeOrderId, qty: decimal(qty) });
      const booked = await trading.recordFill(scope, lease, fill);
      if (!booked.ok) throw new Error(booked.detail);
    },
    /** What the worker says of a bot. */
    async tell(bot: Bot, kind: EventKind, sentence: string): Promise<void> {
      const event = { kind, botId: bot.id, at: clock.now(), sentence, fields: {} };
      await bots.appendEvents(scope, await leaseOf(bot), [event]);
    },
    /** The worker ends a wish to close everything. */
    async flattened(bot: Bot, kind: EventKind, sentence: string): Promise<void> {
      await this.tell(bot, kind, sentence);
      const change = { status: "paused", lastError: null, clearsAction: true } as const;
      const lease = await leaseOf(bot);
      const end = { ...change, desiredStatus: "paused" } as const;
      await bots.setStatus(scope, lease, bot.id, end, clock.now());
    },
    /** What reconciliation found on the account of a bot. */
    async finds({ accountId }: Bot, findings: readonly FindingView[]): Promise<void> {
      const body = { format: 1, findings: findings.map((each) => ({ ...each })) };
      const at = clock.now();
      await bots.saveFigures(scope, [{ accountId, botId: null, worker: "worker-1", at, body }], []);
    },
  };
}
