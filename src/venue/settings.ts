// Everything that can be set before a venue starts, with its defaults. Read once by exchange.ts; what
// may change while it runs goes through the admin interface instead.
import type { KeyPermission, PositionMode } from "./account.ts";
import type { FaultRequest } from "./faults.ts";
import type { InstrumentSpec } from "./instrument.ts";
import type { LegSide, Side } from "./order.ts";
import type { PathStep } from "./price-path.ts";

/** A position an account begins with. */
export type OpeningPosition = {
  readonly symbol: string;
  /** Its direction; in hedge mode its leg too. */
  readonly side: "LONG" | "SHORT";
  /** Base units, above 0. */
  readonly quantity: string;
  readonly averagePrice: string;
};

/** A resting order an account begins with. */
export type OpeningOrder = {
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: Side;
  /** Needed in hedge mode alone. */
  readonly positionSide?: LegSide;
  readonly type: "LIMIT" | "POST_ONLY" | "BID" | "ASK";
  readonly price: string;
  readonly quantity: string;
  readonly executedQuantity: string;
  readonly reduceOnly: boolean;
  readonly createdAt: number;
};

/** A stop an account begins with. */
export type OpeningTrigger = Omit<
  OpeningOrder,
  "orderId" | "type" | "price" | "executedQuantity"
> & {
  readonly algoOrderId: number;
  readonly triggerPrice: string;
  /** Whether it goes off at or above its price. */
  readonly firesAbove: boolean;
  /** Price of the order it becomes; null for one at the market. */
  readonly price: string | null;
};

/** What an account held when an earlier venue ended; amounts in quote coins. */
export type Opening = {
  readonly positions: readonly OpeningPosition[];
  readonly orders: readonly OpeningOrder[];
  readonly triggers: readonly OpeningTrigger[];
  readonly leverages: readonly {
    readonly symbol: string;
    readonly positionSide: LegSide;
    readonly leverage: number;
  }[];
  /** Fees ever paid and funding ever received less paid; both are part of the balance already. */
  readonly feesPaid: string;
  readonly fundingReceived: string;
};

/** An account to open at the start. Keys are derived from the seed when absent. */
export type AccountSettings = {
  readonly name: string;
  readonly apiKey?: string;
  readonly secret?: string;
  /** Quote coins, decimal text: its balance at the start. */
  readonly deposit: string;
  readonly opening?: Opening;
  readonly mode?: PositionMode;
  readonly makerBps?: string;
  readonly takerBps?: string;
  /** Whether cancel-all-after may be used; a VIP right on the real exchange. */
  readonly hasDeadMan?: boolean;
  /** What its key may do; reading and trading when absent. */
  readonly permissions?: readonly KeyPermission[];
  /** Addresses its key is bound to; none when absent. Told, not enforced. */
  readonly allowedIps?: readonly string[];
};

/** Where an instrument's prices come from. */
export type FeedSettings =
  | {
      readonly kind: "generator";
      readonly startPrice: string;
      /**
       * Virtual instant at which the price is `startPrice`; the beginning of the history when absent.
       * With it a price depends on seed, symbol and minute alone, whenever the venue was started.
       */
      readonly anchorAt?: number;
      /** Standard deviation of one minute in parts per million. */
      readonly volatilityPpm: number;
      /** Mean volume of a minute in base units. */
      readonly minuteQty: string;
    }
  | {
      readonly kind: "candles";
      readonly candles: Iterable<TextCandle>;
      readonly timeframeMs: number;
    }
  | { readonly kind: "tape"; readonly steps: Iterable<PathStep> };

/** A candle as text, so that nothing is lost on the way in. */
export type TextCandle = {
  readonly openAt: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
};

/** How the house quotes around the path. */
export type HouseSettings = {
  /** Ticks between the path and the best quote of each side, at least 1. */
  readonly halfSpreadTicks: number;
  readonly levelGapTicks: number;
  readonly levels: number;
  /** Lots per level are drawn from 1 to this, times the minimum quantity's lots. */
  readonly levelLotsMax: number;
  /** Share of a step's volume that may fill resting orders, parts per million. */
  readonly participationPpm: number;
  /** Chance that a resting order fills when the path only touches its price, ppm. */
  readonly touchPpm: number;
  /** Mark and index price against the path, in ticks. */
  readonly markBasisTicks: number;
  readonly indexBasisTicks: number;
};

