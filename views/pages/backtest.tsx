// The backtest page: the strategy on the left, market, range, account and the button on the right; the ladder
// follows what is typed. Takes plain props; everything is posted as one form.
import { BacktestCard } from "../components/backtest-card.tsx";
import { Coverage, Estimate, RangeNote, Warnings } from "../components/backtest-estimate.tsx";
import { BacktestField, fieldId, type FormView, Segments } from "../components/backtest-field.tsx";
import { CAPITAL_CARD, EXECUTION_CARD } from "../components/backtest-account-fields.ts";
import { LadderPreview } from "../components/backtest-preview.tsx";
import type { PreviewView } from "../components/backtest-preview-view.ts";
import { RulesCard, type RulesView } from "../components/backtest-rules.tsx";
import {
  DATA_CARD,
  PREVIEW_PRICE,
  RANGE_CARD,
  RANGE_MODES,
  RUN_CARD,
} from "../components/backtest-run-fields.ts";
import {
  DIRECTIONS,
  STRATEGY_CARDS,
  UNSEEN_PARAMETERS,
} from "../components/backtest-strategy-fields.ts";
import { CsrfField, Done } from "../components/form.tsx";
import { type Frame, Layout } from "../layout.tsx";

/** A refused field in the summary. */
export type SummaryLine = {
  readonly field: string;
  readonly group: string;
  readonly sentence: string;
};

/** Everything the page shows. */
export type BacktestPageProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly view: FormView;
  readonly summary: readonly SummaryLine[];
  readonly rules: RulesView;
  readonly preview: PreviewView;
  readonly exchanges: readonly string[];
  readonly hasSeries: boolean;
  readonly done: string | undefined;
};

function Summary({ lines }: { lines: readonly SummaryLine[] }) {
  if (lines.length === 0) return null;
  return (
    <div class="notice" role="alert">
      <p>
        {lines.length === 1 ? "One thing keeps" : `${lines.length} things keep`} this run from
        starting:
      </p>
      <ul>
        {lines.map(({ field, group, sentence }) => (
          <li>
            {group ? `${group}: ` : ""}
            {field ? <a href={`#${fieldId(field)}`}>{sentence}</a> : sentence}
          </li>
        ))}
      </ul>
    </div>
  );
}

function PreviewCard({ view, preview }: Pick<BacktestPageProps, "view" | "preview">) {
  return (
    <section class="card bt-card" aria-labelledby="card-preview">
      <h2 id="card-preview">Ladder preview</h2>
      <div class="bt-fields">
        <BacktestField spec={PREVIEW_PRICE} view={view} />
      </div>
      <div
        id="preview"
        hx-post="/backtest/preview"
        hx-trigger="input from:#backtest-form delay:250ms, change from:#backtest-form delay:250ms"
        hx-swap="innerHTML"
        hx-include="#backtest-form"
        hx-sync="this:replace"
      >
        <LadderPreview preview={preview} />
      </div>
    </section>
  );
}

function StrategyColumn({ view, preview }: Pick<BacktestPageProps, "view" | "preview">) {
  return (
    <div class="bt-column">
      {STRATEGY_CARDS.map((card) => (
        <>
          <BacktestCard card={card} view={view}>
            {card.id === "core" ? (
              <Segments name="direction" legend="Direction" choices={DIRECTIONS} view={view} />
            ) : null}
          </BacktestCard>
          {card.id === "dca" ? <PreviewCard view={view} preview={preview} /> : null}
        </>
      ))}
      {UNSEEN_PARAMETERS.map((path) => (
        <input type="hidden" name={`config.${path}`} value={view.values[`config.${path}`] ?? ""} />
      ))}
    </div>
  );
}

function DataCard({ view, preview, exchanges, hasSeries }: BacktestPageProps) {
  return (
    <BacktestCard card={DATA_CARD} view={view}>
      {hasSeries ? null : (
        <p class="muted small">
          Nothing is stored yet. <a href="/candles">Import or download candles</a>, or choose
          another market and let its history be fetched.
        </p>
      )}
      <p id="coverage" class="muted small">
        <Coverage preview={preview} />
      </p>
      <datalist id="exchange-ids">
        {exchanges.map((id) => (
          <option value={id}></option>
        ))}
      </datalist>
    </BacktestCard>
  );
}

function RangeCard({ view, preview }: Pick<BacktestPageProps, "view" | "preview">) {
  return (
    <BacktestCard card={RANGE_CARD} view={view}>
      <Segments name="range.mode" legend="Range by" choices={RANGE_MODES} view={view} />
      <p id="range-note" class="muted small">
        <RangeNote preview={preview} />
      </p>
    </BacktestCard>
  );
}

function RunBar({ preview }: { preview: PreviewView }) {
  return (
    <div class="run-bar">
      <div id="estimate">
        <Estimate preview={preview} />
      </div>
      <button type="submit">Run backtest</button>
    </div>
  );
}

/** The page. */
export function BacktestPage(props: BacktestPageProps) {
  const { frame, csrf, view, summary, rules, preview, done } = props;
  return (
    <Layout title="Backtest · Dragon" frame={frame} parts={["backtest"]} isWide>
      <div class="title-row">
        <h1>Backtest</h1>
        <div class="buttons">
          <a href="/help/strategy">What the parameters mean</a>
          <button type="submit" class="quiet" form="reset-form">
            Reset to defaults
          </button>
        </div>
      </div>
      {done ? <Done>{done}</Done> : null}
      <Summary lines={summary} />
      <form id="reset-form" method="post" action="/backtest/reset">
        <CsrfField csrf={csrf} />
      </form>
      <form
        id="backtest-form"
        class="bt-columns"
        method="post"
        action="/backtest"
        novalidate
        x-data="backtestForm"
        x-on:input="read"
        x-on:change="read"
      >
        <CsrfField csrf={csrf} />
        <StrategyColumn view={view} preview={preview} />
        <div class="bt-column">
          <DataCard {...props} />
          <RangeCard view={view} preview={preview} />
          <RulesCard rules={rules} view={view} />
          <BacktestCard card={CAPITAL_CARD} view={view} />
          <BacktestCard card={EXECUTION_CARD} view={view} />
          <BacktestCard card={RUN_CARD} view={view}>
            <div id="warnings">
              <Warnings preview={preview} />
            </div>
          </BacktestCard>
        </div>
        <RunBar preview={preview} />
      </form>
    </Layout>
  );
}
