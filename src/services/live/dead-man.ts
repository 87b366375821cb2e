// The exchange's own switch for the case that Dragon falls silent: kept wound up while the account is traded here, off
// before a planned stop. Driven by the account loop at every tick. After it fired every order is gone, so nothing may
// open before the protective orders stand again.
import type { Broker, RefusalReason } from "../../ports/broker.ts";
import type { LiveDeps } from "./live-types.ts";

/** The switch of one account. */
export type DeadMan = {
  /**
   * Winds it up when it is due; a failure is tried again soon. Never throws but with the signal's reason.
   * @returns whether it must be assumed that the exchange has cancelled everything since the last call
   */
  tick(signal: AbortSignal): Promise<boolean>;
  /** Why nothing may be opened now; null when nothing speaks against it. */
  block(): string | null;
  /** The protective orders were looked after since it fired: entries may go on. */
  protectedAgain(): void;
  /** Switches it off before a planned stop. Never throws. @returns whether the exchange said so */
  off(): Promise<boolean>;
};

/** The exchange waits so long for the next sign of life. */
export const FIRES_AFTER_MS = 60_000;
/** Signs of life are sent this often. */
export const WIND_EVERY_MS = 20_000;
const RETRY_AFTER_MS = 5000;
const NO_RIGHT: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  "KEY_REFUSED",
  "PERMISSION_MISSING",
  "NOT_SUPPORTED",
]);
const NO_RIGHT_AGAIN_MS = 3_600_000;
/** A write needs this much lease: afterwards the account may be somebody else's. */
const LEASE_MIN_MS = 5000;
const OFF_TRIES = 3;
const OFF_LIMIT_MS = 5000;

/** What it works with. */
export type DeadManDeps = Pick<LiveDeps, "account" | "lease" | "clock" | "log" | "note"> & {
  readonly broker: Pick<Broker, "capabilities" | "setDeadMan">;
};

type State = {
  /** When the exchange fires at the latest, unless it is wound up; null while it is off. */
  firesAtMs: number | null;
  /** It may be wound up without our knowing: an answer was lost. */
  isUnsure: boolean;
  dueAtMs: number;
  hasFired: boolean;
  isTold: boolean;
};

/** A switch nobody has wound up yet. */
export function createDeadMan(deps: DeadManDeps): DeadMan {
  const { broker, clock, lease } = deps;
  const state: State = {
    ...{ firesAtMs: null, isUnsure: false, dueAtMs: Number.NEGATIVE_INFINITY },
    ...{ hasFired: false, isTold: false },
  };
  return {
    async tick(signal) {
      if (!broker.capabilities.deadMan) {
        tellMissing(deps, state);
        return false;
      }
      const nowMs = clock.monotonicMs();
      const fires = state.firesAtMs !== null && nowMs >= state.firesAtMs;
      if (fires) {
        deps.log.warn("the exchange heard nothing for so long that it has cancelled every order");
        state.hasFired = true;
        state.firesAtMs = null;
      }
      if (nowMs >= state.dueAtMs && lease.remainingMs() >= LEASE_MIN_MS) {
        await wind(deps, state, signal);
      }
      return fires;
    },
    block: () =>
      state.hasFired ? "the exchange cancelled every order; protection comes first" : null,
    protectedAgain() {
      state.hasFired = false;
    },
    off: () => off(deps, state),
  };
}

async function wind(deps: DeadManDeps, state: State, signal: AbortSignal): Promise<void> {
  const { broker, clock, log } = deps;
  // The exchange counts from when it heard us, which is not before we asked.
  const askedMs = clock.monotonicMs();
  const wasOff = state.firesAtMs === null;
  try {
    const answer = await broker.setDeadMan(FIRES_AFTER_MS, { signal });
    if (answer.outcome === "accepted") {
      state.firesAtMs = askedMs + FIRES_AFTER_MS;
      state.isUnsure = false;
      state.dueAtMs = askedMs + WIND_EVERY_MS;
      if (wasOff) tellArmed(deps);
      return;
    }
    if (answer.outcome === "refused" && NO_RIGHT.has(answer.reason)) {
      // A right some accounts do not have: asking again soon only costs requests.
      tellMissing(deps, state);
      state.dueAtMs = clock.monotonicMs() + NO_RIGHT_AGAIN_MS;
      return;
    }
    log.warn(`the dead-man switch was not wound up: ${answer.sentence}`);
    // Asking first and counting from there errs on the side of "it has fired".
    if (answer.outcome === "unverified") state.isUnsure = true;
    if (answer.outcome === "unverified" && wasOff) state.firesAtMs = askedMs + FIRES_AFTER_MS;
  } catch (error) {
    signal.throwIfAborted();
    log.warn("the dead-man switch was not wound up", { error });
    state.isUnsure = true;
  }
  state.dueAtMs = clock.monotonicMs() + RETRY_AFTER_MS;
}

/** Off is only said when the exchange said so: else it fires although nothing is wrong. */
async function off({ broker, clock, log, lease }: DeadManDeps, state: State): Promise<boolean> {
  if (state.firesAtMs === null && !state.isUnsure) return true;
  for (let attempt = 1; attempt <= OFF_TRIES; attempt++) {
    if (lease.remainingMs() < LEASE_MIN_MS) break;
    const limit = new AbortController();
    void clock.sleep(OFF_LIMIT_MS).then(() => limit.abort(new Error("it took too long")));
    try {
      const answer = await broker.setDeadMan(0, { signal: limit.signal });
      if (answer.outcome === "accepted") {
        state.firesAtMs = null;
        state.isUnsure = false;
        return true;
      }
      log.warn(`the dead-man switch was not switched off: ${answer.sentence}`);
    } catch (error) {
      log.warn("the dead-man switch was not switched off", { error });
    }
  }
  log.error("the dead-man switch stays on: the exchange will cancel every order");
  return false;
}

function tellMissing({ note, clock, account }: DeadManDeps, state: State): void {
  if (state.isTold) return;
  state.isTold = true;
  const sentence = "The exchange cannot cancel orders by itself when Dragon falls silent.";
  const fields = { account: account.accountId };
  note({ kind: "dead_man_unavailable", botId: null, at: clock.now(), sentence, fields });
}

function tellArmed({ note, clock, account }: DeadManDeps): void {
  const seconds = FIRES_AFTER_MS / 1000;
  const sentence = `The exchange cancels every order when it hears nothing for ${seconds} s.`;
  const fields = { account: account.accountId, seconds };
  note({ kind: "dead_man_armed", botId: null, at: clock.now(), sentence, fields });
}
