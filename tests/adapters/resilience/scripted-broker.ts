// A broker whose answers a test writes. Every call goes through one function, so that a test sees what
// reached the exchange and decides what comes back.
import { BrokerError } from "../../../src/adapters/ccxt/error-types.ts";
import type { Operation } from "../../../src/adapters/resilience/limits.ts";
import type { Broker, CallOptions, WriteAnswer } from "../../../src/ports/broker.ts";

/** One call as it came. */
export type Call = {
  readonly operation: Operation;
  readonly options: CallOptions;
  /** Of the order or query; empty where there is none. */
  readonly symbol: string;
};
/** Answers a call. */
export type Script = (call: Call) => Promise<unknown>;

const OPERATIONS: readonly Operation[] = [
  "order",
  "openOrders",
  "tradesSince",
  "positions",
  "balances",
  "leverage",
  "positionMode",
  "orderRules",
  "feeRates",
  "fundingSince",
  "markPrice",
  "topOfBook",
  "serverTime",
  "permissions",
  "place",
  "amend",
  "cancel",
  "cancelAll",
  "setDeadMan",
  "setLeverage",
  "setPositionMode",
];

/** A broker that follows the script. */
export function scriptedBroker(exchangeId: string, script: Script): Broker {
  const calls = OPERATIONS.map((operation) => [
    operation,
    (...values: unknown[]) =>
      script({ operation, options: values.at(-1) as CallOptions, symbol: symbolOf(values[0]) }),
  ]);
  return {
    exchangeId,
    capabilities: {},
    listen: () => null,
    ...Object.fromEntries(calls),
  } as unknown as Broker;
}

function symbolOf(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null && "symbol" in value
    ? String(value.symbol)
    : "";
}

export const accepted: WriteAnswer<null> = { outcome: "accepted", value: null };
export const lost: WriteAnswer<never> = {
  outcome: "unverified",
  cause: "timeout",
  sentence: "no answer",
};
/** A refusal with a reason. */
export function refusal(
  reason: Extract<WriteAnswer<never>, { outcome: "refused" }>["reason"],
  retryAfterMs: number | null = null,
): WriteAnswer<never> {
  return { outcome: "refused", reason, advice: "back_off", sentence: reason, retryAfterMs };
}
export const transport = () => new BrokerError("transport", "no answer");
