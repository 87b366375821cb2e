// Both fill models of a run side by side: neither is a safe bound, so neither is called one.
// Rendered by run-metrics.tsx.
import { money, percent, signTone } from "../format.ts";

/** What one fill model came to. */
export type Bound = {
  readonly model: string;
  /** The model the rest of the page is about. */
  readonly isShown: boolean;
  readonly netProfit: number;
  readonly netReturn: number;
  readonly maxDrawdown: number;
};

/** A small table, a row per model. */
export function RunBounds({ bounds, quote }: { bounds: readonly Bound[]; quote: string }) {
  return (
    <section class="card table-card bounds">
      <h2>Fill model</h2>
      <table class="dense numbers">
        <thead>
          <tr>
            <th>Within a candle</th>
            <th>Net profit</th>
            <th>Net return</th>
            <th>Max drawdown</th>
          </tr>
        </thead>
        <tbody>
          {bounds.map(({ model, isShown, netProfit, netReturn, maxDrawdown }) => (
            <tr>
              <th scope="row">
                {model} {isShown ? <span class="pill">this page</span> : null}
              </th>
              <td class={signTone(netProfit)}>{money(netProfit, quote, { signed: true })}</td>
              <td class={signTone(netReturn)}>{percent(netReturn, { signed: true })}</td>
              <td>{percent(maxDrawdown)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted small">
        Candles do not tell the order of their prices. Neither model is safe: with a ladder the
        pessimistic one can even end better.
      </p>
    </section>
  );
}
