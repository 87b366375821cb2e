// Which of the figures a worker shows change all the time and tell little: beside live-figures.ts, whose types
// they are of. Used by services/live/figures-writer.ts alone, to write what only ticked on less often. Pure.
import { compare, type Decimal, decimal, multiply, subtract } from "./decimal.ts";
import type { AccountFigures, BotFigures } from "./live-figures.ts";

/** Figures of a bot that alone are no change; `position` and `pnl` have volatile parts of their own. */
const VOLATILE_OF_BOT = ["price", "equity", "lastTickAt", "lastCandleAt", "heartbeats"] as const;
const VOLATILE_OF_POSITION = ["unrealised", "notional"] as const;
const VOLATILE_OF_PNL = ["unrealised", "net"] as const;
/** Figures of an account that alone are no change. */
const VOLATILE_OF_ACCOUNT = [
  ...(["unrealised", "equity", "freeBalance", "grossExposure", "peakEquity"] as const),
  ...(["clockOffsetMs", "lastReconciledAt", "leaseUntil", "lastTickAt"] as const),
] as const;

/** A move of the price, or of the worth of what is held, by more than 0.05 % is seen at once. */
const LITTLE_RATIO = decimal("0.0005");

/** Whether a bot tells more than that time went on; what it holds is watched by its price and worth. */
export function hasBotChanged(before: BotFigures, after: BotFigures): boolean {
  if (steadyOfBot(before) !== steadyOfBot(after)) return true;
  if (before.position === null || after.position === null) return false;
  const exposure = before.position.notional;
  return (
    hasMoved(
      before.price?.price ?? null,
      after.price?.price ?? null,
      before.price?.price ?? null,
    ) || hasMoved(before.position.unrealised, after.position.unrealised, exposure)
  );
}

/** The same of an account; equity counts while anything is held. */
export function hasAccountChanged(before: AccountFigures, after: AccountFigures): boolean {
  if (steadyOfAccount(before) !== steadyOfAccount(after)) return true;
  const exposure = before.grossExposure;
  return (
    hasMoved(exposure, after.grossExposure, exposure) ||
    hasMoved(before.unrealised, after.unrealised, exposure)
  );
}

/** By more than a little of a size; a figure that comes or goes has moved. */
function hasMoved(before: Decimal | null, after: Decimal | null, size: Decimal | null): boolean {
  if (before === null || after === null) return before !== after;
  const moved = subtract(after, before);
  const allowed = multiply(size ?? decimal(0), LITTLE_RATIO);
  return compare(magnitude(moved), magnitude(allowed)) > 0;
}

function magnitude(value: Decimal): Decimal {
  return compare(value, decimal(0)) < 0 ? subtract(decimal(0), value) : value;
}

function steadyOfBot(figures: BotFigures): string {
  const { position, pnl, gates, nextAction } = figures;
  return JSON.stringify({
    ...without(figures, VOLATILE_OF_BOT),
    nextAction: wordsOf(nextAction),
    gates: gates.map((gate) => ({ ...gate, sentence: wordsOf(gate.sentence) })),
    position: position && without(position, VOLATILE_OF_POSITION),
    pnl: without(pnl, VOLATILE_OF_PNL),
  });
}

function steadyOfAccount(figures: AccountFigures): string {
  const { sentence, blocks, findings } = figures;
  return JSON.stringify({
    ...without(figures, VOLATILE_OF_ACCOUNT),
    sentence: wordsOf(sentence),
    blocks: blocks.map(wordsOf),
    findings: findings.map((finding) => ({ ...finding, sentence: wordsOf(finding.sentence) })),
  });
}

/** A sentence without its figures: prices and ages in it change with every tick. */
function wordsOf(sentence: string): string {
  return sentence.replace(/-?\d+(?:[.,:]\d+)*/g, "0");
}

function without<T extends object>(whole: T, keys: readonly (keyof T)[]): Partial<T> {
  const rest: Partial<T> = { ...whole };
  for (const key of keys) delete rest[key];
  return rest;
}
