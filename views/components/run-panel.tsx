// What stands below the charts of a run: tabs and the chosen one. The same piece is part of the page
// and comes alone when a link, a marker or a candle asks for another.
import { type AnalysisProps, RunAnalysis } from "./run-analysis.tsx";
import { CyclesTable, type ShownCycle, type SortHead } from "./run-cycles.tsx";
import { type DecisionProps, RunDecision } from "./run-decision.tsx";
import { FillsTable, type ShownFill } from "./run-fills.tsx";
import { type MetricsProps, RunMetrics } from "./run-metrics.tsx";
import { RunSettings, type SettingsProps } from "./run-settings.tsx";
import { PanelLink, type TableProps } from "./run-tables.tsx";

/** The chosen tab with what it shows. */
export type PanelBody =
  | { readonly tab: "figures"; readonly props: MetricsProps }
  | {
      readonly tab: "cycles";
      readonly props: TableProps<ShownCycle> & { readonly heads: readonly SortHead[] };
    }
  | { readonly tab: "fills"; readonly props: TableProps<ShownFill> }
  | { readonly tab: "analysis"; readonly props: AnalysisProps }
  | { readonly tab: "decision"; readonly props: DecisionProps }
  | { readonly tab: "settings"; readonly props: SettingsProps }
  /** Nothing to show in that tab, and why. */
  | { readonly tab: "cycles" | "fills" | "analysis"; readonly sentence: string };

/** Props of the panel. */
export type RunPanelProps = {
  readonly runId: number;
  /** What the tab says in the address. */
  readonly query: string;
  readonly body: PanelBody;
};

const TABS: readonly (readonly [PanelBody["tab"], string])[] = [
  ["figures", "Figures"],
  ["cycles", "Cycles"],
  ["fills", "Fills"],
  ["analysis", "Analysis"],
  ["decision", "Why no entry?"],
  ["settings", "Settings"],
];

function Body({ body }: { body: PanelBody }) {
  if ("sentence" in body) return <p class="muted">{body.sentence}</p>;
  switch (body.tab) {
    case "figures":
      return <RunMetrics {...body.props} />;
    case "cycles":
      return <CyclesTable {...body.props} />;
    case "fills":
      return <FillsTable {...body.props} />;
    case "analysis":
      return <RunAnalysis {...body.props} />;
    case "decision":
      return <RunDecision {...body.props} />;
    case "settings":
      return <RunSettings {...body.props} />;
  }
}

/** Tabs and the chosen one. */
export function RunPanel({ runId, query, body }: RunPanelProps) {
  return (
    <section id="run-panel" aria-label="Details" data-query={query} data-tab={body.tab}>
      <nav class="tabs" aria-label="Details of the run">
        {TABS.map(([tab, label]) => (
          <PanelLink runId={runId} query={`tab=${tab}`} isCurrent={tab === body.tab}>
            {label}
          </PanelLink>
        ))}
      </nav>
      <Body body={body} />
    </section>
  );
}
