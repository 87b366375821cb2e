// What the tables of a run page have in common: links that change the panel, the pager, the scrolling
// box and the side of a position. Used by run-cycles.tsx, run-fills.tsx and run-panel.tsx.
import type { Child } from "hono/jsx";
import { count } from "../format.ts";

/** How rows lead to the chart and tables to their pages. */
export type TableProps<Row> = {
  readonly runId: number;
  readonly timeZone: string;
  readonly quote: string;
  readonly priceDecimals: number;
  readonly rows: readonly Row[];
  /** Place of the marked row; -1 for none. */
  readonly found: number;
  readonly page: number;
  readonly pages: number;
  readonly total: number;
  /** Queries of the neighbouring pages; null at the ends. */
  readonly previous: string | null;
  readonly next: string | null;
};

/** A link that changes what stands below the charts and also works without a script. */
export function PanelLink(props: {
  runId: number;
  query: string;
  label?: string;
  isCurrent?: boolean;
  class?: string;
  children: Child;
}) {
  const { runId, query, label, isCurrent, children } = props;
  return (
    <a
      class={props.class}
      href={`/runs/${runId}?${query}#run-panel`}
      hx-get={`/runs/${runId}/panel?${query}`}
      hx-target="#run-panel"
      hx-swap="outerHTML"
      aria-label={label}
      aria-current={isCurrent ? "page" : undefined}
    >
      {children}
    </a>
  );
}

/** `▲ LONG` in green, `▼ SHORT` in red. */
export function SidePill({ side }: { side: "long" | "short" }) {
  return side === "long" ? (
    <span class="pill green">▲ LONG</span>
  ) : (
    <span class="pill red">▼ SHORT</span>
  );
}

type Pages = Omit<TableProps<unknown>, "rows">;

/** Previous and next page, and where one is. */
export function Pager({ runId, page, pages, total, previous, next }: Pages) {
  const word = total === 1 ? "row" : "rows";
  return (
    <nav class="pager" aria-label="Pages of the table">
      {previous === null ? null : (
        <PanelLink runId={runId} query={previous} class="button plain">
          ← Previous
        </PanelLink>
      )}
      <span class="muted number">
        Page {count(page)} of {count(pages)}, {count(total)} {word}
      </span>
      {next === null ? null : (
        <PanelLink runId={runId} query={next} class="button plain">
          Next →
        </PanelLink>
      )}
    </nav>
  );
}

/** A table that scrolls sideways by itself on a narrow window. */
export function Scroll({ label, children }: { label: string; children: Child }) {
  return (
    <section class="card table-card scroll" tabindex={0} aria-label={label}>
      {children}
    </section>
  );
}
