// "Why is it not trading?": every gate an entry has to pass, in the order they are asked, with its sentence and
// since when it stands so. Kept fresh by the server's stream; rendered by pages/bot.tsx and bot-data.tsx.
import type { GateKey, GateView } from "../../src/model/live-figures.ts";
import { age, clockTime, dateTime } from "../format.ts";

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

/** Gates in the words of people. */
const NAMES: Readonly<Record<GateKey, string>> = {
  desired_status: "What its owner wants",
  trading_state: "Trading state",
  account_status: "Account",
  account_limits: "Limits of the account",
  credentials: "Keys",
  lease: "Worker",
  reconciled: "Compared with the exchange",
  doubtful_orders: "Orders in doubt",
  position_mode: "Position mode",
  leverage: "Leverage",
  exchange: "Exchange",
  fresh_prices: "Prices",
  fresh_candles: "Candles",
  warm_up: "Indicators",
  margin: "Margin",
  exposure: "Room for orders",
  bot_limits: "Limits of the bot",
};

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

type GateProps = Pick<GatesProps, "at" | "timeZone"> & { readonly gate: GateView };

function Gate({ gate: { key, isOpen, sentence, since }, at, timeZone }: GateProps) {
  return (
    <li class={isOpen ? undefined : "is-closed"}>
      <span class={isOpen ? "pill green" : "pill red"}>
        {isOpen ? "✓ " : "✗ "}
        <span class="word">{isOpen ? "open" : "closed"}</span>
      </span>
      <span>
        <b>{NAMES[key]}</b>: {sentence}
      </span>
      <span class="muted small number since" title={age(since, at)}>
        since {clockTime(since, at, timeZone)}
      </span>
    </li>
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
          Last candle ({dateTime(lastCandleAt, timeZone)}): {lastDecision.replaceAll("_", " ")}.
          Next candle closes {dateTime(nextCandleAt, timeZone)}.
        </p>
      )}
      <ol class="gates">
        {(gates ?? []).map((gate) => (
          <Gate {...{ gate, at, timeZone }} />
        ))}
      </ol>
    </section>
  );
}
