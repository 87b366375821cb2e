// "Why is it not trading?": every gate an entry has to pass, in the order they are asked, with its sentence and
// since when it stands so. Part of what the stream keeps fresh; rendered by bot-standing.tsx.
import type { GateView } from "../../src/model/live-figures.ts";
import { age, dateTime } from "../format.ts";

/** Props of the list. */
export type GatesProps = {
  readonly timeZone: string;
  readonly at: number;
  readonly isRunning: boolean;
  /** Null before a worker looked. */
  readonly gates: readonly GateView[] | null;
  /** What became of the last closed candle. */
  readonly lastDecision: string | null;
  readonly lastCandleAt: number | null;
  readonly nextCandleAt: number | null;
};

const words = (key: string) => key.replaceAll("_", " ");

function Verdict({ gates, isRunning }: GatesProps) {
  if (gates === null) {
    return <p>No worker has looked at the bot yet. One takes it up when it is to run.</p>;
  }
  const closed = gates.filter(({ isOpen }) => !isOpen);
  const [first] = closed;
  if (first) {
    const more = closed.length === 1 ? "" : ` ${closed.length} gates are closed.`;
    return (
      <p>
        It opens nothing: {first.sentence}.{more}
      </p>
    );
  }
  return (
    <p>
      {isRunning ? "Every gate is open: it enters when its signals say so." : "Every gate is open."}
    </p>
  );
}

/** The verdict and every gate. */
export function BotGates(props: GatesProps) {
  const { gates, lastDecision, lastCandleAt, nextCandleAt, timeZone, at } = props;
  return (
    <section class="card" id="why" aria-label="Why is it not trading?">
      <h2>Why is it not trading?</h2>
      <Verdict {...props} />
      {lastDecision === null ? null : (
        <p class="muted small">
          Last candle ({dateTime(lastCandleAt, timeZone)}): {words(lastDecision)}. Next candle
          closes {dateTime(nextCandleAt, timeZone)}.
        </p>
      )}
      <ol class="gates">
        {(gates ?? []).map(({ key, isOpen, sentence, since }) => (
          <li class={isOpen ? undefined : "is-closed"}>
            <span class={isOpen ? "pill green" : "pill red"}>{isOpen ? "✓ open" : "✗ closed"}</span>
            <span>
              <b>{words(key)}</b>: {sentence}
            </span>
            <span class="muted small" title={dateTime(since, timeZone)}>
              since {age(since, at)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
