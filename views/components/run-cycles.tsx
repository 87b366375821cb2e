// The cycles table of a run page, sortable by column; every row has a button that shows the cycle in
// the chart. Rendered by run-panel.tsx.
import { count, dateTime, duration, money, percent, price, qty, signTone } from "../format.ts";
import { Pager, PanelLink, Scroll, SidePill, type TableProps } from "./run-tables.tsx";

/** A cycle as the table shows it; excursions are fractions. */
export type ShownCycle = {
  readonly cycle: number;
  readonly positionSide: "long" | "short";
  readonly openedAt: number;
  readonly closedAt: number | null;
  /** End of the stretch in the chart, also of a cycle that is still open. */
  readonly untilAt: number;
  readonly heldMs: number | null;
  readonly entries: number;
  readonly qty: number;
  readonly averageEntry: number;
  readonly exitPrice: number | null;
  readonly reason: string;
  readonly net: number;
  readonly fees: number;
  readonly mae: number;
  readonly mfe: number;
};

/** A column head; `query` asks for the order it stands for. */
export type SortHead = {
  readonly label: string;
  readonly query: string;
  readonly direction: "ascending" | "descending" | undefined;
  readonly isFigure: boolean;
};

function CycleRow({ row, props }: { row: ShownCycle; props: TableProps<ShownCycle> }) {
  const { timeZone, quote, priceDecimals } = props;
  const isFound = props.rows[props.found] === row;
  return (
    <tr class={isFound ? "is-found" : undefined} aria-current={isFound ? "true" : undefined}>
      <td>
        <button
          type="button"
          class="row-link small-target"
          data-from={row.openedAt}
          data-to={row.untilAt}
          data-cycle={row.cycle}
          aria-label={`#${row.cycle}: show the cycle in the chart`}
        >
          #{row.cycle}
        </button>
      </td>
      <td>{dateTime(row.openedAt, timeZone)}</td>
      <td>{row.closedAt === null ? "still open" : dateTime(row.closedAt, timeZone)}</td>
      <td>{duration(row.heldMs)}</td>
      <td>
        <SidePill side={row.positionSide} />
      </td>
      <td class="figure">{count(row.entries)}</td>
      <td class="figure">{qty(row.qty)}</td>
      <td class="figure">{price(row.averageEntry, priceDecimals)}</td>
      <td class="figure">{price(row.exitPrice, priceDecimals)}</td>
      <td class="word">{row.reason}</td>
      <td class={`figure ${signTone(row.net) ?? ""}`}>{money(row.net, quote, { signed: true })}</td>
      <td class="figure">{money(row.fees, quote)}</td>
      <td class="figure">{percent(row.mae, { decimals: 2 })}</td>
      <td class="figure">{percent(row.mfe, { decimals: 2, signed: true })}</td>
    </tr>
  );
}

/** The tab "Cycles". */
export function CyclesTable(props: TableProps<ShownCycle> & { heads: readonly SortHead[] }) {
  return (
    <>
      <Scroll label="Cycles">
        <table class="dense numbers">
          <thead>
            <tr>
              {props.heads.map(({ label, query, direction, isFigure }) => (
                <th aria-sort={direction} class={isFigure ? "figure" : undefined}>
                  <PanelLink runId={props.runId} query={query} class="sort">
                    {label}
                    <span class="arrow" aria-hidden="true">
                      {direction === undefined ? "" : direction === "ascending" ? "▲" : "▼"}
                    </span>
                  </PanelLink>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {props.rows.map((row) => (
              <CycleRow row={row} props={props} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <Pager {...props} />
    </>
  );
}
