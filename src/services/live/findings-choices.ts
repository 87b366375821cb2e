// What a person may do about each thing that was found, and what taking it over would mean. Used by findings.ts for
// pages and by findings-settle.ts before anything is done: only what really works is offered. Pure.
import { compare, type Decimal, subtract } from "../../model/decimal.ts";
import type { FindingView } from "../../model/live-figures.ts";
import type { RunningBot } from "./account-bots.ts";
import type { Found } from "./findings-found.ts";
import { type Claim, type Heir, heirsOf } from "./findings-heirs.ts";

/** One thing a person may choose. */
export type Choice = FindingView["choices"][number];

/** What choices depend on beside the finding itself. */
export type ChoiceFacts = {
  /** Everything that was found. */
  readonly all: readonly Found[];
  readonly running: readonly RunningBot[];
  readonly isIgnored: boolean;
  /** Whether the account keeps positions at all; a spot account only has balances. */
  readonly hasPositions: boolean;
};

const ZERO = "0" as Decimal;

/** Everything that may be chosen, in the order of the buttons. */
export function choicesOf(found: Found, facts: ChoiceFacts): readonly Choice[] {
  const alone: Choice = facts.isIgnored ? "heed" : "ignore";
  const adopt: readonly Choice[] = heirsFor(found, facts.running).length > 0 ? ["adopt"] : [];
  const flatten: readonly Choice[] = canClose(found, facts) ? ["flatten"] : [];
  const cancel: readonly Choice[] = found.order === null ? [] : ["cancel"];
  const { kind, drift } = found;
  switch (kind) {
    case "known_position":
      return flatten;
    case "known_order":
      return cancel;
    case "stranger_order":
      return [...adopt, alone, ...cancel];
    case "position_drift":
      if (drift === null || isNothing(drift.difference)) return [];
      // Without trade records there is nothing that could be given to anybody, or be closed as known.
      if (drift.between === "exchange") return drift.isSure ? [alone] : [];
      return [...adopt, alone, ...flatten];
    case "position_mode":
    case "second_instance":
      return [];
  }
}

function isNothing(difference: Decimal | null): difference is null {
  return difference === null || compare(difference, ZERO) === 0;
}

/** Everybody who may take it over, whoever gets it unless another is named first; empty when nobody can. */
export function heirsFor(found: Found, running: readonly RunningBot[]): readonly Heir[] {
  const claim = claimOf(found);
  return claim === null ? [] : heirsOf(claim, running);
}

/** What would change hands; null where nothing can. */
function claimOf({ kind, drift, order }: Found): Claim | null {
  if (drift !== null && drift.between === "owners" && !isNothing(drift.difference)) {
    const { symbol, leg, difference: change, holders } = drift;
    return { symbol, leg, change, holders };
  }
  if (kind !== "stranger_order" || order === null || order.leg === null) return null;
  const { report, leg, holders } = order;
  const { symbol, side, qty, price, isTrigger } = report;
  // The direction of a trigger is not told, and an order without a price does not rest.
  if (isTrigger || qty === null || price === null) return null;
  return { symbol, leg, change: side === "buy" ? qty : subtract(ZERO, qty), holders };
}

/** Closing makes the account smaller: what is too much must point the way the account does. */
function canClose({ kind, symbol, drift }: Found, { all, hasPositions }: ChoiceFacts): boolean {
  if (!hasPositions) return false;
  if (kind === "known_position") return true;
  if (drift === null || isNothing(drift.difference)) return false;
  // While an order of a stranger works there, what is closed now may be there again at once.
  const isMoving = all.some((one) => {
    const leg = one.order?.leg ?? null;
    const isThere = one.symbol === symbol && (leg === null || leg === drift.leg);
    return one.kind === "stranger_order" && isThere;
  });
  const { difference, accountQty } = drift;
  const sign = compare(difference, ZERO);
  const isSameWay = sign === compare(accountQty, ZERO);
  return !isMoving && isSameWay && compare(accountQty, difference) * sign >= 0;
}

/** What taking it over means; empty where nobody can. */
export function adoptText({ order }: Found, heir: Heir | null): string {
  if (heir === null) return "";
  const { bot } = heir;
  if (order !== null) {
    return bot === null
      ? "Taking it over makes it a person's order: what it fills is a person's position"
      : `Taking it over makes it an order of the bot ${bot.name}, which keeps it only if it fits its plan`;
  }
  return bot === null
    ? "Taking it over books it as a person's position, which no bot uses or protects"
    : `Taking it over gives it to the bot ${bot.name}, which protects it with its stop`;
}
