// The settings of a bot that its page offers, in the order of the form, and the rule which of them may change
// while a position is open. Read by bot-edits.ts and, for the form, by web/routes. Data and one question.

/** How a setting is typed. */
export type EditField = {
  /** Where it lies in the configuration. */
  readonly path: string;
  readonly label: string;
  readonly group: "Exits" | "Limits" | "Behaviour" | "Ladder and size";
  /** `limit`, `percent` and `count` may be empty for none. */
  readonly kind: "number" | "amount" | "limit" | "percent" | "count" | "choice" | "leverage";
  readonly unit?: string;
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  /** What a change of this one does, where its group does not say it. */
  readonly hint?: string;
  /** Read by the strategy only while another setting has this value. */
  readonly onlyWhen?: { readonly path: string; readonly value: string };
};

/** What a change within a group does. */
export const GROUP_HINTS: Readonly<Record<EditField["group"], string>> = {
  Exits:
    "An open position keeps its take-profit and stop until a rung fills, which sets both anew; " +
    "trailing follows from the next candle on and never loosens.",
  Limits: "Empty is no limit. Checked before every order; exits and stops are never held back.",
  Behaviour: "At once, also while a position is open.",
  "Ladder and size": "From the next cycle on.",
};

/** Why settings that an open cycle was counted by have to wait. */
export const WAITS =
  "Waits until the bot is paused or stopped, flat and without orders: the open cycle was counted " +
  "by it.";

const PAUSES = [
  { value: "exits_only", label: "Guard: exits and stops go on" },
  { value: "freeze", label: "Freeze: touch nothing" },
];

const SIZING = "general.initial_entry_sizing_mode";
const PCT = "pct_balance";

/** Every setting the form offers; the others change with a new bot. */
export const EDIT_FIELDS: readonly EditField[] = [
  exit("tp_pct", "Take-profit", "%", "tp_mode"),
  exit("tp_atr_mult", "Take-profit", "× ATR", "tp_mode"),
  exit("tp_replace_threshold_pct", "Move the take-profit from a difference of", "%", null),
  exit("sl_pct", "Stop", "%", "sl_mode"),
  exit("sl_atr_mult", "Stop", "× ATR", "sl_mode"),
  exit("trail_activation_pct", "Trailing begins at", "%", "sl_mode"),
  exit("trail_distance_pct", "Trailing distance", "%", "sl_mode"),
  exit("trail_activation_atr_mult", "Trailing begins at", "× ATR", "sl_mode"),
  exit("trail_distance_atr_mult", "Trailing distance", "× ATR", "sl_mode"),
  limit("maxOrderQty", "Largest order", "limit", "quantity"),
  limit("maxOrderNotional", "Largest order", "limit", "quote"),
  limit("maxOpenOrders", "Open orders at once", "count", "orders"),
  limit("maxPositionNotional", "Largest position", "limit", "quote"),
  limit("maxDrawdownPct", "Deepest drawdown", "percent", "%"),
  {
    ...{ path: "pauseMode", label: "While it is paused", group: "Behaviour", kind: "choice" },
    options: PAUSES,
  },
  {
    ...{ path: "balanceCap", label: "Size by at most", group: "Behaviour", kind: "limit" },
    ...{ unit: "quote", hint: "Empty sizes by everything it earned. Counts for the next cycle." },
  },
  ladder("dca.base_deviation_pct", "First gap", "%", ["dca.deviation_mode", "PCT"]),
  ladder("dca.base_deviation_atr_mult", "First gap", "× ATR", ["dca.deviation_mode", "ATR"]),
  ladder("dca.deviation_multiplier", "Each gap times the one before", "×"),
  ladder("dca.volume_multiplier", "Each size times the one before", "×"),
  ladder("general.max_entries", "Entries at most", "entries"),
  ladder("general.initial_entry_balance_pct", "First entry", "% of balance", [SIZING, PCT]),
  ladder("general.initial_entry_fixed_usd", "First entry", "quote", [SIZING, "fixed_usd"]),
  {
    ...{ path: "leverage", label: "Leverage", group: "Ladder and size", kind: "leverage" },
    unit: "×",
  },
  {
    ...{ path: "allocation", label: "Allocation", group: "Ladder and size", kind: "amount" },
    unit: "quote",
  },
];

function exit(key: string, label: string, unit: string, mode: string | null): EditField {
  const path = `strategy.exits.${key}`;
  const field = { path, label, group: "Exits", kind: "number", unit } as const;
  if (mode === null) return field;
  const value = unit === "%" ? "PCT" : "ATR";
  return { ...field, onlyWhen: { path: `strategy.exits.${mode}`, value } };
}

function limit(key: string, label: string, kind: EditField["kind"], unit: string): EditField {
  return { path: `limits.${key}`, label, group: "Limits", kind, unit };
}

function ladder(
  key: string,
  label: string,
  unit: string,
  only: readonly [path: string, value: string] | null = null,
): EditField {
  const path = `strategy.${key}`;
  const field = { path, label, group: "Ladder and size", kind: "number", unit } as const;
  if (only === null) return field;
  const [other, value] = only;
  return { ...field, onlyWhen: { path: `strategy.${other}`, value } };
}

const SAFE = new Set(
  EDIT_FIELDS.filter(({ group }) => group !== "Ladder and size").map(({ path }) => path),
);

/** Whether a value may change while a cycle is open; whatever the form does not offer may not. */
export function isSafeWhileOpen(path: string): boolean {
  return SAFE.has(path);
}
