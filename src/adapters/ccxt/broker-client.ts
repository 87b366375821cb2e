// A ccxt exchange with an account's keys, stripped to what the broker wants of it: signing, sending
// and naming errors. Opened by broker.ts. ccxt's own waiting, retrying, broker tags and clock are
// off; keys never leave this folder.
import { InputError } from "../../model/result.ts";
import type { Credentials } from "../../ports/account-probe.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";
import type { BrokerProfile } from "./broker-profile.ts";
import { createWire, isLoopback, type Send, type Wire } from "./broker-wire.ts";
import { type CcxtExchange, loadClass, redirected } from "./exchange.ts";
import { parseExact } from "./exact-json.ts";
import { profileOf } from "./profiles.ts";

/** A row as an exchange or ccxt gives it. */
export type Row = Readonly<Record<string, unknown>>;
type Params = Record<string, unknown>;
type Lists = (
  symbol: string | undefined,
  since: number | undefined,
  limit: number | undefined,
  params?: Params,
) => Promise<Row[]>;

/** The members of ccxt the broker touches; numbers arrive as strings. */
export type PrivateExchange = Pick<CcxtExchange, "id" | "has" | "options" | "urls"> & {
  headers: Record<string, unknown>;
  milliseconds: () => number;
  parseJson: (text: string) => unknown;
  setSandboxMode(isOn: boolean): void;
  loadMarkets: (reload?: boolean, params?: Params) => Promise<Record<string, Row>>;
  market(symbol: string): Row;
  amountToPrecision(symbol: string, qty: string): string;
  priceToPrecision(symbol: string, price: string): string;
  request(path: string, api: string | string[], method: string, params: Params): Promise<unknown>;
  createOrder(
    symbol: string,
    type: string,
    side: string,
    qty: string,
    price: string | undefined,
    params: Params,
  ): Promise<Row>;
  editOrder(
    id: string | undefined,
    symbol: string,
    type: string,
    side: string,
    qty: string | undefined,
    price: string | undefined,
    params: Params,
  ): Promise<Row>;
  cancelOrder(id: string | undefined, symbol: string, params: Params): Promise<unknown>;
  cancelAllOrders(symbol: string, params: Params): Promise<unknown>;
  cancelAllOrdersAfter(timeoutMs: number): Promise<unknown>;
  fetchOrder(id: string, symbol: string, params: Params): Promise<Row>;
  fetchOpenOrders: Lists;
  fetchMyTrades: Lists;
  fetchFundingHistory: Lists;
  fetchPositions(symbols: string[] | undefined, params?: Params): Promise<Row[]>;
  fetchBalance(): Promise<Row>;
  fetchLeverage(symbol: string, params?: Params): Promise<Row>;
  fetchPositionMode(symbol: string): Promise<Row>;
  fetchTradingFee(symbol: string): Promise<Row>;
  fetchTicker(symbol: string): Promise<Row>;
  fetchMarkPrice(symbol: string): Promise<Row>;
  fetchOrderBook(symbol: string, limit?: number): Promise<Row>;
  fetchTime(): Promise<number | undefined>;
  setLeverage(leverage: number, symbol: string, params?: Params): Promise<unknown>;
  setPositionMode(isHedge: boolean, symbol: string): Promise<unknown>;
};

/** Whose orders, where. */
export type BrokerAccount = {
  readonly exchangeId: string;
  readonly kind: InstrumentKind;
  /** `demo` never leaves loopback. */
  readonly mode: "demo" | "paper" | "live";
  readonly credentials: Credentials;
  /** The exchange's own test environment, with keys made there. */
  readonly isTestnet: boolean;
};

/** What opening needs. */
export type ClientDeps = {
  readonly clock: Clock;
  /** `http://127.0.0.1:port` in place of every address; demo accounts need it. */
  readonly loopbackUrl: string | null;
  /** One request including its answer. */
  readonly timeoutMs: number;
  /** Carries requests in place of `fetch`; addresses are judged before. */
  readonly send?: Send;
};

/** An opened exchange. */
export type Client = {
  readonly exchange: PrivateExchange;
  readonly wire: Wire;
  /** Exchange clock minus ours, ms; what requests are stamped with. */
  offsetMs: number;
};

const NAME = "dragon";

/**
 * Loads and prepares the exchange; nothing is sent.
 * @throws InputError when the account cannot be opened as asked
 */
export async function openClient(
  deps: ClientDeps,
  account: BrokerAccount,
  profile: BrokerProfile,
): Promise<Client> {
  const { loopbackUrl, clock } = deps;
  if (account.mode === "demo" && loopbackUrl === null) {
    throw new InputError("mode: a demo account needs the address of the local exchange");
  }
  if (loopbackUrl !== null && !isLoopback(loopbackUrl)) {
    throw new InputError("loopbackUrl: it must be an address of this machine, http://127.0.0.1:…");
  }
  const wire = createWire(clock, loopbackUrl !== null, deps.send);
  const Exchange = await loadClass<PrivateExchange>(profileOf(account.exchangeId), account.kind);
  const { apiKey, apiSecret, passphrase, uid } = account.credentials;
  const exchange = new Exchange({
    apiKey: apiKey.reveal(),
    secret: apiSecret.reveal(),
    ...(passphrase ? { password: passphrase.reveal() } : {}),
    ...(uid ? { uid: uid.reveal() } : {}),
    // Ours stands in front: ccxt's own queue would let a slow call hold up a cancel.
    enableRateLimit: false,
    timeout: deps.timeoutMs,
    userAgent: NAME,
    number: String,
    fetchImplementation: wire.fetch,
  });
  exchange.has.fetchCurrencies = false;
  exchange.parseJson = parseExact;
  Object.assign(exchange.options, profile.options);
  if (account.isTestnet) enterTestnet(exchange, profile);
  if (loopbackUrl !== null) exchange.urls.api = redirected(exchange.urls.api, loopbackUrl);
  const client: Client = { exchange, wire, offsetMs: 0 };
  loadMarketsOnce(exchange, profile.marketParams);
  exchange.milliseconds = () => clock.now() + client.offsetMs;
  return client;
}

/** ccxt keeps a failed load for ever; ours is tried again by the next call that needs it. */
function loadMarketsOnce(exchange: PrivateExchange, params: Params): void {
  const load = exchange.loadMarkets.bind(exchange);
  let loaded: Promise<Record<string, Row>> | null = null;
  exchange.loadMarkets = () => {
    loaded ??= load(true, params).catch((error: unknown) => {
      loaded = null;
      throw error;
    });
    return loaded;
  };
}

/** ccxt empties the addresses of an exchange without a test environment and says nothing. */
function enterTestnet(exchange: PrivateExchange, profile: BrokerProfile): void {
  if (!profile.hasTestnet || !exchange.urls.test) {
    throw new InputError(`testnet: ${profile.exchangeId} has no test environment`);
  }
  exchange.setSandboxMode(true);
}
