// Records what a live bot was told and what it wanted done, one JSON line per input, and plays such a record again
// through a fresh bot. The same inputs must lead to the same orders: prices in ticks, quantities in lots, keys.
import { InputError } from "../model/result.ts";
import type { LiveBot, LiveInput, LiveOutput, OrderNews } from "./live-bot.ts";

/** Differences a replay tells of. */
const DIFFERENCES_MAX = 100;

/** The beginning of a record: what the bot was restored from. */
type RestoreLine = {
  readonly restore: { readonly body: unknown; readonly orders: readonly OrderNews[] };
  readonly wanted: readonly string[];
};

/** One input and what came of it. */
type InputLine = { readonly input: LiveInput; readonly wanted: readonly string[] };

/** What a replay found. */
export type ReplayReport = {
  readonly inputs: number;
  readonly intents: number;
  /** One sentence per input that came out differently, at most 100. */
  readonly differences: readonly string[];
};

/** What an output wants done, in words that do not depend on ids: `place tp sell 10120 x 35`. */
export function intentsOf(output: LiveOutput): string[] {
  return output.commands.map((command) => {
    if (command.op === "cancel") return `cancel ${command.slot}`;
    const { key, side, kind, priceTicks, qtyLots } = command.approved.target;
    return `${command.op} ${key} ${side} ${kind} ${priceTicks} x ${qtyLots}`;
  });
}

type Heard =
  | { readonly ok: true; readonly value: LiveOutput }
  | { readonly ok: false; readonly reason: string };

function wantedOf(heard: Heard): readonly string[] {
  return heard.ok ? intentsOf(heard.value) : [`refused ${heard.reason}`];
}

/** The same bot, with every input written down; a line holds no line break. */
export function recordBot<S>(bot: LiveBot<S>, write: (line: string) => void): LiveBot<S> {
  return {
    ...bot,
    restore: (body, orders) => {
      const heard = bot.restore(body, orders);
      const line: RestoreLine = { restore: { body, orders }, wanted: wantedOf(heard) };
      write(JSON.stringify(line));
      return heard;
    },
    handle: (input) => {
      const heard = bot.handle(input);
      const line: InputLine = { input, wanted: wantedOf(heard) };
      write(JSON.stringify(line));
      return heard;
    },
  };
}

/**
 * Plays a record through a fresh bot of the same configuration.
 * @throws InputError naming the first line that is not one of a record
 */
export function replay<S>(lines: Iterable<string>, bot: LiveBot<S>): ReplayReport {
  const differences: string[] = [];
  let inputs = 0;
  let intents = 0;
  for (const text of lines) {
    const line = parseLine(text, inputs + 1);
    const heard: Heard =
      "restore" in line
        ? bot.restore(line.restore.body, line.restore.orders)
        : bot.handle(line.input);
    const found = wantedOf(heard);
    inputs += 1;
    intents += found.length;
    const [was, is] = [line.wanted.join(", "), found.join(", ")];
    if (was === is || differences.length >= DIFFERENCES_MAX) continue;
    differences.push(`line ${inputs}: recorded [${was}], replayed [${is}]`);
  }
  return { inputs, intents, differences };
}

const KINDS: ReadonlySet<string> = new Set<LiveInput["kind"]>([
  "history",
  "candle",
  "price",
  "order",
  "not_sent",
  "trading_state",
  "operator",
  "ledger",
]);

function parseLine(text: string, number: number): RestoreLine | InputLine {
  const line = readJson(text);
  const hasWanted = isRecord(line) && Array.isArray(line["wanted"]);
  if (hasWanted && isRestore(line["restore"])) return line as RestoreLine;
  if (hasWanted && isInput(line["input"])) return line as InputLine;
  throw new InputError(`record: line ${number} is not an input of a live bot`);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRestore(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value["orders"]);
}

function isInput(value: unknown): boolean {
  return isRecord(value) && typeof value["kind"] === "string" && KINDS.has(value["kind"]);
}
