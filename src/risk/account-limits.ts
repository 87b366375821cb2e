// Whether an account or a bot has lost too much: loss of the UTC day, loss in total, fall below the highest equity.
// Pure; called by services/live/risk-watch.ts with what was read. A figure that is missing or old blocks entries,
// and a limit once reached stays reached: the daily one for its UTC day, the others until a person resets them.
import { add, compare, type Decimal, multiply, subtract } from "../model/decimal.ts";
import { shareOf } from "../model/leg-position.ts";
import { type EpochMs, utcDayStart } from "../model/time.ts";

/** Limits in US dollars and percentage points; null is no limit. */
export type LossLimits = {
  readonly maxDailyLossUsd: Decimal | null;
  readonly maxTotalLossUsd: Decimal | null;
  readonly maxDrawdownPct: Decimal | null;
};

/** A figure and the instant of the oldest thing it is made of. */
export type Figure = { readonly value: Decimal; readonly at: EpochMs };

/** What the limits are judged by; null figures are not known. */
export type LossFigures = {
  /** Realised, fees, funding and adjustments since midnight UTC, and everything that is open. */
  readonly today: Figure | null;
  /** The same since the beginning. */
  readonly total: Figure | null;
  /** What it is worth altogether, deposits included. */
  readonly equity: Figure | null;
  /** Why something is not known, as a part of a sentence. */
  readonly gap: string | null;
};

/** A limit that can be reached. */
export type LimitKind = "daily_loss" | "total_loss" | "drawdown";

/** A limit that was reached. */
export type Trip = { readonly kind: LimitKind; readonly at: EpochMs; readonly sentence: string };

/** What has to outlive a restart; plain JSON. */
export type LimitLatch = {
  /**
   * Highest profit in total; profit and not equity, so that money that comes or leaves moves nothing. Null takes
   * the next profit that is known.
   */
  readonly peakProfit: Decimal | null;
  /** At most one per kind. */
  readonly trips: readonly Trip[];
};

/** How the limits stand. */
export type LimitVerdict = {
  readonly latch: LimitLatch;
  /** Why entries are blocked; empty when they are not. */
  readonly blocks: readonly string[];
  /** Limits reached just now. */
  readonly tripped: readonly Trip[];
  /** Limits that count as not reached again. */
  readonly released: readonly Trip[];
};

/** Older figures count as not known. */
export const FIGURE_FRESH_MS = 60_000;

const ZERO = "0" as Decimal;
const HUNDRED = "100" as Decimal;

/** The latch of whoever has no past: it began with a profit of 0. */
export const EMPTY_LATCH: LimitLatch = { peakProfit: ZERO, trips: [] };

const NAMES: Readonly<Record<LimitKind, string>> = {
  daily_loss: "the loss of today",
  total_loss: "the loss in total",
  drawdown: "the drawdown",
};

/** Judges every limit; the caller keeps the latch and hands it in the next time. */
export function judgeLimits(
  limits: LossLimits,
  figures: LossFigures,
  latch: LimitLatch,
  now: EpochMs,
): LimitVerdict {
  const released = latch.trips.filter(
    ({ kind, at }) => kind === "daily_loss" && at < utcDayStart(now),
  );
  const kept = latch.trips.filter((trip) => !released.includes(trip));
  const fresh = freshOnly(figures, now);
  const peakProfit = raised(latch.peakProfit, fresh.total);
  const tripped: Trip[] = [];
  const gaps: string[] = [];
  for (const [kind, limit, judge] of judges(limits, fresh, peakProfit)) {
    if (limit === null || kept.some((trip) => trip.kind === kind)) continue;
    const found = judge(limit);
    if (found === UNKNOWN) gaps.push(gapSentence(kind, figures.gap));
    else if (found !== null) tripped.push({ kind, at: now, sentence: found });
  }
  const trips = [...kept, ...tripped];
  const blocks = [...trips.map(({ sentence }) => sentence), ...gaps];
  return { latch: { peakProfit, trips }, blocks, tripped, released };
}

