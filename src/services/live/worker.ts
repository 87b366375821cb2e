// A worker: looks for accounts that have something to trade, takes their leases one by one and runs a loop for
// each. Several workers share one database; an account is traded by exactly one of them. Started by `serve`
// and by `dragon worker`; an account that fails is tried again and never takes the others with it.
import type { Scope, WorkspaceId } from "../../ports/access-store.ts";
import type { AccountId, AccountStore, TradingAccount } from "../../ports/account-store.ts";
import type { AccountLocks } from "../../ports/account-locks.ts";
import type { BotStore } from "../../ports/bot-store.ts";
import type { Bus } from "../../ports/bus.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CommandStore } from "../../ports/command-store.ts";
import type { Log } from "../../ports/log.ts";
import type { LeaseGuard, TradingStore } from "../../ports/trading-store.ts";
import { type AccountLoop, type AccountLoopDeps, createAccountLoop } from "./account-loop.ts";
import type { FiguresWriter } from "./figures-writer.ts";
import { createLeaseKeeper, type KeptLease, type LeaseTiming } from "./lease-keeper.ts";
import type { ControlCells } from "./live-types.ts";

/** The side of an account that the composition opens: exchange, prices, candles. */
export type OpenedAccount = Pick<
  AccountLoopDeps,
  "broker" | "prices" | "candles" | "marketOf" | "exchangeTrouble" | "flattening"
> & {
  readonly positionMode: AccountLoopDeps["account"]["positionMode"];
  close(): Promise<void>;
};

/** What a worker works with. */
export type WorkerDeps = {
  readonly trading: TradingStore;
  readonly bots: BotStore;
  readonly accounts: Pick<AccountStore, "find">;
  readonly locks: AccountLocks;
  readonly cells: ControlCells;
  readonly bus: Pick<Bus, "listen">;
  readonly figures: FiguresWriter;
  readonly commands: CommandStore;
  readonly settings: AccountLoopDeps["settings"];
  readonly clock: Clock;
  readonly log: Log;
  /** @throws when the account cannot be opened: credentials, network, an exchange that is unknown */
  readonly open: (
    scope: Scope,
    account: TradingAccount,
    guard: LeaseGuard,
    signal: AbortSignal,
  ) => Promise<OpenedAccount>;
  /** 0..99: this installation. */
  readonly instance: number;
  /** Names this process, differently after every start. */
  readonly name: string;
  readonly lease: LeaseTiming;
  readonly pace?: AccountLoopDeps["pace"];
  readonly record?: AccountLoopDeps["record"];
};

/** A worker that has not begun. */
export type LiveWorker = {
  /** Until the signal; gives every lease back. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Accounts traded here right now. */
  accounts(): readonly AccountId[];
};

/** Without a wake-up the accounts are looked at this often. */
const LOOK_EVERY_MS = 4000;
/** Wake-ups in a burst are one look. */
const LOOK_MIN_MS = 200;
const RETRY_MS = [1000, 2000, 5000, 15_000, 60_000];
const ACCOUNTS_MAX = 200;

type Traded = {
  readonly loop: AccountLoop | null;
  readonly stop: AbortController;
  readonly done: Promise<void>;
};
type Failure = { count: number; retryAtMs: number };

type Work = {
  readonly deps: WorkerDeps;
  readonly traded: Map<AccountId, Traded>;
  readonly failures: Map<AccountId, Failure>;
  /** Ends the pause between two looks; null while there is none. */
  wake: (() => void) | null;
};

/** A worker. */
export function createWorker(deps: WorkerDeps): LiveWorker {
  const work: Work = { deps, traded: new Map(), failures: new Map(), wake: null };
  return {
    run: (signal) => run(work, signal),
    accounts: () => [...work.traded.keys()],
  };
}

async function run(work: Work, signal: AbortSignal): Promise<void> {
  const { deps, traded } = work;
  const heard = await Promise.allSettled([
    ...(["bots", "accounts"] as const).map((topic) => deps.bus.listen(topic, () => poke(work))),
    deps.bus.listen("pages", (payload) => {
      if (payload !== null) deps.figures.isWatched();
    }),
  ]);
  while (!signal.aborted) {
    await look(work, signal).catch((error: unknown) => {
      if (!signal.aborted) deps.log.warn("the accounts to trade could not be read", { error });
    });
    await pause(work, signal);
  }
  await Promise.all([...traded.values()].map(({ done }) => done));
  for (const each of heard) if (each.status === "fulfilled") await each.value.stop();
}

