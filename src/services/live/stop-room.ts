// Room for protective stops where an exchange takes few trigger orders a second: what opens a position waits while
// the stops that are owed would come late. Used by the order dispatcher, one for each account. It only counts;
// what has to wait is wished again at the next tick.
import type { ExactOrder } from "../../execution/exact-order.ts";
import type { Broker } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";

/** Who opens and who is owed a stop. */
export type StopRoom = {
  /**
   * Whether an order that opens has to wait.
   * @param stops protective stops of the same batch, which go first
   */
  givesWay(order: ExactOrder, stops: number): boolean;
  /** An order that is about to be sent: it owes a stop, or is one. */
  sends(order: ExactOrder): void;
};

/** A stop may wait so long for its turn; what opens at once may not make it longer. */
const STOP_WITHIN_MS = 1000;
/** An opening whose stop did not come within this owes none any more: it did not fill, or others look after it. */
const OWED_MS = 8000;
const AT_ONCE: ReadonlySet<string> = new Set(["market", "ioc", "fok"]);

/** Nobody is owed anything. */
export function createStopRoom(deps: {
  readonly broker: Pick<Broker, "triggerWaitMs">;
  readonly clock: Pick<Clock, "monotonicMs">;
}): StopRoom {
  const { broker, clock } = deps;
  /** Until when an opening is owed a stop, by symbol and leg. */
  const owed = new Map<string, number>();

  function owedNow(): number {
    const nowMs = clock.monotonicMs();
    for (const [key, untilMs] of owed) if (untilMs <= nowMs) owed.delete(key);
    return owed.size;
  }

  return {
    givesWay({ terms, isReduceOnly }, stops) {
      if (isReduceOnly || broker.triggerWaitMs === undefined) return false;
      const ahead = owedNow() + stops;
      // One turn is left for the stop of a position that opens by itself.
      if (terms.kind === "trigger") return broker.triggerWaitMs(ahead + 1) > 0;
      return AT_ONCE.has(terms.kind) && broker.triggerWaitMs(ahead) > STOP_WITHIN_MS;
    },
    sends({ symbol, leg, terms, isReduceOnly }) {
      const key = `${symbol} ${leg}`;
      if (isReduceOnly && terms.kind === "trigger") owed.delete(key);
      else if (!isReduceOnly && AT_ONCE.has(terms.kind)) {
        owed.set(key, clock.monotonicMs() + OWED_MS);
      }
    },
  };
}
