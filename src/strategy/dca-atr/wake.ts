// When can something happen? One wake source per rule of the strategy: the first candle that must be looked at,
// or price levels that must not be reached unseen. Used to skip quiet stretches in a backtest and to ignore
// prices that cannot matter live. Leaving a source out makes results wrong, which a mutation test proves.
import type { TargetOrder } from "../../model/order.ts";
import type { Position } from "../../model/position.ts";
import type { EpochMs } from "../../model/time.ts";
import { TOLERANCE } from "../../model/tolerance.ts";
import type { RuleContext } from "./context.ts";
import { stillHolds } from "./entry.ts";
import { trailsAtAll } from "./exits.ts";
import { isLadderFloating } from "./ladder.ts";
import { type EntryBits, nextSet } from "./signal-bits.ts";
import type { SignalColumns } from "./signal-columns.ts";
import { SIGNAL_LONG, SIGNAL_SHORT } from "./signal-flags.ts";
import { type DcaAtrState, ENTRY, EXIT, NONE, RUNG, STOP, TAKE_PROFIT } from "./state.ts";

/** The answer: look at candle `candle` at the latest, and at any candle whose range leaves (below, above). */
export type Wake = { candle: number; below: number; above: number };

/** What the sources read. `from` is the next candle to handle, `to` the end of the window. */
export type WakeInput = {
  readonly context: RuleContext;
  readonly columns: SignalColumns;
  readonly bits: EntryBits;
  readonly timeframeMs: number;
  readonly state: DcaAtrState;
  readonly position: Position;
  readonly targets: readonly (TargetOrder | null)[];
  from: number;
  readonly to: number;
  /** first candle at or after `from` with an open time at or after the instant */
  candleAt(at: EpochMs): number;
  /** price of a target on the grid */
  priceOf(order: TargetOrder): number;
};

type WakeSource = (input: WakeInput, wake: Wake) => void;

/** Candles a scan looks ahead before it simply wakes again. */
const SCAN_CANDLES = 64;

function nextCandle(input: WakeInput, wake: Wake): void {
  wake.candle = input.from;
}

function by(wake: Wake, candle: number): void {
  if (candle < wake.candle) wake.candle = candle;
}

function fallsTo(wake: Wake, price: number): void {
  if (price > wake.below) wake.below = price;
}

function risesTo(wake: Wake, price: number): void {
  if (price < wake.above) wake.above = price;
}

/** A resting order wakes when its price is touched, from the side it is met from. */
function levelOf(input: WakeInput, wake: Wake, order: TargetOrder | null): void {
  if (!order || order.kind === "market") return;
  const isBuy = order.side === "buy";
  const falls = order.kind === "stop_market" ? !isBuy : isBuy;
  if (falls) fallsTo(wake, input.priceOf(order));
  else risesTo(wake, input.priceOf(order));
}

/** First candle within the scan at whose close the bits are not (or are) as given. */
function scanSignals(input: WakeInput, matches: (signals: number) => boolean): number {
  const end = Math.min(input.to, input.from + SCAN_CANDLES);
  for (let i = input.from; i < end; i++) if (matches(input.columns.flagsAt(i))) return i;
  return end;
}

/** Sources of a flat strategy without a pending entry. */
const FLAT = {
  entry_signal: (input, wake) => {
    const { state, context, bits } = input;
    const last = state.lastEntryExitAt;
    const ready = last === NONE ? 0 : last + context.entryCooldownMs - input.timeframeMs;
    const from = last === NONE ? input.from : input.candleAt(ready);
    // The second search ends where the first one found something.
    const { allow_long, allow_short } = context.config.general;
    const long = allow_long ? nextSet(bits.long, from, input.to) : input.to;
    by(wake, allow_short ? nextSet(bits.short, from, long) : long);
  },
} satisfies Record<string, WakeSource>;

/** Sources of a pending entry. */
const PENDING = {
  entry_market: (input, wake) => {
    if (input.targets[ENTRY]?.kind === "market") nextCandle(input, wake);
  },
  entry_order: (input, wake) => levelOf(input, wake, input.targets[ENTRY] ?? null),
  entry_band: (input, wake) => {
    if ((input.targets[ENTRY]?.bandPct ?? 0) > 0) nextCandle(input, wake);
  },
  entry_timeout: (input, wake) => {
    const { context, state } = input;
    if (context.entryTimeoutMs <= 0) return;
    const due = state.pendingDecidedAt + context.entryTimeoutMs - input.timeframeMs;
    by(wake, input.candleAt(due));
  },
  entry_flip: (input, wake) => {
    const sign = input.state.pendingSign;
    by(
      wake,
      scanSignals(input, (signals) => !stillHolds(sign, signals)),
    );
  },
} satisfies Record<string, WakeSource>;

