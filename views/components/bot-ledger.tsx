// The ledger of a bot: what was realised, paid and received, with running sums. Used by the ledger tab and by
// opened numbers. Amounts are exact texts and never rounded.
import { dateTime } from "../format.ts";
import { Scroll } from "./run-tables.tsx";

/** An entry as the table shows it. */
export type ShownEntry = {
  readonly at: number;
  readonly kind: string;
  readonly ref: string;
  readonly amount: string;
  readonly asset: string;
  /** In the settle asset; null while its worth is not known. */
  readonly worth: string | null;
  readonly running: string;
  /** Where the execution stands that it comes from; null for what is none. */
  readonly href: string | null;
  readonly isEstimated: boolean;
};

/** Props of the table. */
export type LedgerTableProps = {
  readonly rows: readonly ShownEntry[];
  readonly timeZone: string;
  readonly asset: string;
};

/** What an entry was worth; an amount in another coin names it. */
function Worth({ row, asset }: { row: ShownEntry; asset: string }) {
  const isOther = row.asset !== asset;
  return (
    <>
      {row.worth ?? "unknown"}
      {isOther ? <span class="muted"> ({`${row.amount} ${row.asset}`})</span> : null}
      {row.isEstimated ? <span class="pill amber">estimated</span> : null}
    </>
  );
}

/** What it is booked under; an execution leads to its order. */
function Reference({ row: { ref, href } }: { row: ShownEntry }) {
  return href === null ? (
    <code>{ref}</code>
  ) : (
    <a href={href}>
      <code>{ref}</code>
    </a>
  );
}

/** The rows. */
export function LedgerTable({ rows, timeZone, asset }: LedgerTableProps) {
  return (
    <Scroll label="Ledger">
      <table class="dense numbers">
        <thead>
          <tr>
            <th>Time</th>
            <th>Kind</th>
            <th class="figure">Amount ({asset})</th>
            <th class="figure">Sum ({asset})</th>
            <th>Reference</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              <td>{dateTime(row.at, timeZone)}</td>
              <td>{row.kind}</td>
              <td class={row.worth?.startsWith("-") ? "figure down" : "figure"}>
                <Worth row={row} asset={asset} />
              </td>
              <td class="figure">{row.running}</td>
              <td>
                <Reference row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
