// Token buckets with priorities: who wants to send waits here until every bucket it counts against
// has a token. Used by resilient-broker.ts, one limiter per process so that what is counted per
// address is shared. A token comes back one window after it was spent, so that no window of the
// exchange, wherever it begins, sees more than the limit.
import type { Clock } from "../../ports/clock.ts";
import { BrokerError } from "../ccxt/error-types.ts";
import type { Limit } from "./limits.ts";

/** Who goes first. */
export const PRIORITIES = ["flatten", "cancel", "place", "query", "data"] as const;
/** A rank in the queue. */
export type Priority = (typeof PRIORITIES)[number];

/** One request that wants to go out. */
export type Need = {
  /** The bucket's full name: limit, and the symbol, account or address it is counted for. */
  readonly key: string;
  readonly limit: Limit;
  readonly priority: Priority;
  readonly signal: AbortSignal;
  /** Gives up earlier than others of its priority, at once where it is sure that its turn comes later. */
  readonly patienceMs?: number | undefined;
};

/** Figures since the start. */
export type LimiterMetrics = {
  readonly requests: number;
  /** Requests that had to wait. */
  readonly throttled: number;
  /** Requests turned away: the queue was full or the wait too long. */
  readonly refused: number;
  readonly waitMs: number;
  readonly queued: number;
  /** Requests per second over the last minute. */
  readonly ratePerS: number;
};

/** Waits for tokens. */
export type RateLimiter = {
  /**
   * Resolves when the request may go out.
   * @throws BrokerError of kind `queue_full` when the queue is full or the wait would be too long
   */
  acquire(need: Need): Promise<void>;
  /** How long a request of the highest rank would wait behind those that wait and `ahead` others, ms. */
  waitMs(need: Pick<Need, "key" | "limit">, ahead: number): number;
  /** The exchange said "too many": the bucket stays empty for a window or as long as it asks. */
  penalise(need: Pick<Need, "key" | "limit">, retryAfterMs: number | null): void;
  metrics(): LimiterMetrics;
};

/** What the composition root decides. */
export type LimiterDeps = {
  readonly clock: Clock;
  /** Requests that may wait at once. */
  readonly queueMax?: number;
  /** Longest wait by priority, ms. */
  readonly waitMaxMs?: Readonly<Record<Priority, number>>;
};

type Bucket = {
  readonly capacity: number;
  readonly windowMs: number;
  /** Instants at which spent tokens come back, oldest first. */
  readonly returns: number[];
  closedUntil: number;
};
type Waiting = {
  readonly bucket: Bucket;
  readonly rank: number;
  readonly since: number;
  readonly deadline: number;
  readonly settle: (error: unknown) => void;
};

const QUEUE_MAX = 500;
const WAIT_MAX_MS = { flatten: 30_000, cancel: 15_000, place: 5000, query: 30_000, data: 60_000 };
/** Requests reach the exchange more bunched than they left: its window is stretched by this. */
const JITTER_MS = 250;
/** Tokens of a bucket that only cancels and flattening may use: one in this many. */
const RESERVED_EVERY = 5;
const RATE_SPAN_MS = 60_000;

/** Everything a limiter remembers. */
type State = {
  readonly clock: Clock;
  readonly buckets: Map<string, Bucket>;
  /** Who waits, by rank, then by arrival. */
  readonly queue: Waiting[];
  /** When requests of the last minute went out. */
  readonly granted: number[];
  readonly counts: { requests: number; throttled: number; refused: number; waitMs: number };
  alarm: AbortController | null;
};

/** A limiter with full buckets. */
export function createRateLimiter(deps: LimiterDeps): RateLimiter {
  const { clock, queueMax = QUEUE_MAX, waitMaxMs = WAIT_MAX_MS } = deps;
  const state: State = {
    clock,
    buckets: new Map(),
    queue: [],
    granted: [],
    counts: { requests: 0, throttled: 0, refused: 0, waitMs: 0 },
    alarm: null,
  };
  return {
    acquire(need) {
      need.signal.throwIfAborted();
      if (state.queue.length >= queueMax) {
        state.counts.refused++;
        return Promise.reject(new BrokerError("queue_full", `${queueMax} requests wait already`));
      }
      const longest = waitMaxMs[need.priority];
      const patienceMs = Math.min(need.patienceMs ?? longest, longest);
      const closedMs = bucketOf(state, need).closedUntil - clock.monotonicMs();
      if (need.patienceMs !== undefined && closedMs > patienceMs) {
        state.counts.refused++;
        return Promise.reject(tooLong(0));
      }
      return enqueue(state, need, clock.monotonicMs() + patienceMs);
    },
    waitMs(need, ahead) {
      const bucket = bucketOf(state, need);
      const now = clock.monotonicMs();
      forget(bucket.returns, now);
      const waiting = state.queue.filter((other) => other.bucket === bucket).length;
      const returns = [...bucket.returns];
      let turnAt = now;
      for (let place = 0; place <= waiting + ahead; place++) {
        const isFree = returns.length < bucket.capacity;
        turnAt = Math.max(isFree ? now : (returns.shift() ?? now), bucket.closedUntil, turnAt);
        returns.push(turnAt + bucket.windowMs);
      }
      return turnAt - now;
    },
    penalise(need, retryAfterMs) {
      const bucket = bucketOf(state, need);
      const closedMs = Math.max(bucket.windowMs, retryAfterMs ?? 0);
      bucket.closedUntil = Math.max(bucket.closedUntil, clock.monotonicMs() + closedMs);
    },
    metrics() {
      const { granted, counts, queue } = state;
      forget(granted, clock.monotonicMs() - RATE_SPAN_MS);
      const ratePerS = granted.length / (RATE_SPAN_MS / 1000);
      return { ...counts, queued: queue.length, ratePerS };
    },
  };
}

