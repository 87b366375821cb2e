// The analysis tab of a run: months by year, long against short, exit reasons, ladder depth and the
// excursions of its cycles. Plain props in, HTML out; what is shown is counted by the route.
import { count, duration, money, number, percent, signTone } from "../format.ts";
import { Progress } from "./parts.tsx";
import { Excursions, Months, type PictureProps } from "./run-pictures.tsx";

/** Props of the tab. */
export type AnalysisProps = PictureProps & {
  readonly quote: string;
  readonly split: readonly {
    readonly label: string;
    readonly cycles: number;
    readonly net: number;
    readonly winRate: number | null;
    readonly profitFactor: number | null;
    readonly noLosses: boolean;
    readonly averageNet: number | null;
    readonly averageMs: number | null;
    readonly fees: number;
  }[];
  readonly exits: readonly {
    readonly reason: string;
    readonly cycles: number;
    readonly wins: number;
    readonly net: number;
  }[];
  /** Cycles by rungs filled; `share` of the most frequent depth. */
  readonly depths: readonly {
    readonly depth: number;
    readonly cycles: number;
    readonly share: number;
  }[];
};

function Split({ split, quote }: AnalysisProps) {
  return (
    <section class="card table-card">
      <h3>Long and short</h3>
      <section class="scroll" tabindex={0} aria-label="Long and short cycles">
        <table class="dense numbers">
          <thead>
            <tr>
              {[
                "Side",
                "Cycles",
                "Net",
                "Win rate",
                "Profit factor",
                "Average",
                "Held",
                "Fees",
              ].map((label) => (
                <th>{label}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {split.map((row) => (
              <tr>
                <th scope="row">{row.label}</th>
                <td>{count(row.cycles)}</td>
                <td class={signTone(row.net)}>{money(row.net, quote, { signed: true })}</td>
                <td>{percent(row.winRate)}</td>
                <td>{row.noLosses ? "no losses" : number(row.profitFactor)}</td>
                <td class={signTone(row.averageNet)}>
                  {money(row.averageNet, quote, { signed: true })}
                </td>
                <td>{duration(row.averageMs)}</td>
                <td>{money(row.fees, quote)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function Exits({ exits, quote }: AnalysisProps) {
  return (
    <section class="card table-card">
      <h3>Exit reasons</h3>
      <table class="dense numbers">
        <thead>
          <tr>
            <th>Reason</th>
            <th>Cycles</th>
            <th>Won</th>
            <th>Net</th>
          </tr>
        </thead>
        <tbody>
          {exits.map(({ reason, cycles, wins, net }) => (
            <tr>
              <th scope="row">{reason}</th>
              <td>{count(cycles)}</td>
              <td>{count(wins)}</td>
              <td class={signTone(net)}>{money(net, quote, { signed: true })}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Depths({ depths }: AnalysisProps) {
  return (
    <section class="card table-card">
      <h3>Ladder depth</h3>
      <table class="dense numbers depths">
        <thead>
          <tr>
            <th>Rungs filled</th>
            <th>Share</th>
            <th>Cycles</th>
          </tr>
        </thead>
        <tbody>
          {depths.map(({ depth, cycles, share }) => (
            <tr>
              <th scope="row">{depth === 0 ? "entry only" : depth}</th>
              <td>
                <Progress label={`${cycles} cycles`} share={share} />
              </td>
              <td>{count(cycles)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The tab "Analysis". */
export function RunAnalysis(props: AnalysisProps) {
  return (
    <>
      {props.years.length > 0 ? <Months {...props} /> : null}
      <Split {...props} />
      <div class="columns">
        <div>
          <Exits {...props} />
          <Depths {...props} />
        </div>
        <Excursions {...props} />
      </div>
    </>
  );
}
