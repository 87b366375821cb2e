// The list of runs, and the question before several are deleted. Plain props in, HTML out.
import { raw } from "hono/html";
import { DataGrid, type DataGridProps } from "../components/data-grid.tsx";
import { Alert, CsrfField, Done } from "../components/form.tsx";
import {
  type BarField,
  type Chip,
  Chips,
  type ColumnChoice,
  ColumnFilterDialog,
  ColumnsDialog,
  FilterBar,
} from "../components/grid-filters.tsx";
import { EmptyState } from "../components/parts.tsx";
import { count } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";

export type RunsProps = {
  readonly frame: Frame;
  readonly csrf: string;
  /** Whether the visitor may run and delete backtests. */
  readonly mayTrade: boolean;
  readonly fields: readonly BarField[];
  readonly kept: readonly (readonly [name: string, value: string])[];
  readonly chips: readonly Chip[];
  readonly columns: readonly ColumnChoice[];
  /** For static/grid.js: kinds of the columns and their operators. */
  readonly data: unknown;
  /** Query string of this list, without a place in it. */
  readonly query: string;
  /** Whether the page begins behind the first row. */
  readonly isLater: boolean;
  readonly done: string | undefined;
  readonly grid: Omit<DataGridProps, "label" | "csrf" | "noun" | "isSelectable">;
};

function Nothing({ chips, isLater, mayTrade }: RunsProps) {
  if (isLater) {
    const action = { href: "/runs", label: "Back to the first page" };
    return <EmptyState sentence="No more runs follow." action={action} />;
  }
  if (chips.length > 0) {
    const action = { href: "/runs", label: "Clear the filters" };
    return <EmptyState sentence="No run matches these filters." action={action} />;
  }
  return (
    <EmptyState
      sentence="No backtest has been run yet."
      {...(mayTrade ? { action: { href: "/backtest", label: "Run a backtest" } } : {})}
    />
  );
}

/** Text that may stand in a data block: a tag in it would end the block. */
function dataBlock(data: unknown) {
  return raw(JSON.stringify(data).replaceAll("<", "\\u003c"));
}

/** `/runs` */
export function RunsPage(props: RunsProps) {
  const { frame, csrf, mayTrade, query, isLater, grid } = props;
  const suffix = query === "" ? "" : `?${query}`;
  const isEmpty = grid.rows.length === 0 && grid.next === null;
  return (
    <Layout title="Runs · Dragon" frame={frame} parts={["grid"]} isWide>
      <div class="title-row">
        <h1>Runs</h1>
        <div class="buttons">
          {isEmpty ? null : (
            <>
              <button type="button" class="quiet" data-opens="columns">
                Columns
              </button>
              <a class="button quiet" href={`/runs.csv${suffix}`} download>
                CSV
              </a>
            </>
          )}
          {mayTrade ? (
            <a class="button" href="/backtest">
              Run a backtest
            </a>
          ) : null}
        </div>
      </div>
      {props.done ? <Done>{props.done}</Done> : null}
      <FilterBar action="/runs" fields={props.fields} kept={props.kept} />
      <Chips chips={props.chips} clearHref="/runs" />
      {isLater ? (
        <p class="small">
          <a href={`/runs${suffix}`}>← First page of this list</a>
        </p>
      ) : null}
      {isEmpty ? (
        <Nothing {...props} />
      ) : (
        <DataGrid {...grid} label="Runs" csrf={csrf} noun="run" isSelectable={mayTrade} />
      )}
      {isEmpty || !mayTrade ? null : (
        <div class="grid-foot">
          <button type="submit" form="grid-form" formaction="/runs/delete" class="danger">
            Delete the selected runs…
          </button>
        </div>
      )}
      <ColumnsDialog action="/runs/columns" csrf={csrf} columns={props.columns} back={query} />
      <ColumnFilterDialog
        data={
          <script type="application/json" id="grid-data">
            {dataBlock(props.data)}
          </script>
        }
      />
    </Layout>
  );
}

export type DeleteRunsProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly ids: readonly number[];
  /** What must be typed. */
  readonly word: string;
  readonly problem: string | undefined;
};

/** The question before runs are deleted. */
export function DeleteRunsPage({ frame, csrf, ids, word, problem }: DeleteRunsProps) {
  const what = ids.length === 1 ? "one run" : `${count(ids.length)} runs`;
  return (
    <Layout title="Delete runs · Dragon" frame={frame} parts={["grid"]}>
      <p class="crumb">
        <a href="/runs">Runs</a>
      </p>
      <h1>Delete {what}?</h1>
      <form method="post" action="/runs/delete" class="card form">
        <CsrfField csrf={csrf} />
        {ids.map((id) => (
          <input type="hidden" name="id" value={id} />
        ))}
        <p>
          Their fills, charts, notes and marks go with them, for everybody in this workspace. A run
          that has not ended is kept.
        </p>
        {problem ? <Alert>{problem}</Alert> : null}
        <div class="field">
          <label for="confirm">
            Type <code>{word}</code> to confirm
          </label>
          <input id="confirm" name="confirm" autocomplete="off" required />
        </div>
        <div class="buttons">
          <button type="submit" class="danger">
            Delete {what}
          </button>
          <a class="button quiet" href="/runs">
            Keep them
          </a>
        </div>
      </form>
    </Layout>
  );
}
