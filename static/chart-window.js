// Arithmetic and wording of the charts: windows of time, price ranges, numbers and dates at the cursor.
// Pure; joined before chart-draw.js by index.ts, and read by a test as text.
(() => {
  /** Candles that are shown at least. */
  const CANDLES_MIN = 20;
  const BUCKETS_MIN = 50;
  const BUCKETS_MAX = 2000;
  const DAY_MS = 86_400_000;

  /** The window within the limits, whole milliseconds, never narrower than `leastMs`. */
  function fit(window, limits, leastMs) {
    const whole = limits.to - limits.from;
    const span = Math.min(whole, Math.max(leastMs, window.to - window.from));
    const middle = (window.from + window.to) / 2;
    const wanted = window.to - window.from < span ? middle - span / 2 : window.from;
    const from = Math.min(Math.max(wanted, limits.from), limits.to - span);
    return { from: Math.round(from), to: Math.round(from + span) };
  }

  /** Grows (above 1) or shrinks a window around its middle. */
  function scaled({ from, to }, factor) {
    const middle = (from + to) / 2;
    const half = ((to - from) / 2) * factor;
    return { from: middle - half, to: middle + half };
  }

  /** Moves a window by a share of its own width. */
  function moved({ from, to }, share) {
    const by = (to - from) * share;
    return { from: from + by, to: to + by };
  }

  /** Null when the window is the whole run. */
  function partOf(window, limits) {
    return window.from <= limits.from && window.to >= limits.to ? null : window;
  }

  /** Buckets for a width: one for every two device pixels. */
  function bucketsFor(widthPx, ratio) {
    return Math.min(BUCKETS_MAX, Math.max(BUCKETS_MIN, Math.round((widthPx * ratio) / 2)));
  }

  /** `2024-01-31T12:00Z`; seconds only where there are some. */
  function shortIso(at) {
    return new Date(at).toISOString().replace(/(:00)?\.000Z$/, "Z");
  }

  /** The query with the window and what the panel says in it. */
  function queryOf(part, panelQuery) {
    const window = part ? `from=${shortIso(part.from)}&to=${shortIso(part.to)}` : "";
    return [window, panelQuery].filter((each) => each !== "").join("&");
  }

  /**
   * Lowest and highest price to show of the buckets first..last: all candles, and levels as far as
   * they would not press the candles below half of the height.
   */
  function priceRange(columns, levels, first, last) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = first; i <= last; i++) {
      if (columns.low[i] < low) low = columns.low[i];
      if (columns.high[i] > high) high = columns.high[i];
    }
    if (low > high) return [0, 1];
    const room = Math.max(high - low, high * 1e-6) / 2;
    const [lowest, highest] = [low - room, high + room];
    let [from, to] = [low, high];
    for (const level of levels) {
      for (let i = first; i <= last; i++) {
        const value = level[i];
        if (value === null || value < lowest || value > highest) continue;
        if (value < from) from = value;
        if (value > to) to = value;
      }
    }
    const margin = Math.max((to - from) * 0.05, to * 1e-6);
    return [from - margin, to + margin];
  }

  const TICKS = 6;

  /** Round values about equally far apart on a logarithmic axis, each once. */
  function logTicks(low, high) {
    const found = new Set();
    const ratio = (high / low) ** (1 / TICKS);
    for (let i = 0; i <= TICKS; i++) {
      const value = low * ratio ** i;
      const step = 10 ** Math.floor(Math.log10(value * Math.min(1, ratio - 1)));
      const tick = Math.round(value / step) * step;
      if (tick >= low && tick <= high) found.add(Number(tick.toPrecision(12)));
    }
    return [...found];
  }

  /** Smallest and largest of many numbers; Math.min takes no more than a stack holds. */
  const least = (values) => values.reduce((a, b) => (b < a ? b : a));
  const most = (values) => values.reduce((a, b) => (b > a ? b : a));

  function numberText(value, decimals) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "—";
    return value.toLocaleString("en-US", {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
  }

  /** Writes instants in the reader's zone as pages do: `31/01/24 12:00`. */
  function clockOf(timeZone) {
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      day: "2-digit",
      month: "2-digit",
      year: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const parts = (at) => format.format(at).split(", ");
    return {
      dateTime: (at) => parts(at).join(" "),
      /** Marks of an axis: times where they lie within days, the day where it changes. */
      ticks(splits, stepMs) {
        let day = "";
        return splits.map((at) => {
          const [date = "", time = ""] = parts(at);
          if (stepMs >= DAY_MS) return date;
          const isNew = date !== day;
          day = date;
          return isNew ? `${time}\n${date}` : time;
        });
      },
    };
  }

  window.dragonCharts = {
    CANDLES_MIN,
    fit,
    scaled,
    moved,
    partOf,
    bucketsFor,
    queryOf,
    priceRange,
    least,
    most,
    logTicks,
    numberText,
    clockOf,
  };
})();
