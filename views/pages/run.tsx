// The page of one run: what was asked and what came of it. Rendered by web/routes/run.tsx; while the
// run goes on it shows progress in place of the result.
import type { Child } from "hono/jsx";
import { RunCharts, type RunChartsProps } from "../components/run-charts.tsx";
import { RunTiles, type FiguresProps } from "../components/run-figures.tsx";
import { RunHead, type RunHeadProps } from "../components/run-head.tsx";
import { RunPanel, type RunPanelProps } from "../components/run-panel.tsx";
import { RunBusy, RunUnfinished, type ShownStage } from "../components/run-progress.tsx";
import { Alert, Done } from "../components/form.tsx";
import { TypedConfirm } from "../components/parts.tsx";
import { type Frame, Layout } from "../layout.tsx";

/** What there is of the run. */
export type RunState =
  | { readonly kind: "busy"; readonly stage: ShownStage; readonly share: number | null }
  | { readonly kind: "failed" | "cancelled"; readonly error: string | null }
  | {
      readonly kind: "finished";
      readonly figures: FiguresProps;
      /** Sentences about the result a reader should know first. */
      readonly warnings: readonly string[];
      readonly charts: RunChartsProps;
      readonly panel: RunPanelProps;
    };

/** Props of the page. */
export type RunPageProps = {
  readonly frame: Frame;
  readonly head: RunHeadProps;
  readonly state: RunState;
  /** What must be typed to delete the run. */
  readonly deleteWord: string;
  readonly deleteProblem?: string | undefined;
  readonly problem?: string | undefined;
  readonly done?: string | undefined;
};

function Warnings({ sentences }: { sentences: readonly string[] }) {
  if (sentences.length === 0) return null;
  return (
    <ul class="notice caution" aria-label="Notes on this result">
      {sentences.map((sentence) => (
        <li>{sentence}</li>
      ))}
    </ul>
  );
}

type Finished = Extract<RunState, { kind: "finished" }>;

function Result({ state, children }: { state: Finished; children: Child }) {
  return (
    <>
      <Warnings sentences={state.warnings} />
      <RunTiles {...state.figures} />
      <RunCharts {...state.charts} />
      <RunPanel {...state.panel} />
      {children}
    </>
  );
}

function DeleteZone({ head, deleteWord, deleteProblem }: RunPageProps) {
  if (!head.mayTrade || !head.hasEnded) return null;
  return (
    <div class="narrow delete-zone" id="delete-run">
      <TypedConfirm
        action={`/runs/${head.id}/delete`}
        csrf={head.csrf}
        effect={`Run ${head.id} goes for everybody in the workspace, with its fills, cycles, marks and notes. The candles stay.`}
        label="Delete run"
        word={deleteWord}
        problem={deleteProblem}
      />
    </div>
  );
}

function State(props: RunPageProps) {
  const { state, head } = props;
  switch (state.kind) {
    case "busy":
      return <RunBusy runId={head.id} csrf={head.csrf} mayTrade={head.mayTrade} {...state} />;
    case "failed":
    case "cancelled":
      return (
        <>
          <RunUnfinished status={state.kind} error={state.error} />
          <DeleteZone {...props} />
        </>
      );
    case "finished":
      return (
        <Result state={state}>
          <DeleteZone {...props} />
        </Result>
      );
  }
}

/** The page at `/runs/:id`. */
export function RunPage(props: RunPageProps) {
  const { frame, head, problem, done } = props;
  return (
    <Layout
      title={`${head.name ?? `Run ${head.id}`} · Dragon`}
      frame={frame}
      parts={["charts"]}
      isWide
    >
      <RunHead {...head} />
      {done ? <Done>{done}</Done> : null}
      {problem ? <Alert>{problem}</Alert> : null}
      <State {...props} />
    </Layout>
  );
}
