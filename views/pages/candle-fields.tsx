// What both forms of the candles page have in common: labelled fields of any kind, the choices of
// markets and timeframes, the exchanges. Used by candle-import-form.tsx and candle-download-form.tsx.
import type { Child } from "hono/jsx";

/** Our ids of all exchanges. */
export type ExchangeGroups = {
  /** Those we know well, in their order. */
  readonly first: readonly string[];
  readonly others: readonly string[];
};

/** Kinds of market as choices. */
export const MARKETS = [
  { value: "perps", label: "perpetual futures" },
  { value: "spot", label: "spot" },
  { value: "", label: "as the symbol says" },
];
/** Timeframes most exchanges have. */
export const TIMEFRAMES = "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 1w".split(" ");

/** A field of any kind with its label and problem. */
export function LabelledField(props: {
  id: string;
  label: string;
  problem?: string | undefined;
  children: Child;
}) {
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      {props.children}
      {props.problem ? (
        <p class="problem" id={`${props.id}-problem`}>
          {props.problem}
        </p>
      ) : null}
    </div>
  );
}
