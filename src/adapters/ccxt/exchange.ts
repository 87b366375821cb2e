// Builds ccxt exchanges for public market data, used by connections.ts, and loads their classes for
// the broker. Knows the few members of ccxt we touch; no key, account or order ever passes here.
import { exchanges } from "../../../dist/gen/exchanges.ts";
import { InputError } from "../../model/result.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";
import { MarketDataError } from "./errors.ts";
import type { Profile } from "./profiles.ts";

/** A market as ccxt describes it; only what we read. */
export type CcxtMarket = {
  readonly id: string;
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly settle?: string | undefined;
  readonly spot?: boolean | undefined;
  readonly swap?: boolean | undefined;
  readonly linear?: boolean | undefined;
  readonly active?: boolean | undefined;
  readonly contractSize?: number | undefined;
  readonly precision: { readonly amount?: number | undefined; readonly price?: number | undefined };
  readonly limits: {
    readonly amount?: { readonly min?: number | undefined };
    readonly cost?: { readonly min?: number | undefined };
  };
};

/** A row of candles as ccxt parses it: open time, open, high, low, close, volume. */
export type CcxtCandle = readonly (number | undefined | null)[];

/** A funding rate as ccxt parses it. */
export type CcxtFunding = {
  readonly timestamp?: number | undefined;
  readonly fundingRate?: number | undefined;
};

type ParseCandles = (
  rows: unknown,
  market?: unknown,
  timeframe?: string,
  since?: number,
  limit?: number,
  tail?: boolean,
) => CcxtCandle[];

/** The part of a ccxt exchange we use. */
export type CcxtExchange = {
  readonly id: string;
  readonly has: Record<string, unknown>;
  readonly timeframes?: Record<string, unknown>;
  readonly precisionMode: number;
  timeout: number;
  enableRateLimit: boolean;
  options: Record<string, unknown>;
  urls: Record<string, unknown>;
  last_response_headers: Record<string, string> | undefined;
  enableLastJsonResponse: boolean;
  last_json_response: unknown;
  /** HTTP status of the last answer, noted by `noteStatus`. */
  lastStatus?: number | undefined;
  handleErrors: (status: number, ...rest: unknown[]) => unknown;
  parseOHLCVs: ParseCandles;
  loadMarkets(reload: boolean): Promise<Record<string, CcxtMarket>>;
  fetchTime(): Promise<number | undefined>;
  fetchOHLCV(
    symbol: string,
    timeframe: string,
    since: number,
    limit: number,
  ): Promise<CcxtCandle[]>;
  fetchFundingRateHistory(
    symbol: string,
    since: number,
    limit: number,
    params: Record<string, unknown>,
  ): Promise<CcxtFunding[]>;
  featureValue(symbol: string, method: string, name: string): unknown;
};

type CcxtClass<Exchange> = new (settings: Record<string, unknown>) => Exchange;

const REQUEST_TIMEOUT_MS = 20_000;

/** ccxt's class names of everything installed. */
export function ccxtIds(): string[] {
  return Object.keys(exchanges);
}

/**
 * Loads the class of an exchange and constructs it.
 * @param loopbackUrl `http://127.0.0.1:port` that takes the place of every address of the exchange
 * @throws InputError when there is no such exchange or it has no such markets
 */
export async function buildExchange(
  profile: Profile,
  kind: InstrumentKind,
  loopbackUrl: string | undefined,
): Promise<CcxtExchange> {
  const Exchange = await loadClass<CcxtExchange>(profile, kind);
  const exchange = new Exchange({ enableRateLimit: true, timeout: REQUEST_TIMEOUT_MS });
  const types = profile.marketTypes?.[kind];
  if (types) exchange.options.fetchMarkets = { types: [...types] };
  // Currencies are for transfers; asking for them costs requests and often needs a key.
  exchange.has.fetchCurrencies = false;
  exchange.enableLastJsonResponse = true;
  noteStatus(exchange);
  seeWholePages(exchange);
  if (loopbackUrl !== undefined) exchange.urls.api = redirected(exchange.urls.api, loopbackUrl);
  return exchange;
}

/**
 * The ccxt class of an exchange's markets; the caller names the members of it that it uses.
 * @throws InputError when there is no such exchange or it has no such markets
 */
export async function loadClass<Exchange>(
  profile: Profile,
  kind: InstrumentKind,
): Promise<CcxtClass<Exchange>> {
  const name = profile.classes[kind];
  if (name === null) throw new InputError(`exchange: ${profile.exchangeId} has no ${kind} markets`);
  const load = Object.hasOwn(exchanges, name) ? exchanges[name] : undefined;
  if (load === undefined) {
    throw new InputError(`exchange: "${profile.exchangeId}" is not an exchange we can reach`);
  }
  const module = await load();
  if (!hasClass<Exchange>(module))
    throw new MarketDataError(`the ccxt module ${name} holds no exchange`);
  return module.default;
}

function hasClass<Exchange>(module: unknown): module is { default: CcxtClass<Exchange> } {
  return (
    typeof module === "object" &&
    module !== null &&
    "default" in module &&
    typeof module.default === "function"
  );
}

/** A body ccxt does not know hides a 429 or 503 behind a refusal; the status tells. */
function noteStatus(exchange: CcxtExchange): void {
  const handle = exchange.handleErrors.bind(exchange);
  exchange.handleErrors = (status, ...rest) => {
    exchange.lastStatus = status;
    return handle(status, ...rest);
  };
}

/**
 * ccxt drops candles before `since` silently; we must see them to notice an exchange that repeats
 * itself.
 */
function seeWholePages(exchange: CcxtExchange): void {
  const parse = exchange.parseOHLCVs.bind(exchange);
  exchange.parseOHLCVs = (rows, market, timeframe) => parse(rows, market, timeframe);
}

/** Replaces scheme and host in every address below `value`. */
export function redirected(value: unknown, origin: string): unknown {
  if (typeof value === "string") return value.replace(/^https?:\/\/[^/]+/, origin);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, redirected(inner, origin)]),
  );
}
