// A venue for tests: stepped time, one contract with round numbers, prices that stand still unless a test
// moves them, and a raw client that signs by itself. Used by every venue test.
import { createHmac } from "node:crypto";
import type { Account } from "../../src/venue/account.ts";
import { startVenue, type Venue } from "../../src/venue/server.ts";
import {
  type AccountSettings,
  type HouseSettings,
  type VenueSettings,
  venueSettings,
} from "../../src/venue/settings.ts";
import type { InstrumentSpec } from "../../src/venue/instrument.ts";
import type { Exchange, Market } from "../../src/venue/state.ts";

/** Virtual start of every lab: ten minutes after a funding instant. */
export const START = Date.UTC(2026, 0, 5, 8, 10);

/** Tick 0.5, step 0.01, so that amounts can be checked by hand. */
export const SPEC: InstrumentSpec = {
  symbol: "PERP_BTC_USDT",
  base: "BTC",
  quote: "USDT",
  quoteMin: "0",
  quoteMax: "100000",
  quoteTick: "0.5",
  baseMin: "0.01",
  baseMax: "1000",
  baseTick: "0.01",
  minNotional: "1",
  bidCapRatio: "1.1",
  askFloorRatio: "0.9",
  maxLeverage: 50,
  maintenanceRatio: "0.01",
  maxPosition: "50",
  maxOpenNotional: "100000",
  fundingIntervalHours: 8,
};

/** Levels of 1 lot (0.01 BTC), no fill by chance, and a step may trade all of its volume. */
export const HOUSE: Partial<HouseSettings> = {
  halfSpreadTicks: 1,
  levels: 5,
  levelLotsMax: 1,
  participationPpm: 1_000_000,
  touchPpm: 0,
  indexBasisTicks: 0,
};

/** What a lab may change. */
export type LabOptions = Partial<VenueSettings> & {
  readonly house?: Partial<HouseSettings>;
  readonly account?: Partial<AccountSettings>;
  readonly spec?: Partial<InstrumentSpec>;
  readonly speed?: number;
};

/** A reply as parsed JSON; tests look into it by path. */
export type Reply = { readonly status: number; readonly text: string; readonly json: Row };

/** A JSON object whose members are looked at one by one. */
export type Row = { readonly [key: string]: Row } & { readonly [index: number]: Row };

/** Settings of a lab: price 100 from the start, an account of 10,000. */
export function labSettings(options: LabOptions = {}): VenueSettings {
  const { house, account, spec, speed: _, ...rest } = options;
  const instrument = { ...SPEC, ...spec };
  const steps = [{ at: (options.startAt ?? START) - 60_000, ticks: 200, lots: 100 }];
  return venueSettings({
    seed: 7,
    startAt: START,
    enforcesLimits: false,
    markets: [{ instrument, feed: { kind: "tape", steps }, house: { ...HOUSE, ...house } }],
    accounts: [{ name: "ann", deposit: "10000", ...account }],
    ...rest,
  });
}

/** A running lab. */
export type Lab = {
  readonly venue: Venue;
  readonly x: Exchange;
  readonly market: Market;
  readonly account: Account;
  /** A request of the account, signed unless it is public. */
  call(method: string, path: string, params?: Record<string, unknown>): Promise<Reply>;
  /** The same for another account. */
  callAs(account: Account, method: string, path: string, params?: object): Promise<Reply>;
  admin(method: string, path: string, body?: object): Promise<Reply>;
  /** Places an order on the contract and returns its id. @throws with the reply when refused */
  place(order: Record<string, unknown>): Promise<string>;
  /** The order as the exchange shows it. */
  order(id: string): Promise<Row>;
  /** The status word of an order. */
  status(id: string): Promise<string>;
  /** Moves the price; `quantity` is what trades on the way. */
  price(price: string, quantity?: string): Promise<void>;
  step(ms: number): Promise<void>;
  fault(name: string, rest?: object): Promise<Row>;
  stop(): Promise<void>;
};

const open: Lab[] = [];

/** Stops every lab; called after each test. */
export async function stopLabs(): Promise<void> {
  for (const lab of open.splice(0)) await lab.venue.stop();
}

/** Starts a lab. */
export function startLab(options: LabOptions = {}): Lab {
  const venue = startVenue({
    settings: labSettings(options),
    speed: options.speed ?? 0,
    port: 0,
  });
  const x = venue.exchange;
  const [market] = x.markets.values();
  const [account] = x.accounts.values();
  if (!market || !account) throw new Error("the lab has no market or no account");
  const symbol = market.instrument.symbol;
  const callAs: Lab["callAs"] = (who, method, path, params = {}) =>
    signedCall(venue, who, method, path, params);
  const admin: Lab["admin"] = (method, path, body) =>
    send(`${venue.url}/__venue__/${path}`, {
      method,
      headers: { "x-venue-token": venue.adminToken },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const must = async (reply: Promise<Reply>): Promise<Row> => {
    const { status, text, json } = await reply;
    if (status !== 200) throw new Error(`${status} ${text}`);
    return json;
  };
  const lab: Lab = {
    venue,
    x,
    market,
    account,
    callAs,
    admin,
    call: (method, path, params = {}) => callAs(account, method, path, params),
    async place(order) {
      const body = { symbol, type: "LIMIT", side: "BUY", quantity: "1", ...order };
      return String((await must(callAs(account, "POST", "/v3/trade/order", body))).data?.orderId);
    },
    async order(id) {
      const found = await must(callAs(account, "GET", "/v3/trade/order", { orderId: id }));
      if (!found.data) throw new Error(`no order ${id}`);
      return found.data;
    },
    status: async (id) => String((await lab.order(id)).status),
    async price(price, quantity = "1000") {
      await must(admin("POST", "price", { symbol, price, quantity }));
    },
    async step(ms) {
      await must(admin("POST", "advance", { ms }));
    },
    fault: (name, rest = {}) => must(admin("POST", "faults", { name, ...rest })),
    stop: () => venue.stop(),
  };
  open.push(lab);
  return lab;
}

/** Sends a request; the JSON is empty when the body is none. */
export async function send(url: string, init: RequestInit): Promise<Reply> {
  const response = await fetch(url, init);
  const text = await response.text();
  try {
    return { status: response.status, text, json: JSON.parse(text) };
  } catch {
    // Some replies are no JSON on purpose.
    return { status: response.status, text, json: {} };
  }
}

/** HMAC-SHA256 hex, written here a second time on purpose. */
export function sign(secret: string, text: string): string {
  return createHmac("sha256", secret).update(text).digest("hex");
}

/** A V3 request as the documents describe it. */
export function signedCall(
  venue: Venue,
  account: Account,
  method: string,
  path: string,
  params: object = {},
): Promise<Reply> {
  const isBody = method === "POST" || method === "PUT";
  const query = isBody ? "" : new URLSearchParams(params as Record<string, string>).toString();
  const target = query === "" ? path : `${path}?${query}`;
  const body = isBody ? JSON.stringify(params) : "";
  const timestamp = String(venue.exchange.now);
  return send(`${venue.url}${target}`, {
    method,
    headers: {
      "x-api-key": account.apiKey,
      "x-api-timestamp": timestamp,
      "x-api-signature": sign(account.secret, `${timestamp}${method}${target}${body}`),
      ...(isBody ? { "content-type": "application/json" } : {}),
    },
    ...(isBody ? { body } : {}),
  });
}

/** The code of a refusal, 0 for a success. */
export function codeOf(reply: Reply): number {
  return reply.json.success === (true as unknown) ? 0 : Number(reply.json.code);
}
