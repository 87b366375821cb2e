// What is in a series and what is doubtful: coverage at full width, gaps, bad prints, jumps. Part of
// the page of a series, sent once all candles were looked through. It reports; nothing is repaired.
import type { Child } from "hono/jsx";
import type { BadPrint, Gap, Jump } from "../../src/analytics/candle-quality.ts";
import { CoverageBar, type CoverageBarProps, CoverageLegend } from "../components/coverage-bar.tsx";
import { count, dateTime, duration, price, qty } from "../format.ts";

/** Props of the part. */
export type QualityProps = {
  readonly bar: CoverageBarProps;
  readonly timeZone: string;
  readonly gaps: readonly (Gap & { readonly lengthMs: number })[];
  readonly gapCount: number;
  readonly badPrints: readonly BadPrint[];
  readonly badPrintCount: number;
  readonly jumps: readonly (Jump & { readonly change: string })[];
  readonly jumpCount: number;
  readonly zeroVolumeBars: number;
};

type FindingsProps = {
  title: string;
  total: number;
  shown: number;
  about: string;
  head: readonly string[];
  children: Child;
};

function Findings({ title, total, shown, about, head, children }: FindingsProps) {
  return (
    <section class="card findings-card">
      <h2>
        {title} <span class="muted number">{count(total)}</span>
      </h2>
      <p class="small muted">{about}</p>
      {total === 0 ? null : (
        <section class="scroll" tabindex={0} aria-label={title}>
          <table>
            <thead>
              <tr>
                {head.map((each, k) => (
                  <th scope="col" class={k === 0 ? "" : "figure"}>
                    {each}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{children}</tbody>
          </table>
        </section>
      )}
      {shown < total ? (
        <p class="small muted">
          {count(shown)} of {count(total)} are listed.
        </p>
      ) : null}
    </section>
  );
}

function Gaps({ gaps, gapCount, timeZone }: QualityProps) {
  return (
    <Findings
      title="Gaps"
      total={gapCount}
      shown={gaps.length}
      about="Missing candles, longest first. They stay absent: nothing is filled in."
      head={["First missing", "Candles", "Length"]}
    >
      {gaps.map(({ firstMissingAt, missingBars, lengthMs }) => (
        <tr>
          <td class="number">{dateTime(firstMissingAt, timeZone)}</td>
          <td class="number figure">{count(missingBars)}</td>
          <td class="number figure">{duration(lengthMs)}</td>
        </tr>
      ))}
    </Findings>
  );
}

function BadPrints({ badPrints, badPrintCount, timeZone }: QualityProps) {
  return (
    <Findings
      title="Bad prints"
      total={badPrintCount}
      shown={badPrints.length}
      about="Prices more than 20% away from both neighbouring closes."
      head={["Open", "Price", "Closes around"]}
    >
      {badPrints.map(({ openAt, kind, price: found, closeBefore, closeAfter }) => (
        <tr>
          <td class="number">{dateTime(openAt, timeZone)}</td>
          <td class="number figure">
            {kind} {qty(found)}
          </td>
          <td class="number figure">
            {qty(closeBefore)} · {qty(closeAfter)}
          </td>
        </tr>
      ))}
    </Findings>
  );
}

function Jumps({ jumps, jumpCount, timeZone }: QualityProps) {
  return (
    <Findings
      title="Jumps"
      total={jumpCount}
      shown={jumps.length}
      about="Closes more than 20% away from the one before, which stayed."
      head={["Open", "Close", "Change"]}
    >
      {jumps.map(({ openAt, close, change }) => (
        <tr>
          <td class="number">{dateTime(openAt, timeZone)}</td>
          <td class="number figure">{price(close)}</td>
          <td class="number figure">{change}</td>
        </tr>
      ))}
    </Findings>
  );
}

/** The part. */
export function QualityPart(props: QualityProps) {
  return (
    <div class="quality">
      <section class="card">
        <h2>Coverage</h2>
        <CoverageBar {...props.bar} />
        <p class="small muted number">{props.bar.label}</p>
        <CoverageLegend />
        {props.zeroVolumeBars > 0 ? (
          <p class="small muted number">
            Nobody traded in {count(props.zeroVolumeBars)} of the candles.
          </p>
        ) : null}
      </section>
      <div class="columns three">
        <Gaps {...props} />
        <BadPrints {...props} />
        <Jumps {...props} />
      </div>
    </div>
  );
}
