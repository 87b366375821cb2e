// Who does what: processes, runs, accounts with their bots, what ended lately, and how long things are kept.
// Rendered by web/routes/jobs.tsx; the upper part is swapped from the server's stream.
import { Alert, Done } from "../components/form.tsx";
import { Heads, Process } from "../components/job-parts.tsx";
import {
  EndedRuns,
  type EndedRunsProps,
  OpenRuns,
  type OpenRunsProps,
} from "../components/job-runs.tsx";
import { RetentionForm, type RetentionFormProps } from "../components/retention-form.tsx";
import { age, dateTime } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";

/** A process. */
export type JobWorker = {
  readonly name: string;
  readonly role: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: number;
  readonly beatAt: number;
  readonly isSilent: boolean;
  /** Null before it could read the trading states. */
  readonly epoch: number | null;
  readonly accountIds: readonly number[];
};

/** An account and who trades it. */
export type JobAccount = {
  readonly accountId: number;
  readonly accountName: string;
  readonly holder: string | null;
  readonly expiresAt: number;
  readonly changes: number;
  readonly bots: readonly { readonly id: number; readonly name: string; readonly status: string }[];
};

/** Props of the part that changes. */
export type JobsLiveProps = OpenRunsProps &
  EndedRunsProps & {
    readonly workers: readonly JobWorker[];
    readonly accounts: readonly JobAccount[];
    /** The epoch that every process which trades should have confirmed. */
    readonly epoch: number | null;
    readonly now: number;
  };

/** Props of the page. */
export type JobsPageProps = {
  readonly frame: Frame;
  readonly live: JobsLiveProps;
  /** Null for those who may not change it. */
  readonly retention: RetentionFormProps | null;
  readonly done: string | undefined;
  readonly problem: string | undefined;
};

function Epoch({ worker, epoch }: { worker: JobWorker; epoch: number | null }) {
  if (worker.epoch === null) return <span class="muted">not read</span>;
  if (epoch === null || worker.epoch >= epoch) return <span class="pill green">confirmed</span>;
  return (
    <span class="pill amber" title={`It goes by change ${worker.epoch}, the last is ${epoch}.`}>
      not yet
    </span>
  );
}

function Workers({ workers, epoch, now }: JobsLiveProps) {
  return (
    <section>
      <h2>Processes</h2>
      <div class="card table-card">
        <table>
          <Heads names={["Name", "State", "Last trading state"]} wide={["Accounts", "Version"]} />
          <tbody>
            {workers.map((worker) => (
              <tr>
                <td class="breakable">
                  <Process name={worker.name} /> <span class="muted">{worker.role}</span>
                </td>
                <td>
                  {worker.isSilent ? (
                    <span class="pill red">silent, last {age(worker.beatAt, now)}</span>
                  ) : (
                    <span class="pill green">alive</span>
                  )}
                </td>
                <td>
                  <Epoch worker={worker} epoch={epoch} />
                </td>
                <td class="wide-only number">{worker.accountIds.length}</td>
                <td class="wide-only">{worker.version}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Accounts({ accounts, timeZone }: JobsLiveProps) {
  if (accounts.length === 0) return <p class="muted">No account was traded yet.</p>;
  return (
    <section>
      <h2>Traded accounts</h2>
      <div class="card table-card">
        <table>
          <Heads
            names={["Account", "Bots", "Process"]}
            wide={["Lease until", "Times taken or returned"]}
          />
          <tbody>
            {accounts.map((account) => (
              <tr>
                <td>
                  <a href={`/accounts/${account.accountId}`}>{account.accountName}</a>
                </td>
                <td>
                  {account.bots.map((bot) => (
                    <span>
                      <a href={`/bots/${bot.id}`}>{bot.name}</a>{" "}
                      <span class="muted">{bot.status}</span>{" "}
                    </span>
                  ))}
                </td>
                <td>
                  <Process name={account.holder} />
                </td>
                <td class="wide-only number">
                  {account.holder === null ? "–" : dateTime(account.expiresAt, timeZone)}
                </td>
                <td class="wide-only number">{account.changes}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The part that changes. */
export function JobsLive(props: JobsLiveProps) {
  return (
    <>
      <Workers {...props} />
      <OpenRuns {...props} />
      <Accounts {...props} />
      <EndedRuns {...props} />
    </>
  );
}

/** The page at `/jobs`. */
export function JobsPage({ frame, live, retention, done, problem }: JobsPageProps) {
  const stream = {
    "hx-sse:connect": "/jobs/stream",
    "hx-sse:close": "jobs-ended",
    "hx-swap": "innerMorph",
  };
  return (
    <Layout title="Jobs and workers · Dragon" frame={frame} isWide>
      <div class="title-row">
        <h1>Jobs and workers</h1>
        <a href="/help/workers">How work is shared</a>
      </div>
      {done ? <Done>{done}</Done> : null}
      {problem ? <Alert>{problem}</Alert> : null}
      <div id="jobs-live" {...stream}>
        <JobsLive {...live} />
      </div>
      {retention ? <RetentionForm {...retention} /> : null}
    </Layout>
  );
}
