// When figures were taken, to the second: what a worker shows is written every ten seconds while somebody looks, and
// less often else, so a page says of which moment it speaks. Used by the pages of bots.
import { clockTime } from "../format.ts";

/** Props of the moment. */
export type AsOfProps = {
  /** Null before anybody told anything. */
  readonly at: number | null;
  readonly now: number;
  readonly timeZone: string;
};

/** `as of 18:44:05`, in figures of one width. */
export function AsOf({ at, now, timeZone }: AsOfProps) {
  if (at === null) return null;
  return (
    <span class="number as-of">
      as of <time datetime={new Date(at).toISOString()}>{clockTime(at, now, timeZone)}</time>
    </span>
  );
}
