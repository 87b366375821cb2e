// The leaves of the strategy's schema as a form needs them: path, type, range, default. One source of ranges and
// defaults for the backtest form; used by backtest-values.ts and the page.
import { z } from "zod";
import { dcaAtrSchema } from "../../strategy/dca-atr/config.ts";

/** One parameter; numbers have bounds where the schema states them. */
export type Leaf = {
  readonly path: string;
  readonly type: "number" | "integer" | "boolean" | "string";
  readonly initial: number | boolean | string;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly words: readonly string[];
};

/** What zod prints of a node. */
type Node = {
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
};

const TYPES = ["number", "integer", "boolean", "string"] as const;

/** Bounds that zod writes for every whole number are none. */
function bound(value: number | undefined): number | undefined {
  return value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
}

function leafOf(path: string, node: Node): Leaf {
  const type = TYPES.find((each) => each === node.type);
  const initial = node.default;
  const isPlain = typeof initial === "number" || typeof initial === "boolean";
  if (type === undefined || !(isPlain || typeof initial === "string")) {
    throw new Error(`config: ${path} has no type or default that a form can show`);
  }
  const { minimum, maximum } = node;
  return { path, type, initial, min: bound(minimum), max: bound(maximum), words: node.enum ?? [] };
}

function walk(node: Node, path: string): Leaf[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return inner.properties ? walk(inner, at) : [leafOf(at, inner)];
  });
}

/** Every parameter of the strategy, in the order of its document. */
export const STRATEGY_LEAVES: readonly Leaf[] = walk(
  z.toJSONSchema(dcaAtrSchema, { io: "input" }) as Node,
  "",
);
