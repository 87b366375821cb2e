// Plain shapes of the reference backtest: what goes in, what comes out, in the JSON words of the
// specification. Used by every file of this folder; it must never import anything from src/.

/** Columns of base candles, oldest first; `t` is the open time in UTC ms. */
export type Candles = {
  t: number[];
  o: number[];
  h: number[];
  l: number[];
  c: number[];
  v: number[];
};

/** Funding stamps in UTC ms with their rates as fractions. */
export type Funding = { t: number[]; rate: number[] };

/** One base candle. */
export type Bar = { t: number; o: number; h: number; l: number; c: number };

/** Position direction: +1 long, -1 short (the `s` of the rules). */
export type Dir = 1 | -1;

export type OrderSide = "BUY" | "SELL";
export type PositionSide = "LONG" | "SHORT";
export type Liquidity = "maker" | "taker";

/** One fill as the result document lists it; `fee` is a positive cost. */
export type Fill = {
  t: number;
  bar_open_at: number;
  side: OrderSide;
  position_side: PositionSide;
  price: number;
  qty: number;
  fee: number;
  liquidity: Liquidity;
  reason: string;
  cycle: number;
};

/** One flat-to-flat cycle as the result document lists it. */
export type Cycle = {
  cycle: number;
  position_side: PositionSide;
  opened_at: number;
  closed_at: number | null;
  entries: number;
  qty: number;
  avg_entry: number;
  exit_price: number | null;
  exit_reason: string;
  net: number;
  fees: number;
  funding: number;
  mae: number;
  mfe: number;
};

/** Orders that were not placed or were dropped, by cause. */
export type Rejections = {
  entry_margin: number;
  entry_below_min: number;
  rung_margin: number;
  rung_below_min: number;
};

/** Outcome counts of entry decisions; informative only. */
export type Decisions = {
  entry_long: number;
  entry_short: number;
  cooldown: number;
  no_balance: number;
  not_ready: number;
  trend: number;
  no_signal: number;
  ma_gate: number;
  below_min: number;
  entry_timeout: number;
  entry_flipped: number;
};

/** Every metric of the result document; fractions, null when undefined. */
export type Metrics = {
  final_equity: number;
  net_profit: number;
  net_return: number;
  cagr: number | null;
  max_drawdown_abs: number;
  max_drawdown: number;
  drawdown_duration_s: number;
  drawdown_recovery_s: number | null;
  ulcer_index: number;
  sharpe: number | null;
  sortino: number | null;
  calmar: number | null;
  days: number;
  gain_to_pain: number | null;
  tail_ratio: number | null;
  common_sense_ratio: number | null;
  win_rate: number | null;
  gross_profit: number;
  gross_loss: number;
  profit_factor: number | null;
  no_losses: boolean;
  reward_risk: number | null;
  cpc_index: number | null;
  recovery_factor: number | null;
  fills: number;
  cycles: number;
  open_cycles: number;
  entries: number;
  dca_fills: number;
  avg_position_time_s: number | null;
  median_position_time_s: number | null;
  max_position_time_s: number | null;
  fees_total: number;
  fees_maker: number;
  fees_taker: number;
  slippage_cost: number;
  funding_total: number;
  exposure: number;
  max_margin_used: number;
  max_notional: number;
  max_dca_depth: number;
  dca_histogram: Record<string, number>;
  roi_on_margin: number | null;
  roi_on_peak_margin: number | null;
  liquidated: boolean;
};

/** The result document of a backtest. */
export type Result = {
  engine: string;
  candles: { count: number; from: number; to: number };
  warmup: {
    wanted_from: number;
    bars: number;
    short: boolean;
    first_ready_at: number | null;
  };
  metrics: Metrics;
  rejections: Rejections;
  ledger: { realised: number; fees: number; funding: number; writeoff: number };
  fills_count: number;
  fills_sha256: string;
  fills: Fill[];
  cycles: Cycle[];
  equity_end: number;
  decisions: Decisions;
};
