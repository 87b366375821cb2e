// Exchanges in use: built once, their markets loaded and kept for a while, their clock compared
// with ours. Used by market-data.ts, price-feed.ts and the paging files. An exchange that has a
// loopback address is never asked anywhere else.
import { DEMO_EXCHANGE } from "../../model/demo-exchange.ts";
import { InputError } from "../../model/result.ts";
import { type ClockReading, theirNow } from "../../model/their-clock.ts";
import { type EpochMs, formatTimeframe } from "../../model/time.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";
import type { Market } from "../../ports/market-data.ts";
import { type AskDeps, ask } from "./ask.ts";
import { EgressError, isLoopback } from "./broker-wire.ts";
import { shortText } from "./errors.ts";
import { buildExchange, type CcxtExchange, type CcxtMarket } from "./exchange.ts";
import { type Profile, profileOf } from "./profiles.ts";

/** What the composition root decides. */
export type ConnectionDeps = AskDeps & {
  /**
   * By our exchange id, the address `http://127.0.0.1:port` that replaces all of the exchange's own.
   * The simulated exchange of demo accounts has one; `demo` is unknown without it.
   */
  readonly loopbackUrls?: Readonly<Record<string, string>>;
};

/** One exchange with its markets of one kind. */
export type Connection = {
  readonly exchange: CcxtExchange;
  readonly profile: Profile;
  /** By our symbols. */
  readonly markets: ReadonlyMap<string, CcxtMarket>;
};

/** Opens connections and keeps them. */
export type Connections = {
  open(exchangeId: string, kind: InstrumentKind, signal: AbortSignal): Promise<Connection>;
  /** The market and its connection. @throws InputError when the exchange does not list it */
  find(market: Market, signal: AbortSignal): Promise<Connection & { readonly listed: CcxtMarket }>;
  /** The exchange's clock; ours where it tells none. Asked for now and then, and after ours was set. */
  exchangeTime(connection: Connection, signal: AbortSignal): Promise<EpochMs>;
  /** The same without waiting: null while it is not known, and is asked for meanwhile. */
  timeNow(connection: Connection): EpochMs | null;
};

type Loaded = { readonly connection: Connection; readonly atMs: number };

const MARKETS_KEPT_MS = 600_000;
const READING_KEPT_MS = 600_000;

/** Connections to public market data; nothing is sent before the first use. */
export function createConnections(deps: ConnectionDeps): Connections {
  const loaded = new Map<string, Loaded>();
  const readings = new Map<CcxtExchange, ClockReading>();
  /** Whose clock is being read for nobody in particular. */
  const reading = new Set<CcxtExchange>();
  const built = new Map<string, CcxtExchange>();

  async function open(
    exchangeId: string,
    kind: InstrumentKind,
    signal: AbortSignal,
  ): Promise<Connection> {
    const loopbackUrl = deps.loopbackUrls?.[exchangeId];
    // The demo exchange listens somewhere else after every start.
    const key = `${exchangeId} ${kind} ${loopbackUrl ?? ""}`;
    const known = loaded.get(key);
    if (known && deps.clock.monotonicMs() - known.atMs < MARKETS_KEPT_MS) return known.connection;
    const profile = profileFor(exchangeId);
    const exchange = built.get(key) ?? (await buildAt(profile, kind, loopbackUrl));
    built.set(key, exchange);
    // Reload: ccxt keeps a failed load for ever.
    const all = await ask(deps, exchange, "the markets", signal, () => exchange.loadMarkets(true));
    const markets = new Map<string, CcxtMarket>();
    for (const market of Object.values(all)) {
      if (isKind(market, kind)) markets.set(symbolOf(profile, market), market);
    }
    const connection = { exchange, profile, markets };
    loaded.set(key, { connection, atMs: deps.clock.monotonicMs() });
    return connection;
  }

  /** Their clock as last read; `isDue` when it should be read again. */
  function carried(exchange: CcxtExchange): { now: EpochMs | null; isDue: boolean } {
    const { clock } = deps;
    const read = readings.get(exchange);
    if (read === undefined) return { now: null, isDue: true };
    const now = theirNow(read, clock.now(), clock.monotonicMs());
    const isOld = clock.monotonicMs() - read.monotonicMs > READING_KEPT_MS;
    return { now, isDue: now === null || isOld };
  }

  async function readTime(exchange: CcxtExchange, signal: AbortSignal): Promise<EpochMs> {
    const told = await ask(deps, exchange, "the time", signal, () => exchange.fetchTime());
    const ours = deps.clock.now();
    const theirs = told ?? ours;
    readings.set(exchange, { theirs, ours, monotonicMs: deps.clock.monotonicMs() });
    return theirs;
  }

  return {
    open,
    async find(market, signal) {
      const connection = await open(market.exchangeId, market.kind, signal);
      const listed = connection.markets.get(market.symbol);
      if (listed === undefined) throw unlisted(market, connection);
      return { ...connection, listed };
    },
    async exchangeTime({ exchange }, signal) {
      if (exchange.has.fetchTime !== true) return deps.clock.now();
      const { now, isDue } = carried(exchange);
      return now !== null && !isDue ? now : await readTime(exchange, signal);
    },
    timeNow({ exchange }) {
      if (exchange.has.fetchTime !== true) return deps.clock.now();
      const { now, isDue } = carried(exchange);
      if (isDue && !reading.has(exchange)) {
        reading.add(exchange);
        readTime(exchange, new AbortController().signal)
          .catch((error: unknown) => {
            deps.log.debug("the time of an exchange did not arrive", { error: shortText(error) });
          })
          .finally(() => reading.delete(exchange));
      }
      return now;
    },
  };
}

