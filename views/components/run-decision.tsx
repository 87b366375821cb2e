// The decision tab of a run: one candle close, the answer as a sentence, every gate and vote behind
// it. Rendered by run-panel.tsx; a click on a candle of the chart asks for it.
import { dateTime, number, price } from "../format.ts";

/** A gate or vote, as far as it does not depend on the side. */
export type GateRow = {
  readonly name: "trend" | "bollinger" | "macd" | "rsi" | "signal" | "gate";
  readonly label: string;
  readonly rule: string;
  readonly values: readonly (
    | { readonly label: string; readonly price: number | null }
    | { readonly label: string; readonly number: number | null }
  )[];
};

/** Props of the tab. */
export type DecisionProps = {
  readonly runId: number;
  readonly timeZone: string;
  readonly priceDecimals: number;
  /** What stands in the field, as typed. */
  readonly typed: string;
  /** Why the typed time was refused. */
  readonly problem?: string | undefined;
  /** Why nothing can be shown for any time. */
  readonly gap?: string | undefined;
  /** Candles beside this one, as they stand in an address; null at the ends. */
  readonly before: string | null;
  readonly after: string | null;
  readonly record: {
    readonly openAt: number;
    readonly close: number;
    readonly atr: number | null;
    readonly isReady: boolean;
    readonly isEntry: boolean;
    readonly sentence: string;
    readonly sides: readonly ("long" | "short")[];
    readonly rows: readonly (GateRow & { readonly long: boolean; readonly short: boolean })[];
  } | null;
};

function Verdict({ holds }: { holds: boolean }) {
  return holds ? <span class="verb up">✓ yes</span> : <span class="verb muted">✕ no</span>;
}

function Values({ row, decimals }: { row: GateRow; decimals: number }) {
  if (row.values.length === 0) return <span class="muted">—</span>;
  return (
    <>
      {row.values.map((each) => (
        <span class="value-pair">
          <span class="muted">{each.label}</span>{" "}
          {"price" in each ? price(each.price, decimals) : number(each.number, { decimals: 4 })}
        </span>
      ))}
    </>
  );
}

function Gates({
  record,
  decimals,
}: {
  record: NonNullable<DecisionProps["record"]>;
  decimals: number;
}) {
  return (
    <section class="scroll" tabindex={0} aria-label="Gates and votes">
      <table class="dense">
        <thead>
          <tr>
            <th>Gate</th>
            <th>Value</th>
            {record.sides.map((side) => (
              <th>{side === "long" ? "Long" : "Short"}</th>
            ))}
            <th class="wide-only">Rule</th>
          </tr>
        </thead>
        <tbody>
          {record.rows.map((row) => (
            <tr>
              <th scope="row">{row.label}</th>
              <td class="number">
                <Values row={row} decimals={decimals} />
              </td>
              {record.sides.map((side) => (
                <td>
                  <Verdict holds={row[side]} />
                </td>
              ))}
              <td class="muted wide-only">{row.rule}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Step({ runId, at, label }: { runId: number; at: string | null; label: string }) {
  if (at === null) return null;
  return (
    <a
      class="button plain"
      href={`/runs/${runId}?tab=decision&at=${at}`}
      hx-get={`/runs/${runId}/panel?tab=decision&at=${at}`}
      hx-target="#run-panel"
      hx-swap="outerHTML"
    >
      {label}
    </a>
  );
}

/** The tab "Why no entry?". */
export function RunDecision(props: DecisionProps) {
  const { runId, timeZone, priceDecimals, typed, problem, gap, before, after, record } = props;
  return (
    <>
      <form
        class="inline-form"
        method="get"
        action={`/runs/${runId}`}
        hx-get={`/runs/${runId}/panel`}
        hx-target="#run-panel"
        hx-swap="outerHTML"
      >
        <input type="hidden" name="tab" value="decision" />
        <label for="decision-at">Candle at (UTC)</label>
        <input
          id="decision-at"
          name="at"
          value={typed}
          placeholder="2024-03-01 12:00"
          aria-invalid={problem ? "true" : undefined}
          aria-describedby={problem ? "decision-problem" : undefined}
        />
        <button type="submit" class="quiet">
          Explain
        </button>
        <Step runId={runId} at={before} label="← Candle before" />
        <Step runId={runId} at={after} label="Candle after →" />
      </form>
      {problem ? (
        <p class="problem" id="decision-problem" role="alert">
          {problem}
        </p>
      ) : null}
      {gap ? <p class="notice">{gap}</p> : null}
      {record ? (
        <>
          <p class={record.isEntry ? "verdict up" : "verdict"} role="status">
            {record.sentence}.
          </p>
          <p class="muted small">
            Candle opened {dateTime(record.openAt, timeZone)}, close{" "}
            {price(record.close, priceDecimals)}
            {record.atr === null ? null : <>, ATR {price(record.atr, priceDecimals)}</>}
            {record.isReady ? "" : "; not every indicator is defined yet"}. Decided at its close.
          </p>
          <Gates record={record} decimals={priceDecimals} />
        </>
      ) : (
        <p class="muted">
          Click a candle in the price chart, or type a time, to see what the strategy saw at its
          close and why it entered or did not.
        </p>
      )}
    </>
  );
}
