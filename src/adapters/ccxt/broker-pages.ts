// Complete lists out of paged answers. Used by the dialects. A list that cannot be proven complete is
// an error: an order or fill "missing" from half a list would be taken for gone.
import type { EpochMs } from "../../model/time.ts";
import type { Next } from "./broker-profile.ts";
import { BrokerError } from "./error-types.ts";

/** Without a limiter in front there is nothing to wait for. */
export const noWait: Next = () => Promise.resolve();

/** Oldest first; of one instant the smaller id first, as exchanges count upwards. */
export function inOrder<T extends { readonly at: EpochMs }>(
  rows: readonly T[],
  idOf: (row: T) => string,
): T[] {
  return [...rows].sort(
    (a, b) =>
      a.at - b.at ||
      idOf(a).length - idOf(b).length ||
      (idOf(a) < idOf(b) ? -1 : Number(idOf(a) > idOf(b))),
  );
}

/** One page of rows; `total` is how many there are in all, null when the exchange does not tell. */
export type Page<T> = { readonly rows: readonly T[]; readonly total: number | null };

const PAGES_MAX = 40;
const WINDOWS_MAX = 200;

/**
 * All rows of a list numbered in pages from 1.
 * @param idOf tells a row that moved to the next page while we were reading
 * @throws BrokerError of kind `incomplete`
 */
export async function allPages<T>(
  what: string,
  next: Next,
  page: (number: number) => Promise<Page<T>>,
  idOf: (row: T) => string,
): Promise<T[]> {
  const found = new Map<string, T>();
  for (let number = 1; number <= PAGES_MAX; number++) {
    if (number > 1) await next();
    const { rows, total } = await page(number);
    const before = found.size;
    for (const row of rows) found.set(idOf(row), row);
    if (found.size >= (total ?? found.size)) return [...found.values()];
    if (found.size === before) break;
  }
  throw new BrokerError("incomplete", `the list of ${what} did not arrive completely`);
}

/**
 * All rows of a stretch of time, both ends inclusive, whatever order the exchange sends them in and
 * however many fit a page: a stretch that may have been cut is asked for again in halves.
 * @throws BrokerError of kind `incomplete` when more than a page happened in one millisecond
 */
export async function wholeWindow<T>(
  what: string,
  next: Next,
  range: { readonly from: EpochMs; readonly to: EpochMs },
  limit: number,
  window: (from: EpochMs, to: EpochMs) => Promise<Page<T>>,
  idOf: (row: T) => string,
): Promise<T[]> {
  const found = new Map<string, T>();
  const waiting = [range];
  for (let asked = 0; asked < WINDOWS_MAX; asked++) {
    const part = waiting.pop();
    if (part === undefined) return [...found.values()];
    if (asked > 0) await next();
    const { rows, total } = await window(part.from, part.to);
    if (rows.length < limit && rows.length >= (total ?? 0)) {
      for (const row of rows) found.set(idOf(row), row);
      continue;
    }
    if (part.from >= part.to) break;
    const middle = Math.floor((part.from + part.to) / 2);
    waiting.push({ from: middle + 1, to: part.to }, { from: part.from, to: middle });
  }
  throw new BrokerError("incomplete", `the list of ${what} did not arrive completely`);
}
