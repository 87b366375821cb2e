// The broker over ccxt: one account at one exchange behind ports/broker.ts. Built by the composition
// root, wrapped by adapters/resilience. It refuses what the exchange cannot do before anything is
// sent, judges every answer, and keeps the exchange's clock. It never sends a write twice.
import { InputError } from "../../model/result.ts";
import type {
  Broker,
  BrokerHint,
  CallOptions,
  HintStream,
  NewOrder,
  WriteAnswer,
} from "../../ports/broker.ts";
import type { Log } from "../../ports/log.ts";
import { BINANCE_PROFILE } from "./broker-binance.ts";
import { BYBIT_PROFILE } from "./broker-bybit.ts";
import { type BrokerAccount, type Client, type ClientDeps, openClient } from "./broker-client.ts";
import { type ClockKeeper, createClockKeeper } from "./broker-clock.ts";
import { KUCOIN_PROFILE } from "./broker-kucoin.ts";
import { OKX_PROFILE } from "./broker-okx.ts";
import { noWait } from "./broker-pages.ts";
import type { BrokerProfile, Dialect } from "./broker-profile.ts";
import { createReads } from "./broker-reads.ts";
import { UPBIT_PROFILE } from "./broker-upbit.ts";
import { refused, type Settled, unverified, writeAnswer } from "./broker-verdict.ts";
import type { Trail } from "./broker-wire.ts";
import { WOOX_PROFILE } from "./broker-woox.ts";
import { openWooxStream } from "./woox-stream.ts";

/** What the composition root hands in. */
export type BrokerDeps = ClientDeps & { readonly log: Log };

const PROFILES: readonly BrokerProfile[] = [
  WOOX_PROFILE,
  BINANCE_PROFILE,
  BYBIT_PROFILE,
  OKX_PROFILE,
  KUCOIN_PROFILE,
  UPBIT_PROFILE,
];
const CLIENT_ID = /^[1-9]\d{0,18}$/;
const LEVERAGE_MAX = 1000;

/** Exchanges that can be traded, by our ids. */
export const TRADED_EXCHANGES: readonly string[] = PROFILES.map(({ exchangeId }) => exchangeId);

/**
 * Opens an account; nothing is sent yet.
 * @throws InputError when the exchange cannot be traded or the account not be opened as asked
 */
export async function createCcxtBroker(deps: BrokerDeps, account: BrokerAccount): Promise<Broker> {
  const profile = PROFILES.find(({ exchangeId }) => exchangeId === account.exchangeId);
  if (profile === undefined) {
    throw new InputError(
      `exchange: "${account.exchangeId}" cannot be traded; choose ${TRADED_EXCHANGES.join(", ")}`,
    );
  }
  const client = await openClient(deps, account, profile);
  const dialect = profile.dialect(client);
  const clockKeeper = createClockKeeper(deps, client, dialect);
  const reads = createReads({ ...deps, profile, client, dialect, clockKeeper });
  const listen = (onHint: (hint: BrokerHint) => void): HintStream | null =>
    profile.exchangeId === "woox" ? openWooxStream({ ...deps, account, client }, onHint) : null;
  const write = createWriter(deps, client, profile, clockKeeper);
  return { ...reads, ...createWrites(profile, dialect, write), listen };
}

type Write = <T>(options: CallOptions, send: () => Promise<T>) => Promise<WriteAnswer<T>>;

/** Sends a write once and judges what came back; a wrong clock is set right for the next one. */
function createWriter(
  deps: BrokerDeps,
  client: Client,
  profile: BrokerProfile,
  clockKeeper: ClockKeeper,
): Write {
  return async <T>(options: CallOptions, send: () => Promise<T>) => {
    const trail: Trail = { sent: [], signal: options.signal };
    const usedMs = client.offsetMs;
    let settled: Settled<T>;
    try {
      settled = { value: await client.wire.run(trail, send) };
    } catch (error) {
      settled = { error };
    }
    const sent = trail.sent.findLast(({ method }) => method !== "GET");
    if (sent === undefined && options.signal.aborted) return stopped(profile);
    const answer = writeAnswer(profile, sent, settled);
    if (answer.outcome !== "refused") return answer;
    if (answer.reason === "UNKNOWN_CODE") {
      deps.log.error(`${profile.exchangeId} refused a write with an unknown code`);
    }
    const isSuspect = answer.reason === "CLOCK_SKEW" || answer.reason === "KEY_REFUSED";
    if (!isSuspect || !(await clockKeeper.wasWrong(usedMs))) return answer;
    const sentence = "our clock was off and is set right now";
    return refused(profile, { fault: "clock", reason: "CLOCK_SKEW", sentence }, null);
  };
}

