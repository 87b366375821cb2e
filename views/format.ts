// How dates, durations, numbers and names look on pages. The only place that writes them; views call
// it with plain values. Exports and the API do not use it: they speak ISO 8601 and plain decimals.

/** Stands for a value that is not there. */
const NONE = "—";

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    day: "2-digit",
    month: "2-digit",
    year: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  FORMATS.set(timeZone, made);
  return made;
}

/** `21/11/26 10:25` in the zone; a dash for no instant. */
export function dateTime(at: number | null, timeZone: string): string {
  if (at === null) return NONE;
  return formatOf(timeZone).format(at).replace(",", "");
}

/** `21/11/26` in the zone; a dash for no instant. */
export function date(at: number | null, timeZone: string): string {
  return dateTime(at, timeZone).split(" ")[0] ?? NONE;
}

/** A wait as people say it: `8 seconds`, `5 minutes`; rounded up. */
export function wait(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 90) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `3d 4h`, `4h 12m`, `12m 5s`, `5s`; a dash for none. */
export function duration(ms: number | null): string {
  if (ms === null) return NONE;
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0s";
  return parts
    .slice(first, first + 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(" ");
}

/** `just now`, `3m ago`, `5h ago`, `2d ago`; a dash for no instant. */
export function age(at: number | null, now: number): string {
  if (at === null) return NONE;
  const ms = now - at;
  if (ms < MINUTE_MS) return "just now";
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m ago`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)}h ago`;
  return `${Math.floor(ms / DAY_MS)}d ago`;
}

const NUMBERS = new Map<string, Intl.NumberFormat>();

function numberFormat(least: number, most: number, sign: "negative" | "exceptZero") {
  const key = `${least} ${most} ${sign}`;
  const known = NUMBERS.get(key);
  if (known) return known;
  const made = new Intl.NumberFormat("en-US", {
    minimumFractionDigits: least,
    maximumFractionDigits: most,
    signDisplay: sign,
  });
  NUMBERS.set(key, made);
  return made;
}

/** How a number is written. */
export type NumberLook = {
  /** Exactly so many decimals; 2 unless told. */
  readonly decimals?: number;
  /** Writes a plus before what is above zero. */
  readonly signed?: boolean;
};

/** `1,234.50`; a dash for none. */
export function number(value: number | null, look: NumberLook = {}): string {
  if (value === null) return NONE;
  const { decimals = 2, signed = false } = look;
  return numberFormat(decimals, decimals, signed ? "exceptZero" : "negative").format(value);
}

/** `12,345`; a dash for none. */
export function count(value: number | null): string {
  return number(value, { decimals: 0 });
}

/** A fraction as percent: 0.1234 → `12.3%`; one decimal unless told; a dash for none. */
export function percent(fraction: number | null, look: NumberLook = {}): string {
  if (fraction === null) return NONE;
  return `${number(fraction * 100, { ...look, decimals: look.decimals ?? 1 })}%`;
}

const DOLLARS = new Set(["USD", "USDT", "USDC", "BUSD", "FDUSD", "USDD", "TUSD", "DAI"]);

/** `-$1,234.50` where the quote is a dollar, else `-1,234.50 EUR`; a dash for none. */
export function money(value: number | null, quote: string, look: NumberLook = {}): string {
  if (value === null) return NONE;
  if (!DOLLARS.has(quote)) return `${number(value, look)} ${quote}`.trim();
  const text = number(value, look);
  return /^[+-]/.test(text) ? `${text[0]}$${text.slice(1)}` : `$${text}`;
}

/** A price with the decimals of its tick, at least those it needs: `42,283.60`; a dash for none. */
export function price(value: number | null, decimals = 4): string {
  return number(value, { decimals });
}

/** A quantity without trailing zeros, at most 8 decimals; a dash for none. */
export function qty(value: number | null): string {
  return value === null ? NONE : numberFormat(0, 8, "negative").format(value);
}

/** `15m`, `4h`, `1d` from minutes. */
export function timeframe(minutes: number): string {
  if (minutes % 1440 === 0) return `${minutes / 1440}d`;
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}

/** `12.3 MB`, `480 kB`, `12 B`. */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  if (size < 1e6) return `${(size / 1e3).toFixed(0)} kB`;
  return size < 1e9 ? `${(size / 1e6).toFixed(1)} MB` : `${(size / 1e9).toFixed(2)} GB`;
}

/** `ETH/USDT` from a unified symbol such as `ETH/USDT:USDT`. */
export function asset(symbol: string): string {
  return symbol.split(":")[0] ?? symbol;
}

/** The quote currency of `ETH/USDT:USDT` or `PERP_ETH_USDT`; empty when it is in neither. */
export function quoteOf(symbol: string): string {
  return /^[^/]+\/([^:]+)/.exec(symbol)?.[1] ?? /_([^_]+)$/.exec(symbol)?.[1] ?? "";
}

/** The class of a figure whose sign is good or bad news. */
export function signTone(value: number | null): "up" | "down" | undefined {
  if (value === null || value === 0) return undefined;
  return value > 0 ? "up" : "down";
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

/** `Firefox on Linux` from what a browser calls itself; its first words when it is unknown. */
export function browser(client: string): string {
  const name = BROWSERS.find(([pattern]) => pattern.test(client))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(client))?.[1];
  if (name) return system ? `${name} on ${system}` : name;
  return client.slice(0, 40) || "Unknown browser";
}

/** `18:44:05` on the day of `now`, `20/11/26 18:44:05` on another; zones differ by whole minutes. */
export function clockTime(at: number, now: number, timeZone: string): string {
  const seconds = String(Math.floor(at / 1000) % 60).padStart(2, "0");
  const text = `${dateTime(at, timeZone)}:${seconds}`;
  const today = `${date(now, timeZone)} `;
  return text.startsWith(today) ? text.slice(today.length) : text;
}
