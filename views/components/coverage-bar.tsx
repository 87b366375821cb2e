// A series as a bar: the time from its first to its last candle, holes visible however small. Used by
// the candles pages. Plain props in, SVG out.
import { dateTime, percent } from "../format.ts";

/** Neighbouring stretches that look alike. */
export type CoverageSegmentProps = {
  readonly start: number;
  readonly length: number;
  readonly from: number;
  readonly to: number;
  readonly presentRatio: number;
  readonly fill: "full" | "most" | "some" | "none";
};

/** Props of a bar; nothing is drawn for no stretches. */
export type CoverageBarProps = {
  readonly stretches: number;
  readonly segments: readonly CoverageSegmentProps[];
  readonly timeZone: string;
  /** Said to those who do not see it, e.g. `99.9% present, 3 gaps`. */
  readonly label: string;
};

/** The bar. */
export function CoverageBar({ stretches, segments, timeZone, label }: CoverageBarProps) {
  return (
    <svg
      class="coverage"
      viewBox={`0 0 ${stretches} 1`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {segments.map(({ start, length, from, to, presentRatio, fill }) => (
        <rect class={fill} x={start} y="0" width={length} height="1">
          <title>{`${dateTime(from, timeZone)} – ${dateTime(to, timeZone)}: ${
            fill === "full" ? "complete" : `${percent(presentRatio)} present`
          }`}</title>
        </rect>
      ))}
    </svg>
  );
}

/** Holds the place of a bar that is still being looked up. */
export function CoverageWaiting({ href }: { href: string }) {
  return (
    <div class="coverage skeleton" hx-get={href} hx-trigger="revealed" hx-swap="outerHTML">
      <span class="unseen">The coverage is being looked up.</span>
    </div>
  );
}

const KEYS = [
  ["full", "complete"],
  ["most", "a few missing"],
  ["some", "many missing"],
  ["none", "all missing"],
] as const;

/** What the colours of the bars mean. */
export function CoverageLegend() {
  return (
    <ul class="legend small muted">
      {KEYS.map(([fill, label]) => (
        <li>
          <span class={`key ${fill}`}></span> {label}
        </li>
      ))}
    </ul>
  );
}
