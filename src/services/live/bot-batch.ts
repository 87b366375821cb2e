// Turns what a bot wants done into a batch for the order dispatcher. Pure; used by bot-runner.ts alone.
import type { LiveCommand } from "../../engine/live-bot.ts";
import { assert } from "../../model/result.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import { approve, type DeniedIntent } from "../../risk/pre-trade.ts";
import type { TradingState } from "../../risk/trading-state.ts";
import type { DispatchBatch, OrderRoom, PlaceOrder } from "./live-types.ts";

/** Orders of a bot as last read, by their row. */
export type OrderTable = Map<number, StoredIntent>;

/** A batch without the step that goes with it. */
export type OrderBatch = Omit<DispatchBatch, "step">;

/** Whether the command opens or enlarges a position at the exchange. */
function isOpening(command: LiveCommand): boolean {
  if (command.op === "cancel" || command.op === "park") return false;
  const { purpose } = command.approved.target;
  return purpose === "entry" || purpose === "rung";
}

/** Sorts the commands; `order` is what every order of the bot has in common right now. */
export function batchOf(
  commands: readonly LiveCommand[],
  table: OrderTable,
  order: Omit<PlaceOrder, "approved">,
): OrderBatch {
  const cancel: StoredIntent[] = [];
  const place: PlaceOrder[] = [];
  const park: PlaceOrder[] = [];
  const send: { intent: StoredIntent; order: PlaceOrder }[] = [];
  const stored = (id: number): StoredIntent => {
    const intent = table.get(id);
    assert(intent !== undefined, `order ${id} of ${order.owner} was never read`);
    return intent;
  };
  for (const command of commands) {
    if (command.op === "cancel") {
      cancel.push(stored(command.intentId));
      continue;
    }
    const { approved } = command;
    const heldQty = approved.target.isReduceOnly ? order.heldQty : null;
    const wanted = { ...order, approved, heldQty };
    if (command.op === "activate") send.push({ intent: stored(command.intentId), order: wanted });
    else (command.op === "place" ? place : park).push(wanted);
  }
  return { cancel, place, park, send, isFlatten: false };
}

/** Whether there is nothing to write or send. */
export function isNothing({ cancel, place, park, send }: OrderBatch): boolean {
  return cancel.length + place.length + park.length + send.length === 0;
}

/** Opening commands that may not go on; room is reserved for the others. @param room null while nothing may open */
export function heldBack(
  commands: readonly LiveCommand[],
  state: TradingState,
  room: OrderRoom | null,
): readonly LiveCommand[] {
  return commands.filter((command) => {
    if (command.op === "cancel" || !isOpening(command)) return false;
    const denied: DeniedIntent[] = [];
    const { slot, approved } = command;
    const intent = { op: "place", slot, target: approved.target } as const;
    if (room !== null) approve([intent], state, [], denied, room.check);
    return room === null || denied.length > 0;
  });
}
