// The head of a bot's page: name, where it trades, how it is, and what is wrong around it. Part of what the
// server's stream keeps fresh; rendered by pages/bot.tsx and web/routes/bot-data.tsx.
import type { DesiredAction } from "../../src/model/bot.ts";
import type { HealthLevel } from "../../src/model/live-figures.ts";
import { asset, dateTime, timeframe } from "../format.ts";
import { AsOf } from "./bot-as-of.tsx";
import type { PillTone } from "./bot-row.tsx";
import { Heartbeat } from "./heartbeat.tsx";

/** Props of the head. */
export type BotHeadProps = {
  readonly id: number;
  readonly name: string;
  readonly symbol: string;
  readonly timeframeMin: number;
  readonly mode: "demo" | "paper" | "live";
  readonly accountId: number;
  readonly accountName: string;
  /** `running → paused` while the wish has not come true. */
  readonly statusText: string;
  readonly statusTone: PillTone;
  readonly desiredAction: DesiredAction | null;
  readonly lastError: string | null;
  readonly health: HealthLevel;
  readonly nextAction: string;
  readonly flags: readonly { readonly flag: string; readonly sentence: string }[];
  /** The bot's own trading state where it is not active. */
  readonly halt: { readonly state: string; readonly reason: string; readonly actor: string } | null;
  /** Of the last 24 hours; more than so many when `isMore`. */
  readonly warnings: number;
  readonly errors: number;
  readonly isMore: boolean;
  /** How late the last ticks were, ms, oldest first; -1 for a missed one. */
  readonly heartbeats: readonly number[];
  readonly shownAt: number | null;
  readonly at: number;
  readonly worker: string | null;
  readonly leaseUntil: number | null;
  readonly timeZone: string;
};

const MODES = { demo: "blue", paper: "purple", live: "amber" } as const;
const HEALTHS = {
  ok: { tone: "green", text: "✓ well" },
  warning: { tone: "amber", text: "! look" },
  error: { tone: "red", text: "✗ error" },
} as const;
function Badges(props: BotHeadProps) {
  const { tone, text } = HEALTHS[props.health];
  return (
    <p class="badges">
      <span class={`pill ${tone}`}>{text}</span>{" "}
      <span class={`pill ${props.statusTone}`}>{props.statusText}</span>{" "}
      {props.desiredAction ? <span class="pill amber">closing everything</span> : null}{" "}
      <span class={`pill ${MODES[props.mode]}`}>{props.mode}</span>{" "}
      {props.halt ? <span class="pill red">{props.halt.state}</span> : null}{" "}
      {props.flags.map(({ flag, sentence }) => (
        <span class="pill red" title={sentence}>
          {flag}
        </span>
      ))}
    </p>
  );
}

function WorkerLine({ shownAt, at, worker, leaseUntil, timeZone }: BotHeadProps) {
  if (worker === null || shownAt === null) {
    return <p class="muted small">No worker has reported yet.</p>;
  }
  return (
    <p class="muted small breakable">
      Figures <AsOf at={shownAt} now={at} timeZone={timeZone} />, told by worker {worker}
      {leaseUntil === null
        ? null
        : `, which holds the account until ${dateTime(leaseUntil, timeZone)}`}
    </p>
  );
}

/** How loud the last day was. */
function Alerts({ id, warnings, errors, isMore, heartbeats }: BotHeadProps) {
  const counted = (count: number, word: string) =>
    `${count}${isMore ? "+" : ""} ${word}${count === 1 ? "" : "s"}`;
  return (
    <p class="small badges">
      <a href={`/bots/${id}?tab=events&severity=warnings`}>
        {counted(errors, "error")} and {counted(warnings, "warning")} in 24 hours
      </a>
      {heartbeats.length === 0 ? null : <Heartbeat ticks={heartbeats} />}
    </p>
  );
}

/** Name, badges and what is wrong. */
export function BotHead(props: BotHeadProps) {
  const { name, symbol, timeframeMin, accountId, accountName, halt, lastError } = props;
  return (
    <>
      <h1 class="breakable">{name}</h1>
      <Badges {...props} />
      <p class="lead bot-lead">
        {asset(symbol)} {timeframe(timeframeMin)} on{" "}
        <a href={`/accounts/${accountId}`}>{accountName}</a>. {props.nextAction}.
      </p>
      <WorkerLine {...props} />
      <Alerts {...props} />
      {lastError === null ? null : (
        <div class="notice" role="note">
          <p>It stopped with an error: {lastError}</p>
        </div>
      )}
      {halt ? (
        <div class="notice" role="note">
          <p>
            This bot is {halt.state}: {halt.reason} ({halt.actor}).
          </p>
        </div>
      ) : null}
      {props.flags.length === 0 ? null : (
        <ul class="notice caution" aria-label="What is wrong around it">
          {props.flags.map(({ sentence }) => (
            <li>{sentence}</li>
          ))}
        </ul>
      )}
    </>
  );
}
