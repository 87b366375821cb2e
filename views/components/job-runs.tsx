// The runs on the page of jobs: those that wait or are computed, and those that ended lately.
import { dateTime, timeframe } from "../format.ts";
import { ActionButton } from "./form.tsx";
import { Heads, Process } from "./job-parts.tsx";
import { Progress } from "./parts.tsx";

/** A run that waits or is computed. */
export type JobRun = {
  readonly id: number;
  readonly name: string | null;
  readonly symbol: string;
  readonly timeframeMin: number;
  readonly stage: string;
  readonly share: number | null;
  readonly holder: string | null;
  readonly tries: number;
};

/** A run that ended. */
export type JobEnded = {
  readonly id: number;
  readonly name: string | null;
  readonly symbol: string;
  readonly timeframeMin: number;
  readonly status: string;
  readonly error: string | null;
  readonly finishedAt: number;
};

/** Props of the runs under way. */
export type OpenRunsProps = {
  readonly runs: readonly JobRun[];
  readonly csrf: string;
  readonly mayCancel: boolean;
};

function runLabel({
  id,
  name,
  symbol,
  timeframeMin,
}: Omit<JobRun, "stage" | "share" | "holder" | "tries">) {
  return name ?? `Run ${id}: ${symbol} ${timeframe(timeframeMin)}`;
}

/** Runs that wait or are computed. */
export function OpenRuns({ runs, csrf, mayCancel }: OpenRunsProps) {
  if (runs.length === 0) return <p class="muted">No run waits or is being computed.</p>;
  return (
    <section>
      <h2>Runs</h2>
      <div class="card table-card">
        <table>
          <Heads
            names={["Run", "Stage", ...(mayCancel ? ["Cancel"] : [])]}
            wide={["Process", "Tries"]}
          />
          <tbody>
            {runs.map((run) => (
              <tr>
                <td class="breakable">
                  <a href={`/runs/${run.id}`}>{runLabel(run)}</a>
                </td>
                <td>
                  {run.stage}
                  {run.stage === "waiting" ? null : (
                    <Progress label={`Progress of run ${run.id}`} share={run.share} />
                  )}
                </td>
                {mayCancel ? (
                  <td>
                    <ActionButton
                      action={`/jobs/${run.id}/cancel`}
                      csrf={csrf}
                      label="Cancel"
                      about={`run ${run.id}`}
                    />
                  </td>
                ) : null}
                <td class="wide-only">
                  <Process name={run.holder} />
                </td>
                <td class="wide-only number">{run.tries}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Props of the history. */
export type EndedRunsProps = { readonly history: readonly JobEnded[]; readonly timeZone: string };

const TONES: Readonly<Record<string, string>> = { finished: "green", failed: "red" };

/** Runs that ended, the latest request first. */
export function EndedRuns({ history, timeZone }: EndedRunsProps) {
  if (history.length === 0) return null;
  return (
    <section>
      <h2>Last 20 runs that ended</h2>
      <div class="card table-card">
        <table>
          <Heads names={["Run", "Outcome", "Ended"]} />
          <tbody>
            {history.map((run) => (
              <tr>
                <td class="breakable">
                  <a href={`/runs/${run.id}`}>{runLabel(run)}</a>
                </td>
                <td>
                  <span class={`pill ${TONES[run.status] ?? "amber"}`}>{run.status}</span>
                  {run.error === null ? null : <p class="muted">{run.error}</p>}
                </td>
                <td class="number">{dateTime(run.finishedAt, timeZone)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
