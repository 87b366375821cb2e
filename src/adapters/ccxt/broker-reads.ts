// The reads of the broker: asked once, judged, and asked a second time only when our clock had been
// wrong. Used by broker.ts. An answer that says nothing is an error, never an empty list.
import type { Broker, CallOptions, OrderReport } from "../../ports/broker.ts";
import type { Client, ClientDeps } from "./broker-client.ts";
import type { ClockKeeper } from "./broker-clock.ts";
import type { BrokerProfile, Dialect, Next } from "./broker-profile.ts";
import { noWait } from "./broker-pages.ts";
import { readFault } from "./broker-verdict.ts";
import type { Trail } from "./broker-wire.ts";
import { BrokerError, requireSupport } from "./error-types.ts";

/** Our clock may be slow by what exchanges let pass; the newest records must not be cut off by that. */
const AHEAD_MS = 600_000;

/** What reading needs. */
export type ReadDeps = Pick<ClientDeps, "clock"> & {
  readonly profile: BrokerProfile;
  readonly client: Client;
  readonly dialect: Dialect;
  readonly clockKeeper: ClockKeeper;
};

type Reads = Omit<
  Broker,
  | "place"
  | "amend"
  | "cancel"
  | "cancelAll"
  | "setDeadMan"
  | "setLeverage"
  | "setPositionMode"
  | "listen"
>;
type Ask<T> = (next: Next) => Promise<T>;
/** @param absent stands for what the exchange says it does not have; without it that is an error */
type Read = <T>(options: CallOptions, ask: Ask<T>, absent?: { readonly value: T }) => Promise<T>;

/** The reading half of a broker. */
export function createReads(deps: ReadDeps): Reads {
  const { profile, dialect, clock } = deps;
  const { capabilities, exchangeId } = profile;
  const read = createReader(deps);
  const only = (isSupported: boolean, what: string) =>
    requireSupport(isSupported, exchangeId, what);

  return {
    exchangeId,
    capabilities,
    async order(ref, options) {
      only(!ref.isTrigger || capabilities.triggerOrders, "trigger orders: it has none");
      return read<OrderReport | null>(options, () => dialect.order(ref), { value: null });
    },
    openOrders: (symbol, options) => read(options, (next) => dialect.openOrders(symbol, next)),
    async tradesSince(query, options) {
      only(capabilities.tradeRecords, "its trade records");
      only(query.symbol !== null || capabilities.tradesOfAll, "trade records of all symbols");
      return read(options, (next) => dialect.tradesSince(query, exchangeNow(), next));
    },
    async positions(symbol, options) {
      only(capabilities.leverage, "positions: it has none");
      return read(options, () => dialect.positions(symbol));
    },
    balances: (options) => read(options, () => dialect.balances()),
    async leverage(symbol, options) {
      only(capabilities.leverage, "leverage: it has none");
      return read(options, () => dialect.leverage(symbol));
    },
    async positionMode(symbol, options) {
      only(capabilities.positionMode, "a position mode: it has none");
      return read(options, () => dialect.positionMode(symbol));
    },
    orderRules: (symbol, options) => read(options, () => dialect.orderRules(symbol)),
    feeRates: (symbol, options) => read(options, () => dialect.feeRates(symbol)),
    async fundingSince(query, options) {
      only(capabilities.fundingPayments, "funding payments");
      return read(options, (next) => dialect.fundingSince(query, exchangeNow(), next));
    },
    async markPrice(symbol, options) {
      only(capabilities.markPrice, "a mark price");
      return read(options, () => dialect.markPrice(symbol));
    },
    topOfBook: (symbol, options) => read(options, () => dialect.topOfBook(symbol)),
    serverTime: (options) => read(options, () => dialect.serverTime()),
    async permissions(options) {
      try {
        return await read(options, () => dialect.permissions());
      } catch (error) {
        // An exchange that does not take the question tells nothing about the key.
        if (!(error instanceof BrokerError) || error.kind !== "refused") throw error;
        return { mayTrade: null, mayWithdraw: null, isAddressBound: null };
      }
    },
  };

  function exchangeNow(): number {
    return clock.now() + deps.client.offsetMs + AHEAD_MS;
  }
}

function createReader(deps: ReadDeps): Read {
  return async (options, ask, absent) => {
    const next = options.beforeNextRequest ?? noWait;
    const usedMs = deps.client.offsetMs;
    try {
      return await askOnce(deps, options.signal, () => ask(next), absent);
    } catch (error) {
      const isSuspect =
        error instanceof BrokerError && (error.kind === "clock" || error.kind === "auth");
      if (!isSuspect) throw error;
      await next();
      if (!(await deps.clockKeeper.wasWrong(usedMs))) throw error;
      await next();
      return await askOnce(deps, options.signal, () => ask(next), absent);
    }
  };
}

async function askOnce<T>(
  { client, profile }: ReadDeps,
  signal: AbortSignal,
  ask: () => Promise<T>,
  absent: { readonly value: T } | undefined,
): Promise<T> {
  const trail: Trail = { sent: [], signal };
  let error: unknown;
  try {
    const value = await client.wire.run(trail, ask);
    const hidden = trail.sent.some(({ body }) => body === undefined || profile.saysFailed(body));
    // ccxt takes a page of HTML, or a failure whose code it does not know, for an empty answer.
    if (!hidden) return value;
  } catch (thrown) {
    error = thrown;
  }
  signal.throwIfAborted();
  const sent = trail.sent.findLast(
    ({ status, body }) =>
      status === null || status >= 400 || body === undefined || profile.saysFailed(body),
  );
  const last = sent ?? trail.sent.at(-1);
  const meaning = last === undefined ? null : profile.meaningOf(last, error);
  const isGone = meaning?.fault === "gone" && (last?.status ?? 500) < 500;
  if (isGone && absent !== undefined) return absent.value;
  throw readFault(profile, last, error, sent === undefined ? null : meaning);
}