/** An instrument and how it moves. */
export type MarketSettings = {
  readonly instrument: InstrumentSpec;
  readonly feed: FeedSettings;
  readonly house?: Partial<HouseSettings>;
};

/** Choices where the exchange's behaviour is documented twice or not at all. */
export type Dialect = {
  /** What a POST_ONLY order that would take becomes. */
  readonly postOnlyOutcome: "CANCELLED" | "REJECTED";
  /** Sign of the holding of a SHORT leg in hedge mode. */
  readonly shortHolding: "signed" | "absolute";
  /** Code for a timestamp outside the window. */
  readonly staleTimestampCode: number;
  /** Whether an unknown body key is refused with -1004. */
  readonly refusesUnknownKeys: boolean;
  /** Rows of a page when no size is asked for. */
  readonly pageRows: number;
};

/** All settings of a venue. */
export type VenueSettings = {
  readonly seed: number;
  /** Virtual instant of the start, epoch ms. */
  readonly startAt: number;
  /** Candles that exist before the start; those of a generator are computed when they are asked for. */
  readonly historyMinutes: number;
  readonly markets: readonly MarketSettings[];
  readonly accounts: readonly AccountSettings[];
  readonly dialect: Dialect;
  /** Which clock signatures are checked against. */
  readonly authClock: "virtual" | "wall";
  readonly enforcesLimits: boolean;
  /** Ids begin above these, so that none is given twice by venues that follow each other. */
  readonly idsAbove: Partial<Record<"order" | "trade" | "algo" | "payment", number>>;
  /** Armed at the start, in this order. */
  readonly faults: readonly FaultRequest[];
};

/** Quotes one tick around the price, a quarter of the touches filled, half of the volume. */
export const HOUSE_DEFAULTS: HouseSettings = {
  halfSpreadTicks: 1,
  levelGapTicks: 1,
  levels: 12,
  levelLotsMax: 400,
  participationPpm: 500_000,
  touchPpm: 250_000,
  markBasisTicks: 0,
  indexBasisTicks: 1,
};

const DIALECT_DEFAULTS: Dialect = {
  postOnlyOutcome: "CANCELLED",
  shortHolding: "signed",
  staleTimestampCode: 317179,
  refusesUnknownKeys: false,
  pageRows: 25,
};

const PERP = {
  quote: "USDT",
  quoteMin: "0",
  minNotional: "10",
  bidCapRatio: "1.05",
  askFloorRatio: "0.95",
  maxLeverage: 50,
  maintenanceRatio: "0.012",
  maxOpenNotional: "5000000",
  fundingIntervalHours: 8,
} as const;

/** The two contracts a venue has when nothing else is asked for. */
export const DEFAULT_INSTRUMENTS: readonly InstrumentSpec[] = [
  {
    ...PERP,
    symbol: "PERP_BTC_USDT",
    base: "BTC",
    quoteMax: "1000000",
    quoteTick: "0.1",
    baseMin: "0.0001",
    baseMax: "100",
    baseTick: "0.0001",
    maxPosition: "100",
  },
  {
    ...PERP,
    symbol: "PERP_ETH_USDT",
    base: "ETH",
    quoteMax: "100000",
    quoteTick: "0.01",
    baseMin: "0.001",
    baseMax: "2000",
    baseTick: "0.001",
    maxPosition: "2000",
  },
];

/** Generated prices for the default contracts. */
export const DEFAULT_MARKETS: readonly MarketSettings[] = DEFAULT_INSTRUMENTS.map(
  (instrument, i) => ({
    instrument,
    feed: {
      kind: "generator",
      startPrice: i === 0 ? "60000" : "3000",
      volatilityPpm: 500,
      minuteQty: i === 0 ? "12" : "220",
    },
  }),
);

/** Settings with every default filled in; a seed and a start are what a venue cannot guess. */
export function venueSettings(
  given: Partial<VenueSettings> & Pick<VenueSettings, "seed" | "startAt">,
): VenueSettings {
  return {
    historyMinutes: 600,
    markets: DEFAULT_MARKETS,
    accounts: [{ name: "demo", deposit: "10000" }],
    authClock: "virtual",
    enforcesLimits: true,
    idsAbove: {},
    faults: [],
    ...given,
    dialect: { ...DIALECT_DEFAULTS, ...given.dialect },
  };
}