/**
 * The latch after a person reset these limits: they may be reached again at once when nothing else changed, but a
 * drawdown counts from the next equity that is known.
 */
export function resetTrips(latch: LimitLatch, kinds: readonly LimitKind[]): LimitLatch {
  return {
    peakProfit: kinds.includes("drawdown") ? null : latch.peakProfit,
    trips: latch.trips.filter(({ kind }) => !kinds.includes(kind)),
  };
}

/** The highest equity; null while it is not known. */
export function peakEquity(
  latch: LimitLatch,
  { total, equity }: Pick<LossFigures, "total" | "equity">,
): Decimal | null {
  if (total === null || equity === null) return null;
  return add(equity.value, fallOf(latch.peakProfit, total.value));
}

/** An amount as people read it. */
export function shown(amount: Decimal): string {
  return Number(amount).toFixed(2);
}

const UNKNOWN = Symbol("not known");
type Judge = (limit: Decimal) => string | null | typeof UNKNOWN;
type Fresh = Omit<LossFigures, "gap">;

function judges(
  limits: LossLimits,
  { today, total, equity }: Fresh,
  peak: Decimal | null,
): readonly (readonly [LimitKind, Decimal | null, Judge])[] {
  return [
    ["daily_loss", limits.maxDailyLossUsd, (limit) => lossOf("today", today, limit)],
    ["total_loss", limits.maxTotalLossUsd, (limit) => lossOf("in total", total, limit)],
    ["drawdown", limits.maxDrawdownPct, (limit) => drawdownOf(total, equity, peak, limit)],
  ];
}

function lossOf(
  when: "today" | "in total",
  profit: Figure | null,
  limit: Decimal,
): ReturnType<Judge> {
  if (profit === null) return UNKNOWN;
  const loss = subtract(ZERO, profit.value);
  if (compare(loss, limit) < 0) return null;
  const until = when === "today" ? "until 00:00 UTC" : "until somebody resets it";
  return `Loss ${when} ${shown(loss)} USD of ${limit} allowed: nothing is opened ${until}`;
}

function drawdownOf(
  total: Figure | null,
  equity: Figure | null,
  peak: Decimal | null,
  limitPct: Decimal,
): ReturnType<Judge> {
  if (total === null || equity === null) return UNKNOWN;
  const fall = fallOf(peak, total.value);
  if (compare(fall, ZERO) === 0) return null;
  const highest = add(equity.value, fall);
  if (compare(multiply(fall, HUNDRED), multiply(limitPct, highest)) < 0) return null;
  const isNothing = compare(highest, ZERO) <= 0;
  const pct = isNothing ? HUNDRED : shareOf(HUNDRED, fall, highest);
  const rest = `${limitPct} % allowed: nothing is opened until somebody resets it`;
  return `Equity ${shown(equity.value)} USD is ${shown(pct)} % below its highest, ${rest}`;
}

/** How far the profit lies below its highest; never negative. */
function fallOf(peak: Decimal | null, profit: Decimal): Decimal {
  return peak !== null && compare(peak, profit) > 0 ? subtract(peak, profit) : ZERO;
}

function raised(peak: Decimal | null, total: Figure | null): Decimal | null {
  if (total === null) return peak;
  return peak === null || compare(total.value, peak) > 0 ? total.value : peak;
}

function freshOnly({ today, total, equity }: LossFigures, now: EpochMs): Fresh {
  const fresh = (figure: Figure | null) =>
    figure !== null && now - figure.at <= FIGURE_FRESH_MS ? figure : null;
  const ofToday = fresh(today);
  // A figure of yesterday says nothing about today, however fresh it is.
  const isOfToday = ofToday !== null && ofToday.at >= utcDayStart(now);
  return { today: isOfToday ? ofToday : null, total: fresh(total), equity: fresh(equity) };
}

function gapSentence(kind: LimitKind, gap: string | null): string {
  const why = gap === null ? "" : ` (${gap})`;
  return `${NAMES[kind]} is not known at the moment${why}: nothing is opened until it is`;
}