/** How an exchange is driven; the simulated one as the exchange it imitates. */
function profileFor(exchangeId: string): Profile {
  if (exchangeId !== DEMO_EXCHANGE) return profileOf(exchangeId);
  return { ...profileOf("woox"), exchangeId };
}

/** @throws InputError when the exchange is not there or its address is not on this machine */
async function buildAt(
  profile: Profile,
  kind: InstrumentKind,
  loopbackUrl: string | undefined,
): Promise<CcxtExchange> {
  if (loopbackUrl === undefined) {
    if (profile.exchangeId !== DEMO_EXCHANGE) return buildExchange(profile, kind, undefined);
    throw new InputError("exchange: the simulated exchange is not running here");
  }
  if (!isLoopback(loopbackUrl)) {
    throw new InputError("loopbackUrl: it must be an address of this machine, http://127.0.0.1:…");
  }
  const exchange = await buildExchange(profile, kind, loopbackUrl);
  return Object.assign(exchange, { fetchImplementation: loopbackFetch });
}

/** Bun takes a configured proxy even for loopback addresses unless told not to. */
const WITHOUT_PROXY: object = { proxy: false };

async function loopbackFetch(address: string, init: RequestInit): Promise<Response> {
  if (!isLoopback(address)) {
    throw new EgressError("a request to another machine was not sent for a local exchange");
  }
  return fetch(address, { ...init, ...WITHOUT_PROXY, redirect: "error" });
}

function isKind(market: CcxtMarket, kind: InstrumentKind): boolean {
  return kind === "spot" ? market.spot === true : market.swap === true;
}

/** Our symbol: WOO X and its imitation use the exchange's own, the others ccxt's. */
function symbolOf(profile: Profile, market: CcxtMarket): string {
  return profile.classes.perps === "woo" ? market.id : market.symbol;
}

function unlisted(market: Market, { markets }: Connection): InputError {
  const base = /^(?:PERP_|SPOT_)?([^_/]+)/.exec(market.symbol)?.[1] ?? market.symbol;
  const similar = [...markets.keys()].filter((symbol) => symbol.includes(base)).slice(0, 5);
  const hint = similar.length > 0 ? `; it lists ${similar.join(", ")}` : "";
  return new InputError(
    `symbol: ${market.exchangeId} has no ${market.kind} market "${market.symbol}"${hint}`,
  );
}

/** True when the exchange has candles of the timeframe. */
export function offersTimeframe(connection: Connection, timeframeMin: number): boolean {
  return offered(connection).includes(formatTimeframe(timeframeMin));
}

/**
 * The timeframe in ccxt's words.
 * @throws InputError naming what the exchange has when it does not offer it
 */
export function timeframeName(connection: Connection, timeframeMin: number): string {
  const name = formatTimeframe(timeframeMin);
  if (offersTimeframe(connection, timeframeMin)) return name;
  throw new InputError(
    `timeframe: ${connection.profile.exchangeId} has no ${name} candles; ` +
      `it has ${offered(connection).join(", ")}`,
  );
}

function offered({ exchange, profile }: Connection): string[] {
  return [...Object.keys(exchange.timeframes ?? {}), ...profile.moreTimeframes];
}

/** Most rows of candles one request brings. */
export function pageBarsOf(connection: Connection & { readonly listed: CcxtMarket }): number {
  const { exchange, listed } = connection;
  const limit = exchange.featureValue(listed.symbol, "fetchOHLCV", "limit");
  return typeof limit === "number" && limit >= 10 ? Math.min(limit, 1500) : 100;
}
