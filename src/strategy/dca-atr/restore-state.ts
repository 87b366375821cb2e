// A stored state of the strategy, read back. Every version that was ever stored has its way to the present one
// here; anything that is not exactly such a state is refused, because a guessed latch would trade.
import { z } from "zod";
import { ok, refuse, type Result } from "../../model/result.ts";
import { schemaSentence } from "../schema-sentence.ts";
import { DECISIONS, type DcaAtrState } from "./state.ts";

const count = z.int().min(0);
const instant = z.int().min(-1);
/** -1 or a price, a distance or an average true range. */
const level = z.number().min(-1);

const stateSchema = z.strictObject({
  pendingSign: z.union([z.literal(-1), z.literal(0), z.literal(1)]),
  pendingDecidedAt: instant,
  lastEntryExitAt: instant,
  entries: count,
  level: count,
  isLadderClosed: z.boolean(),
  baseQty: z.number().min(0),
  basePrice: level,
  lastExpandAt: instant,
  capturedAtr: level,
  fixedStop: level,
  isTrailing: z.boolean(),
  trailPeak: level,
  // A trailing distance above the peak puts the stop of a long below nothing.
  trailStop: z.number(),
  trailAtr: level,
  touchedAt: instant,
  openedAtClose: instant,
  isExitSet: z.boolean(),
  decision: count.max(DECISIONS.length - 1),
  rejections: z.strictObject({
    entryBelowMin: count,
    rungMargin: count,
    entryMargin: count,
    rungBelowMin: count,
  }),
  withdrawn: z.strictObject({ timeout: count, flipped: count }),
});

/** From the state of a version to the state of the present one. */
const MIGRATIONS: ReadonlyMap<string, (stored: unknown) => unknown> = new Map([
  ["1.0.0", (stored: unknown) => stored],
]);

/** A stored state as the present version keeps it. */
export function restoreDcaAtrState(
  version: string,
  stored: unknown,
): Result<DcaAtrState, "STATE_UNREADABLE"> {
  const migrate = MIGRATIONS.get(version);
  if (!migrate) {
    return refuse("STATE_UNREADABLE", `state: version ${version} of the strategy is not known`);
  }
  const brought = migrate(stored);
  const parsed = stateSchema.safeParse(brought);
  if (parsed.success) return ok(parsed.data);
  return refuse("STATE_UNREADABLE", schemaSentence(stateSchema, parsed.error, brought, "state"));
}
