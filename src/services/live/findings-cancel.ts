// Cancels an order nobody here placed, because a person decided so. Run by the order dispatcher in its own turn, which
// hands in the only way to cancel. It looks at the order before it asks, asks once, and calls it gone only when the
// exchange says so about the order itself.
import type { CallOptions, OrderRef, OrderReport, OrderStatus } from "../../ports/broker.ts";
import { type DoorDeps, leaseIsShort } from "./order-sending.ts";

/** What became of it: only `gone` is proven, `asked` is not known yet, `withheld` left nothing here. */
export type StrangerCancelled =
  | { readonly outcome: "gone"; readonly order: OrderReport }
  | { readonly outcome: "asked"; readonly sentence: string }
  | { readonly outcome: "withheld"; readonly sentence: string };

/** Waits before each look after the exchange was asked. */
const LOOKS_AFTER_MS = [150, 400, 1000];
const ENDED: ReadonlySet<OrderStatus> = new Set(["filled", "cancelled", "rejected", "expired"]);

/** Cancels it by its exchange id. Safe to be called again: an order that is gone is not asked about twice. */
export async function cancelStranger(deps: DoorDeps, ref: OrderRef): Promise<StrangerCancelled> {
  const options: CallOptions = { signal: new AbortController().signal };
  const before = await look(deps, ref, options);
  if (before === null) return withheld("the exchange does not show the order now");
  if (isEnded(before)) return { outcome: "gone", order: before };
  const closed = whyClosed(deps);
  if (closed !== null) return withheld(closed);
  const refusal = await ask(deps, ref, options);
  for (const waitMs of LOOKS_AFTER_MS) {
    await deps.clock.sleep(waitMs);
    const seen = await look(deps, ref, options);
    if (seen !== null && isEnded(seen)) return { outcome: "gone", order: seen };
  }
  if (refusal !== null) return withheld(refusal);
  return { outcome: "asked", sentence: "the exchange was asked and does not show it gone yet" };
}

function withheld(sentence: string): StrangerCancelled {
  return { outcome: "withheld", sentence };
}

function isEnded({ status }: OrderReport): boolean {
  return ENDED.has(status);
}

/** Frozen touches nothing, and a lease about to end is no right to write. */
function whyClosed({ cells, account, lease }: DoorDeps): string | null {
  const { state, reason } = cells.cell(account, null);
  if (state === "frozen") return `trading is frozen: ${reason}`;
  return leaseIsShort(lease)?.sentence ?? null;
}

/** The one call. @returns why it provably did not happen; null when it did or nobody knows */
async function ask(deps: DoorDeps, ref: OrderRef, options: CallOptions): Promise<string | null> {
  const mayLeave = () => whyClosed(deps) === null;
  try {
    const answer = await deps.cancel(ref, { ...options, mayLeave });
    return answer.outcome === "refused" ? answer.sentence : null;
  } catch (error) {
    // It may have left before it failed: only asking tells.
    deps.log.error(`cancelling failed without an answer: ${String(error)}`, { order: ref.id });
    return null;
  }
}

/** An unanswered question, and an answer that there is no such order, are null: they prove nothing. */
async function look(
  { broker, log }: DoorDeps,
  ref: OrderRef,
  options: CallOptions,
): Promise<OrderReport | null> {
  try {
    return await broker.order(ref, options);
  } catch (error) {
    log.warn(`an order of a stranger could not be asked about: ${String(error)}`, {
      order: ref.id,
    });
    return null;
  }
}
