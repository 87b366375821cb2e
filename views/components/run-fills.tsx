// The fills table of a run page, in the order of time. Rendered by run-panel.tsx.
import { dateTime, money, price, qty } from "../format.ts";
import { Pager, Scroll, SidePill, type TableProps } from "./run-tables.tsx";

/** A fill as the table shows it. */
export type ShownFill = {
  readonly at: number;
  readonly side: "buy" | "sell";
  readonly positionSide: "long" | "short";
  readonly price: number;
  readonly qty: number;
  readonly fee: number;
  readonly liquidity: string;
  readonly reason: string;
  readonly cycle: number;
};

const HEADS = ["Time", "Order", "Position", "Price", "Qty", "Fee", "Liquidity", "Reason", "Cycle"];

/** Columns of numbers. */
const FIGURES = ["Price", "Qty", "Fee"];

function FillRow({ row, props }: { row: ShownFill; props: TableProps<ShownFill> }) {
  const { timeZone, quote, priceDecimals } = props;
  const isFound = props.rows[props.found] === row;
  const time = dateTime(row.at, timeZone);
  return (
    <tr class={isFound ? "is-found" : undefined} aria-current={isFound ? "true" : undefined}>
      <td>
        <button
          type="button"
          class="row-link small-target"
          data-at={row.at}
          data-cycle={row.cycle}
          aria-label={`${time}: show the fill in the chart`}
        >
          {time}
        </button>
      </td>
      <td class={row.side === "buy" ? "word up" : "word down"}>
        {row.side === "buy" ? "▲ buy" : "▼ sell"}
      </td>
      <td>
        <SidePill side={row.positionSide} />
      </td>
      <td class="figure">{price(row.price, priceDecimals)}</td>
      <td class="figure">{qty(row.qty)}</td>
      <td class="figure">{money(row.fee, quote, { decimals: 4 })}</td>
      <td class="word">{row.liquidity}</td>
      <td class="word">{row.reason}</td>
      <td>#{row.cycle}</td>
    </tr>
  );
}

/** The tab "Fills". */
export function FillsTable(props: TableProps<ShownFill>) {
  return (
    <>
      <Scroll label="Fills">
        <table class="dense numbers">
          <thead>
            <tr>
              {HEADS.map((label) => (
                <th class={FIGURES.includes(label) ? "figure" : undefined}>{label}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {props.rows.map((row) => (
              <FillRow row={row} props={props} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <Pager {...props} />
    </>
  );
}
