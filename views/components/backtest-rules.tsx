// The rules of the instrument on the backtest form: where they come from, the fields, and the button that asks the
// exchange. Sent again when the market changes or the exchange has answered.
import { dateTime } from "../format.ts";
import { INSTRUMENT_CARD } from "./backtest-account-fields.ts";
import { GroupFields } from "./backtest-card.tsx";
import type { FormView } from "./backtest-field.tsx";

/** Where the shown rules come from. */
export type RulesView = {
  /** What the market is called; null while none is chosen. */
  readonly market: string | null;
  readonly source: "stored" | "typed" | "none";
  readonly fetchedAt: number | null;
  /** Why the exchange's rules could not be had. */
  readonly problem: string | undefined;
  readonly timeZone: string;
};

function sentenceOf({ market, source, fetchedAt, timeZone }: RulesView): string {
  if (market === null) return "Choose candles first; their market decides the rules.";
  if (source === "stored") return `${market}, as published on ${dateTime(fetchedAt, timeZone)}.`;
  if (source === "typed") return `${market}, as you typed them.`;
  return `No rules of ${market} are stored. Ask the exchange, or type them in.`;
}

/** What is inside the card. */
export function RulesFields({ rules, view }: { rules: RulesView; view: FormView }) {
  return (
    <>
      <p class="muted small">{sentenceOf(rules)}</p>
      {rules.problem ? (
        <p class="problem" role="alert">
          {rules.problem}
        </p>
      ) : null}
      <input
        type="hidden"
        name="instrument.market"
        value={view.values["instrument.market"] ?? ""}
      />
      {INSTRUMENT_CARD.groups.map((group) => (
        <GroupFields group={group} view={view} />
      ))}
      <button
        type="button"
        class="quiet"
        hx-post="/backtest/instrument/fetch"
        hx-target="#rules"
        hx-swap="innerHTML"
        hx-include="#backtest-form"
        hx-disable="this"
        disabled={rules.market === null}
      >
        Fetch from exchange
      </button>
    </>
  );
}

const CHANGES = ["series", "market-exchange", "market-symbol", "market-kind"]
  .map((id) => `change from:#${id}`)
  .join(", ");

/** The card. */
export function RulesCard({ rules, view }: { rules: RulesView; view: FormView }) {
  return (
    <section class="card bt-card" aria-labelledby="card-instrument">
      <h2 id="card-instrument">{INSTRUMENT_CARD.title}</h2>
      <div
        id="rules"
        hx-post="/backtest/instrument"
        hx-trigger={CHANGES}
        hx-swap="innerHTML"
        hx-include="#backtest-form"
        hx-sync="this:replace"
      >
        <RulesFields rules={rules} view={view} />
      </div>
    </section>
  );
}
