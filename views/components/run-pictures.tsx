// Two pictures of a run's analysis without a chart library: the table of months coloured by return,
// and the excursions of its cycles as dots. Used by run-analysis.tsx.
import { percent } from "../format.ts";

type Heat = { readonly fraction: number; readonly heat: number };

/** What the two pictures show. */
export type PictureProps = {
  readonly years: readonly {
    readonly year: number;
    /** January first; null for months the run does not touch. */
    readonly months: readonly (Heat | null)[];
    readonly total: Heat;
  }[];
  /** Dots on a grid of `width` by `height` cells; null with fewer than two closed cycles. */
  readonly excursions: {
    readonly width: number;
    readonly height: number;
    readonly adverseMost: number;
    readonly favourableMost: number;
    readonly dots: readonly {
      readonly x: number;
      readonly y: number;
      readonly isWin: boolean;
      readonly cycles: number;
      readonly radius: number;
    }[];
  } | null;
};

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

function HeatCell({ cell }: { cell: Heat | null }) {
  if (!cell) return <td class="heat none">·</td>;
  const step = cell.heat < 0 ? `loss-${-cell.heat}` : `gain-${cell.heat}`;
  return <td class={`heat ${step}`}>{percent(cell.fraction, { signed: true })}</td>;
}

/** A row per year, coloured by return. */
export function Months({ years }: PictureProps) {
  return (
    <section class="card table-card">
      <h3>Months</h3>
      <section class="scroll" tabindex={0} aria-label="Return of every month">
        <table class="dense heatmap">
          <thead>
            <tr>
              <th>Year</th>
              {MONTHS.map((month) => (
                <th>{month}</th>
              ))}
              <th>Total</th>
            </tr>
          </thead>
          <tbody>
            {years.map(({ year, months, total }) => (
              <tr>
                <th scope="row">{year}</th>
                {months.map((cell) => (
                  <HeatCell cell={cell} />
                ))}
                <HeatCell cell={total} />
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

/** Adverse against favourable excursion. */
export function Excursions({ excursions: found }: PictureProps) {
  if (!found) return null;
  const about =
    `Each dot is one or more closed cycles: to the right how far the price went against it, ` +
    `up how far it went for it`;
  return (
    <section class="card">
      <h3>Excursions</h3>
      <svg
        class="scatter"
        viewBox={`-2 -2 ${found.width + 4} ${found.height + 4}`}
        role="img"
        aria-label={about}
      >
        <path class="axis" d={`M0 0V${found.height}H${found.width}`} />
        {found.dots.map(({ x, y, radius, isWin, cycles }) => (
          <circle class={isWin ? "win" : "loss"} cx={x} cy={y} r={radius}>
            <title>{cycles === 1 ? "1 cycle" : `${cycles} cycles`}</title>
          </circle>
        ))}
      </svg>
      <p class="muted small">
        {about}. Right edge {percent(found.adverseMost)} against (MAE), upper edge{" "}
        {percent(found.favourableMost)} for (MFE); <span class="win-key">● won</span>{" "}
        <span class="loss-key">● lost</span>.
      </p>
    </section>
  );
}
