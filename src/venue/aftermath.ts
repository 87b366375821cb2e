// What a trade or a move of the mark price sets off: orders that lost their position, triggers,
// liquidations. Run after every operation until nothing more happens.
import { closingRoom } from "./account.ts";
import { tendAlgos } from "./algo.ts";
import { tendLiquidations } from "./liquidation.ts";
import { finish } from "./matching.ts";
import { type Exchange, marketFor } from "./state.ts";

/** Rounds until a chain of triggers is left for the next operation. */
const ROUNDS_MAX = 50;

/** Settles all consequences of what was just done. */
export function settle(x: Exchange): void {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    dropEmptyClosers(x);
    const hasTriggered = tendAlgos(x);
    const hasLiquidated = tendLiquidations(x);
    if (!hasTriggered && !hasLiquidated && x.dirty.size === 0) return;
  }
}

/** Cancels closing orders of legs that are flat. */
function dropEmptyClosers(x: Exchange): void {
  for (const account of x.dirty) {
    for (const order of [...account.open]) {
      if (closingRoom(account, order) > 0) continue;
      finish(x, marketFor(x, order.instrument), order, "CANCELLED", "nothing left to reduce");
    }
  }
  x.dirty.clear();
}
