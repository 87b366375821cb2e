// The trading states as cells in memory, for every part of the live loop. Built by the composition root, one
// per process; wakes by notify, reads again after every (re)connection and polls as a net. A cell that was
// not read lately says frozen: nothing is sent and nothing that rests, protective stops first, is touched.
import type { EpochMs } from "../../model/time.ts";
import type { Scope, WorkspaceId } from "../../ports/access-store.ts";
import type { Bus } from "../../ports/bus.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ControlRows, ControlStore, ScopeState } from "../../ports/control-store.ts";
import type { Log } from "../../ports/log.ts";
import { strictest } from "../../risk/trading-state.ts";
import type { ControlCell, ControlCells, LiveAccount } from "./live-types.ts";

/** What the cells are made from. */
export type ControlDeps = {
  readonly store: Pick<ControlStore, "readAll">;
  readonly bus: Pick<Bus, "listen">;
  readonly clock: Clock;
  readonly log: Log;
};

/** The cells of a process. */
export type Control = ControlCells & {
  /** Keeps the cells fresh until the signal; resolves when nothing listens any more, never rejects. */
  start(signal: AbortSignal): Promise<void>;
  /** Reads now, by a read that begins after the call. @throws when the database is not there */
  refresh(): Promise<void>;
  /**
   * Tells of every workspace whose cells changed, also when they became too old or were read again.
   * @returns ends it
   */
  onChange(listener: (workspaceId: WorkspaceId) => void): () => void;
  /** The epoch this process goes by, which is what it may confirm; 0 while it knows none. */
  acknowledgedEpoch(scope: Pick<Scope, "workspaceId">): number;
};

const POLL_EVERY_MS = 250;
const LISTEN_AGAIN_MS = 5_000;
/** Cells older than this count as unread. */
const FRESH_MS = 5_000;
/** A read without an answer is given up after this, and another one asks. */
const READ_LIMIT_MS = 5_000;

/** What is known of one workspace: its epoch and its states by what they apply to. */
type Known = { readonly epoch: number; readonly states: ReadonlyMap<string, ScopeState> };

/** The cells, all unread. */
export function createControl(deps: ControlDeps): Control {
  const cells = createMemory(deps);
  const reader = createReader(deps, cells.take);
  return {
    cell: cells.cell,
    onChange: cells.onChange,
    acknowledgedEpoch: cells.acknowledgedEpoch,
    refresh: reader.refresh,
    start: async (signal) => {
      await Promise.all([listen(deps, reader, signal), poll(deps, reader, cells, signal)]);
    },
  };
}

type Memory = Pick<Control, "cell" | "onChange" | "acknowledgedEpoch"> & {
  /** @param askedMs monotonic, when the read began */
  take(all: ReadonlyMap<WorkspaceId, ControlRows>, askedMs: number): void;
  /** Tells, once, that the cells became too old. */
  age(): void;
};

function createMemory({ clock, log }: ControlDeps): Memory {
  let known: ReadonlyMap<WorkspaceId, Known> = new Map();
  let askedMs = Number.NEGATIVE_INFINITY;
  let isTold = false;
  let readAt: EpochMs = clock.now();
  const listeners = new Set<(workspaceId: WorkspaceId) => void>();

  const isFresh = () => clock.monotonicMs() - askedMs <= FRESH_MS;
  const tell = (workspaceIds: Iterable<WorkspaceId>) => {
    for (const workspaceId of workspaceIds) {
      for (const listener of [...listeners]) {
        try {
          listener(workspaceId);
        } catch (error) {
          // One deaf part must not keep a kill from the others.
          log.error("a listener to the trading states failed", { error });
        }
      }
    }
  };
  const knownOf = (workspaceId: WorkspaceId) => (isFresh() ? known.get(workspaceId) : undefined);

  return {
    cell: (account, botId) => {
      const control = knownOf(account.scope.workspaceId);
      return control ? cellOf(control, account, botId) : unread(readAt);
    },
    acknowledgedEpoch: ({ workspaceId }) => knownOf(workspaceId)?.epoch ?? 0,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    take: (all, asked) => {
      const before = isTold ? new Map<WorkspaceId, Known>() : known;
      const next = new Map([...all].map(([id, rows]) => [id, knownFrom(rows)]));
      [known, askedMs, readAt] = [next, asked, clock.now()];
      if (!isFresh()) return;
      isTold = false;
      const ids = new Set([...before.keys(), ...next.keys()]);
      tell([...ids].filter((id) => before.get(id)?.epoch !== next.get(id)?.epoch));
    },
    age: () => {
      if (isTold || isFresh() || known.size === 0) return;
      isTold = true;
      log.warn("the trading states could not be read for too long: nothing is sent until they are");
      tell(known.keys());
    },
  };
}