async function look(work: Work, signal: AbortSignal): Promise<void> {
  const { deps, traded, failures } = work;
  for (const { workspaceId, accountId } of await deps.bots.tradedAccounts()) {
    if (signal.aborted || traded.size >= ACCOUNTS_MAX) return;
    const failed = failures.get(accountId);
    const isWaiting = failed !== undefined && failed.retryAtMs > deps.clock.monotonicMs();
    if (traded.has(accountId) || isWaiting) continue;
    begin(work, scopeOf(workspaceId), accountId, signal);
  }
}

function begin(work: Work, scope: Scope, accountId: AccountId, signal: AbortSignal): void {
  const { traded, failures } = work;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const done = trade(work, scope, accountId, stop, either).then(
    () => void failures.delete(accountId),
    (error: unknown) => fail(work, accountId, error, signal),
  );
  const ended = done.finally(() => traded.delete(accountId));
  traded.set(accountId, { loop: null, stop, done: ended });
}

function fail(work: Work, accountId: AccountId, error: unknown, signal: AbortSignal): void {
  const { failures } = work;
  const { clock, log } = work.deps;
  if (signal.aborted) return;
  const count = failures.get(accountId)?.count ?? 0;
  const waitMs = RETRY_MS[Math.min(count, RETRY_MS.length - 1)] ?? 0;
  failures.set(accountId, { count: count + 1, retryAtMs: clock.monotonicMs() + waitMs });
  log.warn(`account ${accountId} could not be traded; it is tried again`, { error });
}

async function trade(
  work: Work,
  scope: Scope,
  accountId: AccountId,
  stop: AbortController,
  signal: AbortSignal,
): Promise<void> {
  const { deps } = work;
  const { clock, log } = deps;
  const keeper = createLeaseKeeper(
    { store: deps.trading, locks: deps.locks, clock, log },
    scope,
    accountId,
    deps.name,
    deps.lease,
  );
  const taken = await keeper.take((sentence) => stop.abort(new Error(sentence)));
  // Another worker has it: it is looked at again with every look.
  if (!taken.ok) return;
  const lease = taken.value;
  const released = new AbortController();
  const kept = lease.run(released.signal);
  try {
    const account = await deps.accounts.find(scope, accountId);
    if (account !== null) await tradeUnder(work, scope, account, lease, signal);
  } finally {
    released.abort();
    await kept;
  }
}

async function tradeUnder(
  { deps, traded }: Work,
  scope: Scope,
  account: TradingAccount,
  lease: KeptLease,
  signal: AbortSignal,
): Promise<void> {
  if (lease.takenFrom !== undefined) await tellTakenOver(deps, scope, account, lease);
  const opened = await deps.open(scope, account, lease.guard, signal);
  try {
    const { id: accountId, mode } = account;
    const { positionMode } = opened;
    const loop = createAccountLoop({
      ...opened,
      ...{ lease, clock: deps.clock, bots: deps.bots, figures: deps.figures, cells: deps.cells },
      commands: deps.commands,
      settings: deps.settings,
      readAccount: () => deps.accounts.find(scope, accountId),
      record: deps.record,
      account: { scope, accountId, mode, positionMode, instance: deps.instance },
      tradingAccount: account,
      store: deps.trading,
      log: deps.log.child(`account-${accountId}`),
      worker: deps.name,
      ...(deps.pace ? { pace: deps.pace } : {}),
    });
    const known = traded.get(accountId);
    if (known) traded.set(accountId, { ...known, loop });
    await loop.run(signal);
  } finally {
    await opened.close();
  }
}

async function tellTakenOver(
  { bots, clock }: WorkerDeps,
  scope: Scope,
  { name }: TradingAccount,
  { guard, takenFrom = "" }: KeptLease,
): Promise<void> {
  const sentence = `${name}: the work of ${takenFrom} was taken over.`;
  const event = { botId: null, at: clock.now(), sentence, fields: { from: takenFrom } };
  await bots.appendEvents(scope, guard, [{ ...event, kind: "job_lease_reclaimed" }]);
}

function poke(work: Work): void {
  for (const { loop } of work.traded.values()) loop?.poke();
  work.wake?.();
}

async function pause(work: Work, signal: AbortSignal): Promise<void> {
  const woken = new AbortController();
  work.wake = () => woken.abort();
  const either = AbortSignal.any([signal, woken.signal]);
  const ignore = () => undefined;
  await work.deps.clock.sleep(LOOK_MIN_MS, signal).catch(ignore);
  await work.deps.clock.sleep(LOOK_EVERY_MS, either).catch(ignore);
  work.wake = null;
}

/** The program itself acts for a workspace. */
function scopeOf(workspaceId: WorkspaceId): Scope {
  return { workspaceId, userId: null, role: "owner" };
}
