// What we know of each exchange beyond ccxt: our id, the ccxt class of each kind of market, limits
// ccxt does not state. Used by this folder only; an exchange without a profile passes through under
// its ccxt id.
import { InputError } from "../../model/result.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";

/** How one exchange is driven. */
export type Profile = {
  readonly exchangeId: string;
  /** ccxt class by kind of market; null where the exchange has no such market. */
  readonly classes: Readonly<Record<InstrumentKind, string | null>>;
  /** Market groups to load, by kind, where the class would load all. */
  readonly marketTypes?: Readonly<Partial<Record<InstrumentKind, readonly string[]>>>;
  /** Timeframes the exchange serves although ccxt does not list them. */
  readonly moreTimeframes: readonly string[];
  /** Most funding rates one request brings. */
  readonly fundingLimit: number;
  /** Parameter that ends a funding request; the instant itself is not part of the answer. */
  readonly fundingEnd: { readonly name: string; readonly offsetMs: number };
};

const FUNDING_LIMIT = 100;
const UNTIL = { name: "until", offsetMs: -1 };

function profile(
  exchangeId: string,
  classes: Profile["classes"],
  more: Partial<Profile> = {},
): Profile {
  return {
    exchangeId,
    classes,
    moreTimeframes: [],
    fundingLimit: FUNDING_LIMIT,
    fundingEnd: UNTIL,
    ...more,
  };
}

const PROFILES: readonly Profile[] = [
  profile(
    "woox",
    { perps: "woo", spot: "woo" },
    { moreTimeframes: ["3m", "2h", "6h"], fundingLimit: 25 },
  ),
  profile(
    "binance",
    { perps: "binanceusdm", spot: "binance" },
    { marketTypes: { spot: ["spot"] }, fundingLimit: 1000 },
  ),
  profile(
    "bybit",
    { perps: "bybit", spot: "bybit" },
    { marketTypes: { perps: ["linear"], spot: ["spot"] }, fundingLimit: 200 },
  ),
  profile(
    "okx",
    { perps: "okx", spot: "okx" },
    {
      marketTypes: { perps: ["swap"], spot: ["spot"] },
      fundingEnd: { name: "after", offsetMs: 0 },
    },
  ),
  profile("kucoin", { perps: "kucoinfutures", spot: "kucoin" }),
  profile("kraken", { perps: "krakenfutures", spot: "kraken" }),
  profile("upbit", { perps: null, spot: "upbit" }),
];

/** Other names of our ids. */
const ALIASES: Readonly<Record<string, string>> = {
  woo: "woox",
  "woo-x": "woox",
  woo_x: "woox",
  binanceusdm: "binance",
  kucoinfutures: "kucoin",
  krakenfutures: "kraken",
};

/**
 * Our ids that no profile names are ccxt's own; these are not exchanges of ours but parts of one.
 */
const INNER_CLASSES = new Set(["woo", "binanceusdm", "kucoinfutures", "krakenfutures"]);

/**
 * Our id for any accepted spelling. @throws InputError when it cannot be the name of an exchange
 */
export function normaliseExchange(text: string): string {
  const lower = text.trim().toLowerCase();
  const id = ALIASES[lower] ?? lower;
  if (/^[a-z][a-z0-9_]{0,39}$/.test(id)) return id;
  throw new InputError(
    `exchange: "${text}" is not the name of an exchange; a name has 1 to 40 letters, digits or _`,
  );
}

/** Our ids of everything the installed ccxt can reach, sorted. */
export function exchangeIdsOf(ccxtIds: readonly string[]): string[] {
  const ids = new Set(ccxtIds.filter((id) => !INNER_CLASSES.has(id)));
  for (const known of PROFILES) ids.add(known.exchangeId);
  return [...ids].sort();
}

/** The profile of one of our ids. */
export function profileOf(exchangeId: string): Profile {
  const known = PROFILES.find((each) => each.exchangeId === exchangeId);
  return known ?? profile(exchangeId, { perps: exchangeId, spot: exchangeId });
}
