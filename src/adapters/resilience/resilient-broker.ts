// A broker that waits its turn, stops when the exchange is down and asks again when a read failed.
// Wraps any Broker; built by the composition root. The limiter comes before the breaker, and a write
// is never sent a second time from here.
import type {
  Broker,
  BrokerFault,
  BrokerFaultKind,
  CallOptions,
  NewOrder,
  WriteAnswer,
} from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { BrokerError } from "../ccxt/error-types.ts";
import { type CircuitBreaker, createCircuitBreaker, type Pass } from "./circuit-breaker.ts";
import { isPublic, limitOf, type Operation } from "./limits.ts";
import type { Need, Priority, RateLimiter } from "./rate-limiter.ts";

/** What the composition root hands in. */
export type ResilienceDeps = {
  readonly clock: Clock;
  readonly log: Log;
  /** Shared by every account of this process. */
  readonly limiter: RateLimiter;
  /** What the account's limits are counted for, e.g. its id; all its keys share them. */
  readonly accountKey: string;
  /** 0 to 1, for the spread of retries. */
  readonly random: () => number;
};

/** The broker with a look at its breakers. */
export type ResilientBroker = Broker & {
  readonly breakers: {
    readonly account: Pick<CircuitBreaker, "state" | "openForMs">;
    readonly publicData: Pick<CircuitBreaker, "state" | "openForMs">;
  };
};

type Job = {
  readonly operation: Operation;
  readonly symbol: string | null;
  readonly priority: Priority;
  readonly isExempt: boolean;
  readonly options: CallOptions;
};

const ATTEMPTS_MAX = 3;
const BACKOFF_MS = 250;
const BACKOFF_MAX_MS = 2000;
/** Retries are spread by up to this part of the wait. */
const JITTER_RATIO = 0.2;
const RETRIED: ReadonlySet<BrokerFaultKind> = new Set<BrokerFaultKind>([
  "transport",
  "rate_limit",
  "incomplete",
]);

/** Wraps a broker. */
export function createResilientBroker(deps: ResilienceDeps, inner: Broker): ResilientBroker {
  const breakerFor = (name: string) =>
    createCircuitBreaker({
      clock: deps.clock,
      onChange: (state) =>
        deps.log.warn(`${inner.exchangeId}: the breaker for ${name} is ${state}`, {
          account: deps.accountKey,
        }),
    });
  const breakers = { account: breakerFor("the account"), publicData: breakerFor("public data") };
  const gate = createGate(deps, inner.exchangeId, breakers);
  const { triggerWaitMs } = gate;
  const writes = wrapWrites(gate, inner);
  return { ...inner, ...wrapReads(gate, inner), ...writes, triggerWaitMs, breakers };
}

type Gate = {
  read<T>(job: Job, ask: (options: CallOptions) => Promise<T>): Promise<T>;
  write<T>(
    job: Job,
    send: (options: CallOptions) => Promise<WriteAnswer<T>>,
  ): Promise<WriteAnswer<T>>;
  triggerWaitMs(ahead: number): number;
};

