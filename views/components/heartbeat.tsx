// The last ticks of a bot as a strip: on time, late, missed. Drawn as three paths, because a page may carry no
// styles of its own; shown in the list of bots.

/** Ticks that the strip has room for. */
const TICKS_MAX = 60;
const LATE_MS = 1000;
const VERY_LATE_MS = 5000;

type Beat = "good" | "late" | "missed";

const HEIGHTS: Readonly<Record<Beat, number>> = { good: 8, late: 12, missed: 16 };
const BEATS: readonly Beat[] = ["good", "late", "missed"];

function beatOf(lateMs: number): Beat {
  if (lateMs < 0 || lateMs >= VERY_LATE_MS) return "missed";
  return lateMs < LATE_MS ? "good" : "late";
}

/** @param ticks how late each was in ms, oldest first; negative for a missed one */
export function Heartbeat({ ticks }: { ticks: readonly number[] }) {
  const beats = ticks.slice(-TICKS_MAX).map(beatOf);
  if (beats.length === 0) return <span class="muted">—</span>;
  const count = (kind: Beat) => beats.filter((beat) => beat === kind).length;
  const offset = TICKS_MAX - beats.length;
  const bars = (kind: Beat) =>
    beats
      .map((beat, index) => {
        const height = HEIGHTS[kind];
        const left = (offset + index) * 2;
        return beat === kind ? `M${left} ${16 - height}h1.4v${height}h-1.4z` : "";
      })
      .join("");
  const label =
    `Last ${beats.length} ticks: ${count("good")} on time, ${count("late")} late, ` +
    `${count("missed")} missed`;
  return (
    <svg class="beats" viewBox="0 0 120 16" role="img" aria-label={label}>
      <title>{label}</title>
      {BEATS.map((kind) => (
        <path class={`beat-${kind}`} d={bars(kind)} />
      ))}
    </svg>
  );
}
