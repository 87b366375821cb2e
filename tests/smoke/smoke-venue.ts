// The exchange of the smoke list as a process of its own: beside its real interfaces it opens its books to the
// tests, compares them with our rows, and ends the keys of an account for new ones. Started by smoke-world.ts.
import { type ConnectTarget, connect } from "../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import { MINUTE_MS } from "../../src/model/time.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Account } from "../../src/venue/account.ts";
import { isAlgoOpen } from "../../src/venue/algo-order.ts";
import { gridText } from "../../src/venue/decimal.ts";
import type { Side } from "../../src/venue/order.ts";
import { startVenue, type Venue } from "../../src/venue/server.ts";
import { DEFAULT_INSTRUMENTS, venueSettings } from "../../src/venue/settings.ts";
import { say } from "../support/child-program.ts";
import { booksDiffer } from "../support/venue-books.ts";
import { symbolOf, type VenueAddress } from "../support/venue-process.ts";

/** How the exchange is started. */
export type SmokeVenueTask = {
  readonly seed: number;
  /** Virtual time per real time. */
  readonly speed: number;
  readonly volatilityPpm: number;
  /** Contracts named by `symbolOf`. */
  readonly markets: number;
  /** Names of its accounts. */
  readonly accounts: readonly string[];
};

/** What it is asked; accounts by name. */
export type SmokeQuestion = { readonly account: string } & (
  | { readonly ask: "book" }
  | { readonly ask: "renewKeys" }
  | {
      readonly ask: "differences";
      readonly target: ConnectTarget;
      readonly scope: Scope;
      readonly accountId: AccountId;
    }
);

/** Keys of an account at the exchange. */
export type SmokeKeys = VenueAddress["accounts"][number];

/** An order the exchange accepted; those that a stop became are left out. */
export type BookedOrder = {
  /** The exchange's time. */
  readonly at: number;
  readonly clientId: string;
  readonly symbol: string;
  readonly side: Side;
  readonly isReduceOnly: boolean;
  readonly isTrigger: boolean;
  /** The exchange's word: NEW, FILLED, CANCELLED. */
  readonly status: string;
  readonly isWorking: boolean;
  /** Its limit; null without one. */
  readonly price: string | null;
};

/** An account in the exchange's own books. */
export type SmokeBook = {
  readonly orders: readonly BookedOrder[];
  /** Signed quantity by contract; flat ones are absent. */
  readonly held: Readonly<Record<string, string>>;
  readonly trades: number;
};

/** Real time from the start to the first close of a candle. */
const FIRST_CLOSE_MS = 5000;
/** What every account is given. */
export const DEPOSIT = "10000";
/** Prices of the contracts begin here, in quote coins. */
const START_PRICE = "60000";

function open({ seed, speed, volatilityPpm, markets, accounts }: SmokeVenueTask): Venue {
  const [like] = DEFAULT_INSTRUMENTS;
  if (!like) throw new Error("the venue lists nothing");
  const minute = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS;
  const settings = venueSettings({
    ...{ seed, startAt: minute - FIRST_CLOSE_MS * speed },
    markets: Array.from({ length: markets }, (_, n) => ({
      instrument: { ...like, symbol: symbolOf(n), base: symbolOf(n).slice(5, 8) },
      feed: { kind: "generator", startPrice: START_PRICE, volatilityPpm, minuteQty: "12" },
    })),
    accounts: accounts.map((name) => ({ name, deposit: DEPOSIT, hasDeadMan: false })),
  });
  return startVenue({ settings, speed, port: 0 });
}

function bookOf(account: Account): SmokeBook {
  const roots = [...account.algos.values()].filter(({ parentId }) => parentId === 0);
  const children = new Set(roots.map(({ order }) => order));
  const plain = [...account.orders.values()].filter((order) => !children.has(order));
  const legs = [...account.legs.values()].filter(({ lots }) => lots !== 0);
  return {
    orders: [
      ...plain.map((order) => ({
        ...{ at: order.createdAt, clientId: order.clientOrderId, isTrigger: false },
        ...{ symbol: order.instrument.symbol, side: order.side, isReduceOnly: order.reduceOnly },
        ...{ status: order.status, isWorking: account.open.has(order) },
        price: order.ticks === null ? null : gridText(order.ticks, order.instrument.price),
      })),
      ...roots.map((algo) => ({
        ...{ at: algo.createdAt, clientId: algo.clientId, isTrigger: true },
        ...{ symbol: algo.instrument.symbol, side: algo.side, isReduceOnly: algo.reduceOnly },
        ...{ status: algo.status, isWorking: isAlgoOpen(algo), price: null },
      })),
    ],
    held: Object.fromEntries(
      legs.map(({ instrument, lots }) => [instrument.symbol, gridText(lots, instrument.qty)]),
    ),
    trades: account.trades.length,
  };
}

/** The former key is unknown from now on, and streams that were opened with it are not. */
function renewKeys({ exchange }: Venue, account: Account): SmokeKeys {
  exchange.byKey.delete(account.apiKey);
  const keys = { apiKey: `${account.apiKey}-next`, secret: `${account.secret}-next` };
  Object.assign(account, keys);
  exchange.byKey.set(keys.apiKey, account);
  return keys;
}

async function differences(
  { exchange }: Venue,
  account: Account,
  { target, scope, accountId }: SmokeQuestion & { ask: "differences" },
): Promise<readonly string[]> {
  const sql = connect(target, { max: 1 });
  try {
    const store = createTradingRepository(sql, nextStatus);
    return await booksDiffer(exchange, account, { store, scope, accountId });
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function serve(task: SmokeVenueTask): Promise<void> {
  const venue = open(task);
  const { url, wsUrl, adminToken, exchange } = venue;
  const all = [...exchange.accounts.values()];
  const accounts = all.map(({ apiKey, secret }) => ({ apiKey, secret }));
  const times = { at: venue.clock.now(), wallAt: Date.now() };
  say("venue", { url, wsUrl, adminToken, ...times, accounts } satisfies VenueAddress);
  for await (const text of console) {
    const question: SmokeQuestion = JSON.parse(text);
    const account = all.find(({ name }) => name === question.account);
    if (!account) throw new Error(`there is no account ${question.account}`);
    if (question.ask === "book") say("book", bookOf(account));
    else if (question.ask === "renewKeys") say("renewKeys", renewKeys(venue, account));
    else say("differences", { found: await differences(venue, account, question) });
  }
  await venue.stop();
  process.exit(0);
}

if (import.meta.main) await serve(JSON.parse(process.argv[2] ?? "{}"));