function createGate(
  deps: ResilienceDeps,
  exchangeId: string,
  breakers: Record<"account" | "publicData", CircuitBreaker>,
): Gate {
  const { limiter, clock } = deps;

  function bucketOf(operation: Operation, symbol: string | null): Pick<Need, "key" | "limit"> {
    const limit = limitOf(exchangeId, operation);
    const scoped = limit.scope === "address" ? "" : ` ${deps.accountKey}`;
    const market = limit.scope === "symbol" ? ` ${symbol ?? ""}` : "";
    return { key: `${exchangeId}${scoped} ${limit.bucket}${market}`, limit };
  }

  function needOf({ operation, symbol, priority, options }: Job): Need {
    const { signal, patienceMs } = options;
    return { ...bucketOf(operation, symbol), priority, signal, patienceMs };
  }

  /** Waits for a token, then asks the breaker. @throws BrokerError when either says no */
  async function admit(job: Job, need: Need): Promise<Pass> {
    await limiter.acquire(need);
    const breaker = breakers[isPublic(job.operation) ? "publicData" : "account"];
    const pass = breaker.admit(job.isExempt);
    if (pass !== null) return pass;
    const seconds = Math.ceil(breaker.openForMs() / 1000);
    throw new BrokerError(
      "breaker_open",
      `${exchangeId} does not answer; it is asked again in ${seconds} s`,
    );
  }

  const inner = ({ options }: Job, need: Need): CallOptions => ({
    ...options,
    beforeNextRequest: () => limiter.acquire(need),
  });

  return {
    triggerWaitMs: (ahead) => limiter.waitMs(bucketOf("placeTrigger", null), ahead),
    async read(job, ask) {
      for (let attempt = 1; ; attempt++) {
        const need = needOf(job);
        const pass = await admit(job, need);
        try {
          const value = await ask(inner(job, need));
          pass.succeeded();
          return value;
        } catch (error) {
          const fault = faultOf(error);
          report(pass, fault?.kind);
          if (fault === null || !RETRIED.has(fault.kind)) throw error;
          if (fault.kind === "rate_limit") limiter.penalise(need, fault.retryAfterMs);
          if (attempt >= ATTEMPTS_MAX) throw error;
          await clock.sleep(backoffMs(attempt, deps.random), job.options.signal);
        }
      }
    },
    async write(job, send) {
      const need = needOf(job);
      let pass: Pass;
      try {
        pass = await admit(job, need);
      } catch (error) {
        return turnedAway(error);
      }
      if (job.options.mayLeave?.() === false) {
        pass.released();
        return KEPT_BACK;
      }
      try {
        const answer = await send(inner(job, need));
        if (answer.outcome === "unverified") pass.failed();
        else if (answer.outcome === "accepted" || answer.reason !== "RATE_LIMITED") {
          pass.succeeded();
        } else {
          limiter.penalise(need, answer.retryAfterMs);
          pass.failed();
        }
        return answer;
      } finally {
        pass.released();
      }
    },
  };
}

/** A gate closed while the write waited for its turn, or while this whole process stood still. */
const KEPT_BACK: WriteAnswer<never> = {
  outcome: "refused",
  reason: "BUSY",
  advice: "decide_again",
  sentence: "a gate was closed before it could be sent",
  retryAfterMs: null,
};

/** A write that never left, as an answer. */
function turnedAway(error: unknown): WriteAnswer<never> {
  const fault = faultOf(error);
  if (fault === null) throw error;
  const reason = fault.kind === "breaker_open" ? "BREAKER_OPEN" : "QUEUE_FULL";
  const { message: sentence, retryAfterMs } = fault;
  return { outcome: "refused", reason, advice: "back_off", sentence, retryAfterMs };
}

function report(pass: Pass, kind: BrokerFaultKind | undefined): void {
  if (kind === "transport" || kind === "rate_limit") pass.failed();
  else if (kind === undefined || kind === "queue_full" || kind === "not_supported") pass.released();
  else pass.succeeded();
}

function faultOf(error: unknown): BrokerFault | null {
  return error instanceof BrokerError ? error : null;
}

function backoffMs(attempt: number, random: () => number): number {
  const waitMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (attempt - 1));
  return waitMs * (1 + JITTER_RATIO * (2 * random() - 1));
}

type Reads = Pick<
  Broker,
  | "order"
  | "openOrders"
  | "tradesSince"
  | "positions"
  | "balances"
  | "leverage"
  | "positionMode"
  | "orderRules"
  | "feeRates"
  | "fundingSince"
  | "markPrice"
  | "topOfBook"
  | "serverTime"
  | "permissions"
>;

