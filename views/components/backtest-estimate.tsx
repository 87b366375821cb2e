// Around the button of the backtest form: what the run will read, what the ladder comes to, and warnings. Sent
// again while somebody types, beside the ladder itself.
import { count, dateTime, duration, money, percent, price } from "../format.ts";
import { LadderPreview } from "./backtest-preview.tsx";
import type { LadderView, PreviewView } from "./backtest-preview-view.ts";

function Figure({ name, value, tone }: { name: string; value: string; tone?: "down" }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={tone}>{value}</dd>
    </div>
  );
}

function LadderFigures({ ladder, isOnly }: { ladder: LadderView; isOnly: boolean }) {
  const { figures, quote, priceDecimals, title } = ladder;
  if (!figures) return null;
  const { orders, notional, margin, marginRatio, liquidation } = figures;
  const far = percent(figures.deviationRatio, { signed: true, decimals: 2 });
  const left = percent(figures.liquidationRatio, { signed: true, decimals: 1 });
  const orderText = `${count(orders)} ${orders === 1 ? "order" : "orders"}`;
  return (
    <>
      <Figure
        name={isOnly ? "Full ladder" : `${title} ladder`}
        value={`${orderText}, ${money(notional, quote)}`}
      />
      <Figure name="Deepest order" value={far} />
      <Figure
        name="Margin"
        value={`${money(margin, quote)} (${percent(marginRatio, { decimals: 0 })})`}
        {...(marginRatio > 1 ? { tone: "down" } : {})}
      />
      <Figure
        name="Liquidation"
        value={liquidation === null ? "None" : `${price(liquidation, priceDecimals)} (${left})`}
      />
    </>
  );
}

/** What the run will read and what the ladder comes to, beside the button. */
export function Estimate({ preview }: { preview: PreviewView }) {
  const { estimate, ladders } = preview;
  const [first, ...others] = ladders;
  return (
    <>
      <dl class="figures">
        {first ? <LadderFigures ladder={first} isOnly={others.length === 0} /> : null}
        {estimate ? (
          <>
            <Figure name="Candles" value={count(estimate.candles)} />
            <Figure name="Warm-up before" value={duration(estimate.warmupMs)} />
          </>
        ) : null}
      </dl>
      {others.map((ladder) => (
        <dl class="figures">
          <LadderFigures ladder={ladder} isOnly={false} />
        </dl>
      ))}
    </>
  );
}

/** Settings that can hardly trade, history that is missing. */
export function Warnings({ preview }: { preview: PreviewView }) {
  const { warnings } = preview;
  if (warnings.length === 0) return null;
  return (
    <ul class="warnings" aria-label="Warnings">
      {warnings.map((warning) => (
        <li>{warning}</li>
      ))}
    </ul>
  );
}

/** What stands below the choice of candles. */
export function Coverage({ preview }: { preview: PreviewView }) {
  return <>{preview.coverage ?? ""}</>;
}

/** The window in words, and the way to keep it. */
export function RangeNote({ preview }: { preview: PreviewView }) {
  const { window, timeZone } = preview;
  if (!window) return <a href="/backtest/periods">Saved periods</a>;
  const { fromAt, toAt } = window;
  return (
    <>
      {dateTime(fromAt, timeZone)} to {dateTime(toAt, timeZone)} ·{" "}
      <a href={`/backtest/periods?from=${fromAt}&to=${toAt}`}>Save as a period</a>
    </>
  );
}

/** The whole answer to what was typed: the ladder, and four places elsewhere on the page. */
export function PreviewAnswer({ preview }: { preview: PreviewView }) {
  return (
    <>
      <LadderPreview preview={preview} />
      <div id="estimate" hx-swap-oob="innerHTML">
        <Estimate preview={preview} />
      </div>
      <div id="warnings" hx-swap-oob="innerHTML">
        <Warnings preview={preview} />
      </div>
      <p id="coverage" hx-swap-oob="innerHTML">
        <Coverage preview={preview} />
      </p>
      <p id="range-note" hx-swap-oob="innerHTML">
        <RangeNote preview={preview} />
      </p>
    </>
  );
}
