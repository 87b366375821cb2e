// A small memory of what was used last, bounded by weight. Used by the candle cache, by worker threads for
// their series and traces, and for unpacked artifacts.

/** Values by key; the least recently used leave first, the newest always stays. */
export type WeighedCache<Value> = {
  /** Makes the value the most recently used one. */
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
};

/**
 * An empty cache.
 * @param weightMax sum of all weights that is kept, in whatever unit `weigh` answers
 */
export function createWeighedCache<Value>(
  weightMax: number,
  weigh: (value: Value) => number,
): WeighedCache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly weight: number }>();
  let total = 0;
  const drop = (key: string) => {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const found = entries.get(key);
      if (!found) return undefined;
      entries.delete(key);
      entries.set(key, found);
      return found.value;
    },
    set(key, value) {
      drop(key);
      const weight = weigh(value);
      entries.set(key, { value, weight });
      total += weight;
      for (const oldest of entries.keys()) {
        if (total <= weightMax || oldest === key) break;
        drop(oldest);
      }
    },
    delete: drop,
  };
}
