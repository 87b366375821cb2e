// Request limits in fixed windows of virtual time: public ones per address, private ones per account,
// some also per symbol. Asked by http.ts before a handler runs.

/** How many requests a window takes. */
export type Limit = {
  readonly count: number;
  readonly perMs: number;
  readonly isPerSymbol?: boolean;
};

/** Counts requests. */
export type RateLimits = {
  /** True when the request still fits into its window; it is counted then. */
  admit(key: string, limit: Limit, at: number): boolean;
};

/** Windows remembered until the finished ones are dropped. */
const WINDOWS_MAX = 10_000;

/** No request counted. */
export function createRateLimits(): RateLimits {
  const windows = new Map<string, { endAt: number; count: number }>();
  return {
    admit(key, limit, at) {
      const known = windows.get(key);
      if (known && at < known.endAt) {
        if (known.count >= limit.count) return false;
        known.count++;
        return true;
      }
      if (windows.size >= WINDOWS_MAX) {
        for (const [name, window] of windows) if (window.endAt <= at) windows.delete(name);
      }
      const endAt = (Math.floor(at / limit.perMs) + 1) * limit.perMs;
      windows.set(key, { endAt, count: 1 });
      return true;
    },
  };
}
