// The head of a run page: name, what was tested, the star and note of whoever looks, and what can be
// done with the run. Rendered by pages/run.tsx and, after a change, alone.
import { asset, count, dateTime, timeframe } from "../format.ts";
import { CsrfField } from "./form.tsx";
import { NoteForm, Star } from "./run-mark.tsx";
import { SidePill } from "./run-tables.tsx";

/** Longest name and note, in characters. */
export type TextLimits = { readonly nameMax: number; readonly noteMax: number };

/** Props of the head. */
export type RunHeadProps = {
  readonly id: number;
  readonly name: string | null;
  readonly exchangeId: string;
  readonly symbol: string;
  readonly strategy: string;
  readonly timeframeMin: number;
  readonly direction: "long" | "short" | "both";
  readonly fromAt: number;
  readonly toAt: number;
  readonly createdAt: number;
  readonly candles: number | null;
  readonly isShortlisted: boolean;
  readonly note: string | null;
  readonly mayTrade: boolean;
  readonly isFinished: boolean;
  readonly hasEnded: boolean;
  readonly csrf: string;
  readonly timeZone: string;
  readonly limits: TextLimits;
  /** Why a name or note was refused. */
  readonly problem?: string | undefined;
};

function frameTone(minutes: number): string {
  if (minutes >= 240) return "pill green";
  return minutes >= 15 ? "pill amber" : "pill blue";
}

function RenameForm({ id, name, csrf, limits }: RunHeadProps) {
  return (
    <details class="rename">
      <summary>Rename</summary>
      <form
        class="inline-form"
        method="post"
        action={`/runs/${id}/name`}
        hx-post={`/runs/${id}/name`}
        hx-target="#run-head"
        hx-swap="outerHTML"
      >
        <CsrfField csrf={csrf} />
        <label for="name">Name</label>
        <input
          id="name"
          name="name"
          value={name ?? ""}
          maxlength={limits.nameMax}
          autocomplete="off"
        />
        <button type="submit" class="quiet">
          Save name
        </button>
      </form>
    </details>
  );
}

function Exports({ id }: { id: number }) {
  const files: [string, string][] = [
    ["export.json", "Result, as dragon backtest prints it (JSON)"],
    ["fills.csv", "Fills (CSV)"],
    ["cycles.csv", "Cycles (CSV)"],
  ];
  return (
    <details class="menu">
      <summary class="button plain">Export</summary>
      <ul>
        {files.map(([file, label]) => (
          <li>
            <a href={`/runs/${id}/${file}`} download={`run-${id}-${file}`}>
              {label}
            </a>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Facts({ head }: { head: RunHeadProps }) {
  const { timeZone } = head;
  return (
    <p class="run-facts">
      <strong>{asset(head.symbol)}</strong> <span class="muted">{head.exchangeId}</span>{" "}
      <span class={frameTone(head.timeframeMin)}>{timeframe(head.timeframeMin)}</span>{" "}
      {head.direction === "short" ? null : <SidePill side="long" />}{" "}
      {head.direction === "long" ? null : <SidePill side="short" />}{" "}
      <span class="number">
        {dateTime(head.fromAt, timeZone)} to {dateTime(head.toAt, timeZone)}
      </span>{" "}
      <span class="muted">
        {head.candles === null ? null : <>{count(head.candles)} candles · </>}
        {head.strategy} · asked {dateTime(head.createdAt, timeZone)}
      </span>
    </p>
  );
}

/** Name, facts, star, note and actions. */
export function RunHead(props: RunHeadProps) {
  const { id, name, mayTrade, isFinished, hasEnded, problem } = props;
  return (
    <header id="run-head" class="run-head">
      <p class="crumb">
        <a href="/runs">Runs</a> / {id}
      </p>
      <div class="title-row">
        <div class="run-title">
          <Star {...props} />
          <h1 class="breakable">{name ?? `Run ${id}`}</h1>
          {mayTrade ? <RenameForm {...props} /> : null}
        </div>
        <div class="buttons">
          {mayTrade && hasEnded ? (
            <a class="button" href={`/backtest?run=${id}`}>
              {isFinished ? "Re-run" : "Edit and run again"}
            </a>
          ) : null}
          {mayTrade && isFinished ? (
            <a class="button plain" href={`/bots/new?run=${id}`}>
              Create bot
            </a>
          ) : null}
          {isFinished ? <Exports id={id} /> : null}
          {mayTrade && hasEnded ? (
            <a class="button plain danger" href="#delete-run">
              Delete
            </a>
          ) : null}
        </div>
      </div>
      {problem ? (
        <p class="problem" role="alert">
          {problem}
        </p>
      ) : null}
      <Facts head={props} />
      <NoteForm {...props} noteMax={props.limits.noteMax} />
    </header>
  );
}