function stopped(profile: BrokerProfile): WriteAnswer<never> {
  const sentence = "it was stopped before it was sent";
  return refused(profile, { fault: "transport", reason: "BUSY", sentence }, null);
}

type Writes = Pick<
  Broker,
  "place" | "amend" | "cancel" | "cancelAll" | "setDeadMan" | "setLeverage" | "setPositionMode"
>;

function createWrites(profile: BrokerProfile, dialect: Dialect, write: Write): Writes {
  const { capabilities } = profile;
  const unsupported = (what: string) =>
    refused(
      profile,
      { fault: "business", reason: "NOT_SUPPORTED", sentence: `it has no ${what}` },
      null,
    );
  const bad = (sentence: string) =>
    refused(profile, { fault: "business", reason: "BAD_REQUEST", sentence }, null);
  const done = (options: CallOptions, send: () => Promise<unknown>) =>
    write(options, async () => {
      await send();
      return null;
    });
  const next = (options: CallOptions) => options.beforeNextRequest ?? noWait;

  return {
    async place(order, options) {
      const missing = unmet(profile, order);
      if (missing !== null) return unsupported(missing);
      const wrong = flaw(profile, order);
      if (wrong !== null) return bad(wrong);
      const answer = await write(options, () => dialect.place(order));
      if (answer.outcome !== "accepted") return answer;
      const exchangeOrderId = answer.value;
      if (exchangeOrderId === null) return unverified(profile, "unreadable_answer");
      return { outcome: "accepted", value: { exchangeOrderId } };
    },
    async amend(ref, change, options) {
      if (!capabilities.amend) return unsupported("amendments");
      if (change.price === null && change.qty === null) return bad("nothing is amended");
      return done(options, () => dialect.amend(ref, change));
    },
    async cancel(ref, options) {
      if (ref.isTrigger && !capabilities.triggerOrders) return unsupported("trigger orders");
      return done(options, () => dialect.cancel(ref));
    },
    async cancelAll(symbol, options) {
      if (!capabilities.cancelAll) return unsupported("cancelling of everything");
      return done(options, () => dialect.cancelAll(symbol, next(options)));
    },
    async setDeadMan(afterMs, options) {
      if (!capabilities.deadMan) return unsupported("dead-man timer");
      if (!Number.isSafeInteger(afterMs) || afterMs < 0) {
        return bad(`afterMs: ${afterMs} must be a whole number of at least 0`);
      }
      return done(options, () => dialect.setDeadMan(afterMs));
    },
    async setLeverage(symbol, leverage, positionSide, options) {
      if (!capabilities.leverage) return unsupported("leverage");
      if (!Number.isInteger(leverage) || leverage < 1 || leverage > LEVERAGE_MAX) {
        return bad(`leverage: ${leverage} must be a whole number from 1 to ${LEVERAGE_MAX}`);
      }
      return done(options, () => dialect.setLeverage(symbol, leverage, positionSide));
    },
    async setPositionMode(symbol, mode, options) {
      if (!capabilities.switchesPositionMode) return unsupported("position modes");
      return done(options, () => dialect.setPositionMode(symbol, mode));
    },
  };
}

/** What an order asks for that the exchange does not have; null when it has everything. */
function unmet({ capabilities }: BrokerProfile, order: NewOrder): string | null {
  const { terms } = order;
  if (terms.kind === "queue" && !capabilities.queueLevels) return "queue levels";
  if (terms.kind === "trigger" && !capabilities.triggerOrders) return "trigger orders";
  if (terms.kind === "post_only" && terms.mayAdjust && !capabilities.postOnlyAdjust) {
    return "adjusted post-only orders";
  }
  if (order.visibleQty !== null && !capabilities.visibleQty) return "hidden quantities";
  return order.positionSide !== null && !capabilities.hedge ? "position legs" : null;
}

/** What makes an order unfit to be sent anywhere; null when nothing does. */
function flaw({ capabilities }: BrokerProfile, order: NewOrder): string | null {
  const { clientOrderId: id, leverage } = order;
  if (!CLIENT_ID.test(id)) return `clientOrderId: "${id}" must be 1 to 19 digits`;
  if (BigInt(id) > 9_223_372_036_854_775_807n) return `clientOrderId: ${id} must be below 2^63`;
  if (Number(order.qty) <= 0) return `qty: ${order.qty} must be above 0`;
  const isMissing = capabilities.leverageWithOrder && leverage === null && !order.isReduceOnly;
  return isMissing ? "leverage: it must be given with every opening order" : null;
}
