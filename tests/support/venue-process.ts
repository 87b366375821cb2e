// The simulated exchange in a process of its own: whatever is done to the program that trades on it, it goes on
// and remembers. Beside its real interfaces it answers what only an exchange can know: whether its books are
// ours, which client ids came twice, how long a position had no stop. Started by tests through child-program.ts.
import { type ConnectTarget, connect } from "../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Account } from "../../src/venue/account.ts";
import { isAlgoOpen } from "../../src/venue/algo-order.ts";
import { startVenue, type Venue } from "../../src/venue/server.ts";
import {
  DEFAULT_INSTRUMENTS,
  type MarketSettings,
  venueSettings,
} from "../../src/venue/settings.ts";
import { MINUTE_MS } from "../../src/model/time.ts";
import { say } from "./child-program.ts";
import { booksDiffer } from "./venue-books.ts";

/** How the exchange is started. */
export type VenueTask = {
  readonly seed: number;
  /** Virtual time per real time. */
  readonly speed: number;
  readonly volatilityPpm: number;
  /** Contracts named PERP_C00_USDT and so on. */
  readonly markets: number;
  readonly accounts: readonly string[];
  readonly hasDeadMan?: boolean;
};

/** What it says when it is there. */
export type VenueAddress = {
  readonly url: string;
  readonly wsUrl: string;
  readonly adminToken: string;
  /** The same instant by the exchange's clock and by the machine's. */
  readonly at: number;
  readonly wallAt: number;
  readonly accounts: readonly { readonly apiKey: string; readonly secret: string }[];
};

/** What it is asked; accounts by their place in the task. */
export type VenueQuestion =
  | {
      readonly ask: "differences";
      readonly account: number;
      readonly target: ConnectTarget;
      readonly scope: Scope;
      readonly accountId: AccountId;
    }
  | { readonly ask: "facts"; readonly account: number }
  | { readonly ask: "uncovered"; readonly starts: boolean };

/** What an account looks like from the exchange's side. */
export type VenueFacts = {
  readonly trades: number;
  readonly openLegs: number;
  readonly workingOrders: number;
  /** Client ids under which more than one order was accepted. */
  readonly twice: readonly string[];
  /** Every accepted order: the exchange's time, its client id and whether it only reduces. */
  readonly accepted: readonly (readonly [at: number, clientId: string, reduces: boolean])[];
};

/** Real time from the start to the first close of a candle. */
const FIRST_CLOSE_MS = 5000;
/** How often positions are looked at for their stop. */
const LOOK_MS = 50;
/** What a demo account is given in our rows too. */
const DEPOSIT = "10000";
/** Prices of the contracts begin here, in quote coins. */
const START_PRICE = "60000";

/** The symbol of a contract by its number. */
export function symbolOf(market: number): string {
  return `PERP_C${String(market).padStart(2, "0")}_USDT`;
}

function marketsOf({ markets, volatilityPpm }: VenueTask): MarketSettings[] {
  const [like] = DEFAULT_INSTRUMENTS;
  if (!like) throw new Error("the venue lists nothing");
  return Array.from({ length: markets }, (_, n) => ({
    instrument: { ...like, symbol: symbolOf(n), base: symbolOf(n).slice(5, 8) },
    feed: { kind: "generator", startPrice: START_PRICE, volatilityPpm, minuteQty: "12" },
  }));
}

/** Near a minute's end, so that bots need not wait for the first candle to close. */
function startOf({ speed }: VenueTask): number {
  const minute = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS;
  return minute - FIRST_CLOSE_MS * speed;
}

function open(task: VenueTask): Venue {
  const { seed, speed, hasDeadMan = false } = task;
  const settings = venueSettings({
    ...{ seed, startAt: startOf(task), markets: marketsOf(task) },
    accounts: task.accounts.map((name) => ({ name, deposit: DEPOSIT, hasDeadMan })),
  });
  return startVenue({ settings, speed, port: 0 });
}

/** Lots of each leg without a stop behind them, as spans of real time. */
function watchStops(accounts: readonly Account[]) {
  const since = new Map<string, number>();
  const spans: number[] = [];
  const look = () => {
    const nowMs = performance.now();
    for (const account of accounts) {
      for (const leg of account.legs.values()) {
        const key = `${account.id} ${leg.instrument.symbol} ${leg.side}`;
        const stops = [...account.algos.values()].filter(
          (algo) => algo.instrument === leg.instrument && isAlgoOpen(algo),
        );
        const covered = stops.reduce((sum, { lots }) => sum + lots, 0);
        const beganMs = since.get(key);
        if (covered < Math.abs(leg.lots)) since.set(key, beganMs ?? nowMs);
        else if (beganMs !== undefined) {
          spans.push(nowMs - beganMs);
          since.delete(key);
        }
      }
    }
  };
  setInterval(look, LOOK_MS);
  return {
    starts: () => {
      spans.splice(0);
      since.clear();
    },
    spans: () => [...spans, ...[...since.values()].map((beganMs) => performance.now() - beganMs)],
  };
}

function factsOf(account: Account): VenueFacts {
  const roots = [...account.algos.values()].filter(({ parentId }) => parentId === 0);
  const children = new Set(roots.flatMap(({ order }) => (order === null ? [] : [order])));
  const accepted = [
    ...[...account.orders.values()]
      .filter((order) => !children.has(order))
      .map((order) => [order.createdAt, order.clientOrderId, order.reduceOnly] as const),
    ...roots.map((algo) => [algo.createdAt, algo.clientId, algo.reduceOnly] as const),
  ];
  const counts = new Map<string, number>();
  for (const [, id] of accepted) if (id !== "0") counts.set(id, (counts.get(id) ?? 0) + 1);
  return {
    trades: account.trades.length,
    openLegs: [...account.legs.values()].filter(({ lots }) => lots !== 0).length,
    workingOrders: account.open.size + roots.filter(isAlgoOpen).length,
    twice: [...counts].filter(([, count]) => count > 1).map(([id]) => id),
    accepted,
  };
}

async function differences(
  venue: Venue,
  account: Account,
  { target, scope, accountId }: VenueQuestion & { ask: "differences" },
): Promise<readonly string[]> {
  const sql = connect(target, { max: 1 });
  try {
    const store = createTradingRepository(sql, nextStatus);
    return await booksDiffer(venue.exchange, account, { store, scope, accountId });
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function serve(task: VenueTask): Promise<void> {
  const venue = open(task);
  const accounts = [...venue.exchange.accounts.values()];
  const stops = watchStops(accounts);
  const { url, wsUrl, adminToken } = venue;
  const keys = accounts.map(({ apiKey, secret }) => ({ apiKey, secret }));
  const address: VenueAddress = {
    ...{ url, wsUrl, adminToken, at: venue.clock.now(), wallAt: Date.now(), accounts: keys },
  };
  say("venue", address);
  for await (const text of console) {
    const question: VenueQuestion = JSON.parse(text);
    if (question.ask === "uncovered") {
      say("uncovered", { spans: stops.spans() });
      if (question.starts) stops.starts();
      continue;
    }
    const account = accounts[question.account];
    if (!account) throw new Error(`there is no account ${question.account}`);
    if (question.ask === "facts") say("facts", factsOf(account));
    else say("differences", { found: await differences(venue, account, question) });
  }
  await venue.stop();
  process.exit(0);
}

if (import.meta.main) await serve(JSON.parse(process.argv[2] ?? "{}"));
