// The ladder ahead of time, as it is sent while somebody types: a table per direction, what it comes to, and what
// the run will read. Amounts in quote units; everything was computed before.
import type { LadderEnd, LadderView, PreviewView } from "./backtest-preview-view.ts";
import { dateTime, money, percent, price, qty } from "../format.ts";

const FATES = {
  fills: "",
  below_min: "Skipped: below the minimum",
  no_margin: "Refused: not enough margin",
  after_stop: "The stop comes first",
  after_liquidation: "Liquidated first",
} as const;

/** Two figures of one column, the second small below the first. */
function Pair({ first, second }: { first: string; second: string }) {
  return (
    <td>
      {first}
      {second ? <span class="below">{second}</span> : null}
    </td>
  );
}

function Row({ row, ladder }: { row: LadderView["rows"][number]; ladder: LadderView }) {
  const { after, fate } = row;
  const { priceDecimals, quote } = ladder;
  const level = (value: number | null | undefined) => price(value ?? null, priceDecimals);
  return (
    <tr class={fate === "fills" ? undefined : "idle"}>
      <th scope="row">
        {row.rung === 0 ? "Entry" : `DCA ${row.rung}`}
        {FATES[fate] ? <span class="fate">{FATES[fate]}</span> : null}
      </th>
      <Pair
        first={level(row.price)}
        second={row.rung === 0 ? "" : percent(row.distanceRatio, { signed: true, decimals: 2 })}
      />
      <Pair first={qty(row.qty)} second={money(row.notional, quote)} />
      <Pair first={money(after?.notional ?? null, quote)} second={level(after?.average)} />
      <td>{level(after?.takeProfit)}</td>
      <td>{level(after?.stop)}</td>
      <td>{money(after?.margin ?? null, quote)}</td>
      <td>{level(after?.liquidation)}</td>
    </tr>
  );
}

const HEADS = [
  ["Order"],
  ["Price", "from entry"],
  ["Quantity", "notional"],
  ["Total", "average"],
  ["Take-profit"],
  ["Stop"],
  ["Margin"],
  ["Liquidation"],
] as const;

function Table({ ladder }: { ladder: LadderView }) {
  return (
    <section class="table-scroll" aria-label={`${ladder.title} ladder`} tabindex={0}>
      <table class="ladder">
        <thead>
          <tr>
            {HEADS.map(([head, below]) => (
              <th scope="col">
                {head}
                {below ? <span class="below">{below}</span> : null}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ladder.rows.map((row) => (
            <Row row={row} ladder={ladder} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function endText(end: LadderEnd, { priceDecimals, quote }: LadderView): string {
  const what = end.by === "stop" ? "Then the stop" : "Then liquidation";
  const far = percent(end.distanceRatio, { signed: true, decimals: 2 });
  return `${what} at ${price(end.price, priceDecimals)} (${far}): ${money(end.result, quote)} before costs.`;
}

function Ladder({ ladder }: { ladder: LadderView }) {
  const { end, notes } = ladder;
  return (
    <div class="bt-group">
      <h3>{ladder.title}</h3>
      {ladder.rows.length > 0 ? <Table ladder={ladder} /> : null}
      {end ? <p class="small">{endText(end, ladder)}</p> : null}
      {notes.map((note) => (
        <p class="small warn">{note}</p>
      ))}
    </div>
  );
}

/** The part below the ladder's fields. */
export function LadderPreview({ preview }: { preview: PreviewView }) {
  const { ladders, missing, reference } = preview;
  return (
    <>
      {reference ? (
        <p class="muted small">
          From {price(reference.price, reference.decimals)}
          {reference.at === null
            ? ", as typed"
            : `, the close of ${dateTime(reference.at, preview.timeZone)}`}
          , straight against the position.
        </p>
      ) : null}
      {ladders.map((ladder) => (
        <Ladder ladder={ladder} />
      ))}
      {missing.length > 0 ? (
        <div class="muted">
          <p>The ladder appears as soon as these are right:</p>
          <ul>
            {missing.map((sentence) => (
              <li>{sentence}</li>
            ))}
          </ul>
        </div>
      ) : null}
    </>
  );
}