type Reader = {
  /** Reads after the present read, if there is one; many calls share the next one. */
  refresh(): Promise<void>;
  /** Reads unless a read is under way; failures are logged once until one succeeds. */
  look(): void;
  /** As `refresh`, with failures logged. */
  wake(): void;
};

function createReader({ store, clock, log }: ControlDeps, take: Memory["take"]): Reader {
  let present: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let isFailing = false;

  const read = async () => {
    const askedMs = clock.monotonicMs();
    const answered = new AbortController();
    const tooLate = clock.sleep(READ_LIMIT_MS, answered.signal).then(() => {
      throw new Error("the database did not answer in time");
    });
    try {
      take(await Promise.race([store.readAll(), tooLate]), askedMs);
    } finally {
      answered.abort();
    }
    if (isFailing) log.info("the trading states can be read again");
    isFailing = false;
  };
  const begin = () => {
    next = null;
    present = read().finally(() => {
      present = null;
    });
    return present;
  };
  const refresh = () => {
    if (present === null) return begin();
    next ??= present.then(begin, begin);
    return next;
  };
  const failed = (error: unknown) => {
    if (!isFailing) log.warn("the trading states cannot be read", { error });
    isFailing = true;
  };
  return {
    refresh,
    look: () => {
      if (present === null) begin().catch(failed);
    },
    wake: () => {
      refresh().catch(failed);
    },
  };
}

/** The net under lost messages; also notices that the cells became too old while a read hangs. */
async function poll(
  { clock }: ControlDeps,
  reader: Reader,
  cells: Memory,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    reader.look();
    await pause(clock, POLL_EVERY_MS, signal);
    cells.age();
  }
}

async function listen(
  { bus, clock, log }: ControlDeps,
  reader: Reader,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const listening = await bus.listen("control", reader.wake);
      await aborted(signal);
      await listening.stop();
    } catch (error) {
      log.warn("trading states are polled because nothing wakes us", { error });
      await pause(clock, LISTEN_AGAIN_MS, signal);
    }
  }
}

/** Waits; ends early, without an error, when the signal comes. */
async function pause(clock: Clock, durationMs: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(durationMs, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function knownFrom({ epoch, states }: ControlRows): Known {
  return { epoch, states: new Map(states.map((state) => [keyOf(state), state])) };
}

function keyOf({ scope }: ScopeState): string {
  if (scope.kind === "account") return `account:${scope.accountId}`;
  return scope.kind === "bot" ? `bot:${scope.botId}` : scope.kind;
}

/** The strictest of the states that cover the order; of equally strict ones the widest. */
function cellOf(
  { epoch, states }: Known,
  { accountId, mode }: Pick<LiveAccount, "accountId" | "mode">,
  botId: number | null,
): ControlCell {
  const keys = [
    "global",
    ...(mode === "live" ? ["live"] : []),
    `account:${accountId}`,
    ...(botId === null ? [] : [`bot:${botId}`]),
  ];
  const covering = keys.flatMap((key) => states.get(key) ?? []);
  // Live trading has to be switched on: without a row it is off.
  if (mode === "live" && !states.has("live")) {
    return { epoch, state: "frozen", reason: "live trading was never switched on", since: 0 };
  }
  const state = strictest(covering.map((row) => row.state));
  // Likewise each of its accounts, by its own pre-flight.
  if (mode === "live" && state !== "frozen" && !states.has(`account:${accountId}`)) {
    return { epoch, state: "frozen", reason: "the account was never armed", since: 0 };
  }
  const decisive = covering.find((row) => row.state === state);
  const { reason, changedAt } = decisive ?? { reason: "nothing was ever stopped", changedAt: 0 };
  return { epoch, state, reason, since: changedAt };
}

/** Epoch 0 commits nothing; frozen neither sends nor cancels, so that what protects a position stays. */
function unread(since: EpochMs): ControlCell {
  const reason = "the trading states cannot be read at the moment";
  return { epoch: 0, state: "frozen", reason, since };
}