function wrapReads(gate: Gate, inner: Broker): Reads {
  const read = <T>(
    operation: Operation,
    symbol: string | null,
    options: CallOptions,
    ask: (options: CallOptions) => Promise<T>,
  ) => {
    const priority = options.isFlatten ? "flatten" : isPublic(operation) ? "data" : "query";
    return gate.read({ operation, symbol, priority, isExempt: false, options }, ask);
  };
  return {
    order: (ref, options) => read("order", ref.symbol, options, (to) => inner.order(ref, to)),
    openOrders: (symbol, options) =>
      read("openOrders", symbol, options, (to) => inner.openOrders(symbol, to)),
    tradesSince: (query, options) =>
      read("tradesSince", query.symbol, options, (to) => inner.tradesSince(query, to)),
    positions: (symbol, options) =>
      read("positions", symbol, options, (to) => inner.positions(symbol, to)),
    balances: (options) => read("balances", null, options, (to) => inner.balances(to)),
    leverage: (symbol, options) =>
      read("leverage", symbol, options, (to) => inner.leverage(symbol, to)),
    positionMode: (symbol, options) =>
      read("positionMode", symbol, options, (to) => inner.positionMode(symbol, to)),
    orderRules: (symbol, options) =>
      read("orderRules", symbol, options, (to) => inner.orderRules(symbol, to)),
    feeRates: (symbol, options) =>
      read("feeRates", symbol, options, (to) => inner.feeRates(symbol, to)),
    fundingSince: (query, options) =>
      read("fundingSince", query.symbol, options, (to) => inner.fundingSince(query, to)),
    markPrice: (symbol, options) =>
      read("markPrice", symbol, options, (to) => inner.markPrice(symbol, to)),
    topOfBook: (symbol, options) =>
      read("topOfBook", symbol, options, (to) => inner.topOfBook(symbol, to)),
    serverTime: (options) => read("serverTime", null, options, (to) => inner.serverTime(to)),
    permissions: (options) => read("permissions", null, options, (to) => inner.permissions(to)),
  };
}

type Writes = Pick<
  Broker,
  "place" | "amend" | "cancel" | "cancelAll" | "setDeadMan" | "setLeverage" | "setPositionMode"
>;

function wrapWrites(gate: Gate, inner: Broker): Writes {
  const write = <T>(
    operation: Operation,
    symbol: string | null,
    options: CallOptions,
    send: (options: CallOptions) => Promise<WriteAnswer<T>>,
    isExempt = false,
    rank: Priority = "place",
  ) => {
    const priority = options.isFlatten ? "flatten" : rank;
    const isPassing = isExempt || options.isFlatten === true;
    return gate.write({ operation, symbol, priority, isExempt: isPassing, options }, send);
  };
  const closes = ({ isReduceOnly }: NewOrder) => isReduceOnly;
  const isTrigger = ({ terms }: NewOrder) => terms.kind === "trigger";
  /** A stop goes before whatever opens: there are few trigger orders a second for a whole account. */
  const rankOf = (order: NewOrder): Priority =>
    isTrigger(order) && order.isReduceOnly ? "cancel" : "place";
  return {
    place: (order, options) =>
      write(
        isTrigger(order) ? "placeTrigger" : "place",
        order.symbol,
        options,
        (to) => inner.place(order, to),
        closes(order),
        rankOf(order),
      ),
    amend: (ref, change, options) =>
      write("amend", ref.symbol, options, (to) => inner.amend(ref, change, to)),
    cancel: (ref, options) =>
      write("cancel", ref.symbol, options, (to) => inner.cancel(ref, to), true, "cancel"),
    cancelAll: (symbol, options) =>
      write("cancelAll", symbol, options, (to) => inner.cancelAll(symbol, to), true, "cancel"),
    setDeadMan: (afterMs, options) =>
      write("setDeadMan", null, options, (to) => inner.setDeadMan(afterMs, to), true, "cancel"),
    setLeverage: (symbol, leverage, side, options) =>
      write("setLeverage", symbol, options, (to) => inner.setLeverage(symbol, leverage, side, to)),
    setPositionMode: (symbol, mode, options) =>
      write("setPositionMode", symbol, options, (to) => inner.setPositionMode(symbol, mode, to)),
  };
}
