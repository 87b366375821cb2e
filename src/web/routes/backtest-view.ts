// The backtest form as its page wants it: ranges from the schema, explanations from the manual, choices from what
// is stored, refused fields in the order of the page. Used by routes/backtest.tsx.
import { OTHER_SERIES, RUN_CARDS } from "../../../views/components/backtest-run-fields.ts";
import { STRATEGY_CARDS } from "../../../views/components/backtest-strategy-fields.ts";
import { type Choice, fieldsOf } from "../../../views/components/backtest-field-kinds.ts";
import type { FormView } from "../../../views/components/backtest-field.tsx";
import { asset, date, timeframe } from "../../../views/format.ts";
import { HELP_TOPICS } from "../../../views/help/index.ts";
import type { SummaryLine } from "../../../views/pages/backtest.tsx";
import type { CandleSummary } from "../../ports/candle-store.ts";
import type { Period } from "../../ports/period-store.ts";
import { STRATEGY_LEAVES } from "../forms/backtest-leaves.ts";
import type { Problems } from "../forms/backtest-sentences.ts";
import type { FormValues } from "../forms/backtest-values.ts";

/** Timeframes on offer, in minutes. */
const TIMEFRAMES = [1, 3, 5, 15, 30, 60, 120, 240, 360, 480, 720, 1440];

const LIMITS: FormView["limits"] = Object.fromEntries(
  STRATEGY_LEAVES.map(({ path, min, max }) => [
    `config.${path}`,
    { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
  ]),
);

/** `- \`exits.sl_pct\` (%; 0 or more; default 5): text` of the manual. */
const PARAMETER = /^- `([\w.]+)` \(([^;]+); ([^;]+); default ([^)]+)\): (.+)$/gm;

/** What the manual says of each parameter. */
export function manualParameters(): Map<string, { range: string; initial: string; text: string }> {
  const markdown = HELP_TOPICS.find(({ name }) => name === "strategy")?.markdown ?? "";
  return new Map(
    [...markdown.matchAll(PARAMETER)].map(
      ([, path = "", , range = "", initial = "", text = ""]) => [path, { range, initial, text }],
    ),
  );
}

const HELP: FormView["help"] = Object.fromEntries(
  [...manualParameters()].map(([path, { text }]) => [`config.${path}`, text]),
);

/** What the choices are made of. */
export type Stored = {
  readonly series: readonly CandleSummary[];
  readonly periods: readonly Period[];
  readonly timeZone: string;
};

function seriesChoices({ series, timeZone }: Stored): Choice[] {
  const known = series.map((each): Choice => {
    const span =
      each.firstAt === null
        ? "empty"
        : `${date(each.firstAt, timeZone)}–${date(each.lastAt, timeZone)}`;
    const label = `${asset(each.symbol)} ${each.kind} · ${timeframe(each.timeframeMin)} · ${each.exchangeId} · ${span}`;
    return [String(each.id), label, String(each.timeframeMin)];
  });
  return [["", "Choose candles…"], ...known, [OTHER_SERIES, "Another market…"]];
}

function timeframeChoices(current: string): Choice[] {
  const minutes = Number(current);
  const isOdd = Number.isInteger(minutes) && minutes > 0 && !TIMEFRAMES.includes(minutes);
  const all = isOdd ? [...TIMEFRAMES, minutes].sort((a, b) => a - b) : TIMEFRAMES;
  return all.map((each) => [String(each), timeframe(each)]);
}

function periodChoices({ periods, timeZone }: Stored): Choice[] {
  const known = periods.map(({ id, name, fromAt, toAt }): Choice => [
    String(id),
    `${name} · ${date(fromAt, timeZone)}–${date(toAt, timeZone)}`,
  ]);
  return [["", known.length === 0 ? "None saved yet" : "Choose a period…"], ...known];
}

/** The form to draw. */
export function formView(values: FormValues, problems: Problems, stored: Stored): FormView {
  const choices = {
    series: seriesChoices(stored),
    "run.timeframe_min": timeframeChoices(values["run.timeframe_min"] ?? ""),
    "range.period": periodChoices(stored),
  };
  const focus = summaryOf(problems)[0]?.field;
  return { values, problems, limits: LIMITS, help: HELP, choices, focus };
}

const ORDER: readonly (readonly [field: string, group: string])[] = [
  ...STRATEGY_CARDS,
  ...RUN_CARDS,
].flatMap(({ title, groups }) =>
  groups.flatMap((group) =>
    fieldsOf([{ id: "", title, groups: [group] }]).map(
      ({ name }) => [name, group.title ?? title] as const,
    ),
  ),
);

/** Refused fields in the order of the page; what is about none of them comes last. */
export function summaryOf(problems: Problems): SummaryLine[] {
  const placed = ORDER.flatMap(([field, group]) => {
    const sentence = problems[field];
    return sentence === undefined ? [] : [{ field, group, sentence }];
  });
  const names = new Set(placed.map(({ field }) => field));
  const rest = Object.entries(problems)
    .filter(([field]) => !names.has(field))
    .map(([, sentence]) => ({ field: "", group: "", sentence }));
  return [...placed, ...rest];
}
