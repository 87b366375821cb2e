// What the preview of a backtest is drawn from: ladders, figures, estimate. Plain data made by the web room.

/** What becomes of an order on the way. */
type Fate = "fills" | "below_min" | "no_margin" | "after_stop" | "after_liquidation";

/** Position after a fill; money in quote units. */
type PositionView = {
  readonly notional: number;
  readonly average: number;
  readonly margin: number;
  readonly takeProfit: number | null;
  readonly stop: number | null;
  readonly liquidation: number | null;
};

/** One order; rung 0 is the entry, distances are fractions of the entry price. */
type RowView = {
  readonly rung: number;
  readonly fate: Fate;
  readonly price: number;
  readonly distanceRatio: number;
  readonly qty: number;
  readonly notional: number;
  readonly after: PositionView | null;
};

/** How the position ends on the way; `result` is a loss before costs. */
export type LadderEnd = {
  readonly by: "stop" | "liquidation";
  readonly price: number;
  readonly distanceRatio: number;
  readonly result: number;
};

/** The ladder of one direction. */
export type LadderView = {
  readonly title: string;
  readonly quote: string;
  readonly priceDecimals: number;
  readonly rows: readonly RowView[];
  readonly end: LadderEnd | null;
  /** Sentences about what cannot fill, and why. */
  readonly notes: readonly string[];
  /** Figures of the deepest order that fills; null without one. */
  readonly figures: LadderFigures | null;
};

/** What a full ladder comes to. */
export type LadderFigures = {
  readonly orders: number;
  readonly notional: number;
  readonly deviationRatio: number;
  readonly margin: number;
  /** Margin over balance. */
  readonly marginRatio: number;
  readonly liquidation: number | null;
  readonly liquidationRatio: number | null;
};

/** What the run will read. */
export type EstimateView = {
  readonly candles: number;
  readonly warmupMs: number;
};

/** Everything that is sent while somebody types. */
export type PreviewView = {
  readonly timeZone: string;
  readonly reference: {
    readonly price: number;
    readonly decimals: number;
    /** Null when it was typed. */
    readonly at: number | null;
  } | null;
  readonly ladders: readonly LadderView[];
  /** Sentences that keep the ladder from being shown. */
  readonly missing: readonly string[];
  /** The traded window; null while it cannot be told. */
  readonly window: { readonly fromAt: number; readonly toAt: number } | null;
  readonly estimate: EstimateView | null;
  readonly warnings: readonly string[];
  /** One sentence about the stored history. */
  readonly coverage: string | null;
};
