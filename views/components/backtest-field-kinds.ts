// What a field of the backtest form is: name, label, unit, choices, and when it matters. Plain data, read by the
// cards that show the fields and by the form that reads them.

/** A field matters when one of the pairs of field and value holds. */
export type When = readonly (readonly [field: string, value: string])[];

/** A choice as it is posted and as it is shown; a series tells its timeframe in minutes too. */
export type Choice = readonly [value: string, label: string, timeframe?: string];

/** One field. Its name is the path of its document: `config.exits.sl_pct`, `run.leverage`. */
export type FieldSpec = {
  readonly name: string;
  readonly label: string;
  readonly kind: "number" | "text" | "switch" | "choice" | "moment";
  /** Stands behind the input. */
  readonly unit?: string;
  /** Step of the arrows; any number may be typed. */
  readonly step?: number;
  /** Range of a number that no strategy schema states. */
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly Choice[];
  /** Takes a row of its own. */
  readonly isWide?: true;
  /** Id of the list of suggestions for a text. */
  readonly list?: string;
  readonly when?: When;
  /** Explanation; a parameter of the strategy takes the manual's. */
  readonly help?: string;
};

/** Fields under one heading; advanced ones are folded away. */
export type FieldGroup = {
  readonly title?: string;
  readonly note?: string;
  readonly fields: readonly FieldSpec[];
  readonly advanced?: readonly FieldSpec[];
  /** The switch that turns the whole group on. */
  readonly when?: When;
};

/** One card of the form. */
export type FieldCard = {
  readonly id: string;
  readonly title: string;
  readonly groups: readonly FieldGroup[];
};

/** A number with its unit. */
export function numberField(
  name: string,
  label: string,
  unit: string,
  more: Partial<FieldSpec> = {},
): FieldSpec {
  return { name, label, kind: "number", unit, ...more };
}

/** A choice from a short list. */
export function choiceField(
  name: string,
  label: string,
  choices: readonly Choice[],
  more: Partial<FieldSpec> = {},
): FieldSpec {
  return { name, label, kind: "choice", choices, ...more };
}

/** Something that is on or off. */
export function switchField(name: string, label: string, more: Partial<FieldSpec> = {}): FieldSpec {
  return { name, label, kind: "switch", ...more };
}

/** What a switch posts while it is on; off it posts nothing. */
export const ON = "on";

/** Simple or exponential. */
export const AVERAGES: readonly Choice[] = [
  ["Sma", "Simple (SMA)"],
  ["Ema", "Exponential (EMA)"],
];

/** How distances are measured. */
export const MODES: readonly Choice[] = [
  ["PCT", "Percent"],
  ["ATR", "ATR multiples"],
];

/** Holds while a parameter of the strategy has a value. */
export function whenIs(parameter: string, value: string): When {
  return [[`config.${parameter}`, value]];
}

/** All fields of cards, advanced ones included. */
export function fieldsOf(cards: readonly FieldCard[]): FieldSpec[] {
  return cards.flatMap(({ groups }) =>
    groups.flatMap(({ fields, advanced = [], when }) =>
      // A field of a conditional group matters only with its group.
      [...fields, ...advanced].map((field) =>
        when ? { ...field, when: field.when ?? when } : field,
      ),
    ),
  );
}

/** Whether the field matters with these values. */
export function isShown(when: When | undefined, values: Readonly<Record<string, string>>): boolean {
  return when === undefined || when.some(([field, value]) => (values[field] ?? "") === value);
}