function bucketOf({ buckets }: State, { key, limit }: Pick<Need, "key" | "limit">): Bucket {
  let bucket = buckets.get(key);
  if (bucket === undefined) {
    const windowMs = limit.windowMs + JITTER_MS;
    bucket = { capacity: limit.count, windowMs, returns: [], closedUntil: 0 };
    buckets.set(key, bucket);
  }
  return bucket;
}

function enqueue(state: State, need: Need, deadline: number): Promise<void> {
  const rank = PRIORITIES.indexOf(need.priority);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => leave(state, waiting, need.signal.reason);
  const waiting: Waiting = {
    bucket: bucketOf(state, need),
    rank,
    since: state.clock.monotonicMs(),
    deadline,
    settle(error) {
      need.signal.removeEventListener("abort", onAbort);
      if (error === null) resolve();
      else reject(error);
    },
  };
  need.signal.addEventListener("abort", onAbort, { once: true });
  const behind = state.queue.findIndex((other) => other.rank > rank);
  state.queue.splice(behind < 0 ? state.queue.length : behind, 0, waiting);
  pump(state);
  return promise;
}

/**
 * Hands out tokens in order of priority. Where one must wait, nobody behind it finds a token either:
 * a lower rank never has more of a bucket than a higher one.
 */
function pump(state: State): void {
  const now = state.clock.monotonicMs();
  for (const waiting of [...state.queue]) {
    const { bucket, rank, deadline, since } = waiting;
    if (freeAt(bucket, rank, now) <= now) grant(state, waiting, now);
    else if (deadline <= now) {
      state.counts.refused++;
      leave(state, waiting, tooLong(now - since));
    }
  }
  arm(state, now);
}

function grant(state: State, waiting: Waiting, now: number): void {
  const { bucket, since } = waiting;
  const { granted, counts } = state;
  bucket.returns.push(now + bucket.windowMs);
  forget(granted, now - RATE_SPAN_MS);
  granted.push(now);
  counts.requests++;
  if (now > since) counts.throttled++;
  counts.waitMs += now - since;
  leave(state, waiting, null);
}

function leave({ queue }: State, waiting: Waiting, error: unknown): void {
  const index = queue.indexOf(waiting);
  if (index >= 0) queue.splice(index, 1);
  waiting.settle(error);
}

/** Wakes at the next instant at which something can change. */
function arm(state: State, now: number): void {
  state.alarm?.abort();
  state.alarm = null;
  if (state.queue.length === 0) return;
  const changes = state.queue.map(({ bucket, rank, deadline }) =>
    Math.min(deadline, freeAt(bucket, rank, now)),
  );
  const set = new AbortController();
  state.alarm = set;
  const waitMs = Math.max(1, Math.min(...changes) - now);
  state.clock.sleep(waitMs, set.signal).then(
    () => pump(state),
    (error: unknown) => {
      if (!set.signal.aborted) throw error;
    },
  );
}

/** When a token is there for this rank; the past when one is there now. */
function freeAt(bucket: Bucket, rank: number, now: number): number {
  forget(bucket.returns, now);
  const isUrgent = rank <= PRIORITIES.indexOf("cancel");
  const reserve = isUrgent ? 0 : Math.floor(bucket.capacity / RESERVED_EVERY);
  const usable = Math.max(1, bucket.capacity - reserve);
  const over = bucket.returns.length - usable;
  const tokenAt = over < 0 ? 0 : (bucket.returns[over] ?? 0);
  return Math.max(tokenAt, bucket.closedUntil);
}

/** Drops instants that lie at or before `now`; they are in ascending order. */
function forget(instants: number[], now: number): void {
  const kept = instants.findIndex((at) => at > now);
  instants.splice(0, kept < 0 ? instants.length : kept);
}

function tooLong(waitedMs: number): BrokerError {
  const seconds = Math.ceil(waitedMs / 1000);
  return new BrokerError("queue_full", `the request waited ${seconds} s for its turn`);
}
