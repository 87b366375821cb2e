// Higher-timeframe bins (E6, E7) and indicators (E9, E10), recomputed in the simplest way from
// plain arrays. Used by signals.ts; a value is null until its first definition and never NaN.

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const FIRST_MONDAY_MS = 4 * DAY_MS; // 1970-01-05

/** One bar of a candle interval: half-open span in UTC ms and its prices. */
export type Bin = {
  start: number;
  end: number;
  o: number;
  h: number;
  l: number;
  c: number;
};

/** A column that may be undefined at its beginning. */
export type Column = (number | null)[];

/** Span of the bin that holds the instant t (E7). */
export function binSpan(
  t: number,
  intervalMin: number,
): { start: number; end: number } {
  const width = intervalMin * MINUTE_MS;
  if (intervalMin < 1440) {
    const midnight = Math.floor(t / DAY_MS) * DAY_MS;
    const start = midnight + Math.floor((t - midnight) / width) * width;
    return { start, end: Math.min(start + width, midnight + DAY_MS) };
  }
  const origin = intervalMin % 10_080 === 0 ? FIRST_MONDAY_MS : 0;
  const start = origin + Math.floor((t - origin) / width) * width;
  return { start, end: start + width };
}

type Row = { t: number; o: number; h: number; l: number; c: number };

/** Groups base bars into bins; bins without candles do not exist (E6). */
export function binsOf(
  rows: Row[],
  intervalMin: number,
  baseMin: number,
): Bin[] {
  const bins: Bin[] = [];
  for (const row of rows) {
    const span =
      intervalMin === baseMin
        ? { start: row.t, end: row.t + baseMin * MINUTE_MS }
        : binSpan(row.t, intervalMin);
    const last = bins.at(-1);
    if (last === undefined || last.start !== span.start) {
      bins.push({ ...span, o: row.o, h: row.h, l: row.l, c: row.c });
      continue;
    }
    last.h = Math.max(last.h, row.h);
    last.l = Math.min(last.l, row.l);
    last.c = row.c;
  }
  return bins;
}

/** For each close time, the index of the last bin with end <= close, or -1 (E6). */
export function lastClosedBin(bins: Bin[], closes: number[]): number[] {
  let next = 0;
  return closes.map((close) => {
    for (
      let bin = bins[next];
      bin !== undefined && bin.end <= close;
      bin = bins[next]
    )
      next++;
    return next - 1;
  });
}

function mean(values: number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Simple mean of the last n inputs. */
export function sma(values: number[], n: number): Column {
  return values.map((_, i) =>
    i < n - 1 ? null : mean(values.slice(i - n + 1, i + 1)),
  );
}

// E9: seeded with the plain mean of the first n inputs, then v += alpha * (x - v).
function recursive(values: number[], n: number, alpha: number): Column {
  let v = 0;
  return values.map((x, i) => {
    if (i < n - 1) return null;
    v = i === n - 1 ? mean(values.slice(0, n)) : v + alpha * (x - v);
    return v;
  });
}

/** Exponential average with alpha 2/(n+1) (E9). */
export function ema(values: number[], n: number): Column {
  return recursive(values, n, 2 / (n + 1));
}

/** Wilder average with alpha 1/n (E9). */
export function rma(values: number[], n: number): Column {
  return recursive(values, n, 1 / n);
}

/** Average of the named type. */
export function average(
  type: "Sma" | "Ema",
  values: number[],
  n: number,
): Column {
  return type === "Sma" ? sma(values, n) : ema(values, n);
}

/** Population sigma about the simple mean of the last n inputs, two-pass (E9). */
export function sigma(values: number[], n: number): Column {
  return values.map((_, i) => {
    if (i < n - 1) return null;
    const window = values.slice(i - n + 1, i + 1);
    const middle = mean(window);
    return Math.sqrt(mean(window.map((x) => (x - middle) ** 2)));
  });
}

/** RSI; first value on close n+1, no losses at all gives 100 (E9). */
export function rsi(closes: number[], n: number): Column {
  const changes = closes.slice(1).map((c, i) => c - (closes[i] ?? c));
  const gains = rma(
    changes.map((d) => Math.max(d, 0)),
    n,
  );
  const losses = rma(
    changes.map((d) => Math.max(-d, 0)),
    n,
  );
  const values = gains.map((gain, i) => {
    const loss = losses[i] ?? null;
    if (gain === null || loss === null) return null;
    return loss === 0 ? 100 : 100 - 100 / (1 + gain / loss);
  });
  return closes.length === 0 ? [] : [null, ...values];
}

/** MACD histogram; the signal starts on the first line value (E9). */
export function macdHistogram(
  closes: number[],
  fast: number,
  slow: number,
  signal: number,
): Column {
  const quick = ema(closes, fast);
  const lazy = ema(closes, slow);
  const line: number[] = [];
  for (let i = slow - 1; i < closes.length; i++) {
    line.push((quick[i] ?? Number.NaN) - (lazy[i] ?? Number.NaN));
  }
  const smooth = ema(line, signal);
  return closes.map((_, i) => {
    const k = i - (slow - 1);
    const l = line[k];
    const s = smooth[k] ?? null;
    return l === undefined || s === null ? null : l - s;
  });
}

/** ATR of base bars: Wilder average of the true range; the first one is high - low (E9, E10). */
export function atr(rows: Row[], n: number): Column {
  const ranges = rows.map((row, i) => {
    const previous = rows[i - 1]; // E13: the last existing close
    if (previous === undefined) return row.h - row.l;
    return Math.max(
      row.h - row.l,
      Math.abs(row.h - previous.c),
      Math.abs(row.l - previous.c),
    );
  });
  return rma(ranges, n);
}