/** Sources of an open position. */
const OPEN = {
  exit_order: (input, wake) => {
    if (input.targets[EXIT]) nextCandle(input, wake);
  },
  stop_tighten: (input, wake) => {
    const { exits } = input.context.config;
    if (exits.sl_mode === "ATR" && !exits.sl_atr_lock && exits.sl_atr_mult > 0) {
      nextCandle(input, wake);
    }
  },
  trailing_follow: (input, wake) => {
    if (input.state.isTrailing) nextCandle(input, wake);
  },
  trailing_arm: (input, wake) => {
    if (input.state.isTrailing || !trailsAtAll(input.context)) return;
    const { exits } = input.context.config;
    if (exits.sl_mode === "ATR" || exits.trail_activation_pct === 0) {
      nextCandle(input, wake);
      return;
    }
    const { average, sign } = input.position;
    const needed = (average * exits.trail_activation_pct) / 100;
    const level = average + sign * needed * (1 - 2 * TOLERANCE);
    if (sign > 0) risesTo(wake, level);
    else fallsTo(wake, level);
  },
  rung_reprice: (input, wake) => {
    if (input.targets[RUNG] && isLadderFloating(input.context)) nextCandle(input, wake);
  },
  atr_capture: (input, wake) => {
    if (input.state.capturedAtr < 0 && input.columns.atr.length > 0) nextCandle(input, wake);
  },
  rung_band: (input, wake) => {
    if ((input.targets[RUNG]?.bandPct ?? 0) > 0) nextCandle(input, wake);
  },
  take_profit_band: (input, wake) => {
    if ((input.targets[TAKE_PROFIT]?.bandPct ?? 0) > 0) nextCandle(input, wake);
  },
  rung: (input, wake) => {
    const rung = input.targets[RUNG];
    if (rung && rung.liveFrom <= (input.columns.candles.openAt[input.from] ?? 0)) {
      levelOf(input, wake, rung);
    }
  },
  dca_cooldown: (input, wake) => {
    const rung = input.targets[RUNG];
    if (rung && rung.liveFrom > (input.columns.candles.openAt[input.from] ?? 0)) {
      by(wake, input.candleAt(rung.liveFrom));
    }
  },
  take_profit: (input, wake) => levelOf(input, wake, input.targets[TAKE_PROFIT] ?? null),
  protective_stop: (input, wake) => levelOf(input, wake, input.targets[STOP] ?? null),
  exit_timeout: (input, wake) => {
    const { state, context } = input;
    if (state.touchedAt === NONE || context.exitTimeoutMs <= 0) return;
    if (context.takeProfitKind !== "post_only") return;
    by(wake, input.candleAt(state.touchedAt + context.exitTimeoutMs - input.timeframeMs));
  },
  opposite_signal: (input, wake) => {
    if (input.context.config.exits.on_opposite_signal !== "close") return;
    const opposite = input.position.sign > 0 ? SIGNAL_SHORT : SIGNAL_LONG;
    by(
      wake,
      scanSignals(input, (signals) => (signals & opposite) !== 0),
    );
  },
} satisfies Record<string, WakeSource>;

/** Every rule of the strategy that can make a candle matter. */
export type DcaAtrRule = keyof typeof FLAT | keyof typeof PENDING | keyof typeof OPEN;

/** The rules by name, for tests that leave one out. */
export const DCA_ATR_RULES = [
  ...Object.keys(FLAT),
  ...Object.keys(PENDING),
  ...Object.keys(OPEN),
] as DcaAtrRule[];

/** Sources by situation, without the rules left out. */
export type DcaAtrWake = {
  readonly flat: readonly WakeSource[];
  readonly pending: readonly WakeSource[];
  readonly open: readonly WakeSource[];
};

/** The registered sources. @param without rules to leave out (mutation tests only) */
export function dcaAtrWake(without: ReadonlySet<string> = new Set()): DcaAtrWake {
  const of = (map: Record<string, WakeSource>) =>
    Object.entries(map)
      .filter(([rule]) => !without.has(rule))
      .map(([, source]) => source);
  return { flat: of(FLAT), pending: of(PENDING), open: of(OPEN) };
}

/** Asks the sources of the present situation; stops as soon as the next candle is certain. */
export function askWake(sources: DcaAtrWake, input: WakeInput, wake: Wake): void {
  wake.candle = input.to;
  wake.below = Number.NEGATIVE_INFINITY;
  wake.above = Number.POSITIVE_INFINITY;
  const isOpen = input.position.sign !== 0;
  const list = isOpen
    ? sources.open
    : input.state.pendingSign !== 0
      ? sources.pending
      : sources.flat;
  for (let n = 0; n < list.length; n++) {
    list[n]!(input, wake);
    if (wake.candle <= input.from) return;
  }
}
