// Imports and downloads on the candles page: what runs, how far it is, how the last ones ended. Sent
// again over the live stream at every change. Plain props in, HTML out.
import { CsrfField } from "../components/form.tsx";
import { Progress } from "../components/parts.tsx";
import { count } from "../format.ts";

/** One import or download. */
export type JobRow = {
  readonly id: number;
  /** e.g. `Download`. */
  readonly kind: string;
  /** e.g. `binance BTC/USDT:USDT 5m`. */
  readonly title: string;
  /** When it began or ended, e.g. `3m ago`. */
  readonly when: string;
  readonly state: string;
  readonly tone: "blue" | "green" | "red" | "amber" | "";
  /** One sentence. */
  readonly text: string;
  /** Further sentences, e.g. about gaps. */
  readonly notes: readonly string[];
  /** How far it is, 0..1; null when that cannot be told, absent when it has ended. */
  readonly share?: number | null;
  readonly canCancel: boolean;
  /** The series it wrote. */
  readonly seriesId: number | null;
  /** Lines of a file that are wrong. */
  readonly problems: readonly { readonly line: string; readonly reason: string }[];
  /** e.g. `and 12 more`. */
  readonly moreProblems: string | null;
};

/** The lines of a file that are wrong. */
function Problems({ problems, moreProblems }: JobRow) {
  return (
    <div class="table-card problems">
      <table>
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">What is wrong</th>
          </tr>
        </thead>
        <tbody>
          {problems.map(({ line, reason }) => (
            <tr>
              <td class="number">{line}</td>
              <td class="breakable">{reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {moreProblems ? <p class="small muted more">{moreProblems}</p> : null}
    </div>
  );
}

function CancelForm({ row, csrf }: { row: JobRow; csrf: string }) {
  const href = `/candles/jobs/${row.id}/cancel`;
  return (
    <form method="post" action={href} hx-post={href} hx-swap="none" class="action">
      <CsrfField csrf={csrf} />
      <button type="submit" class="quiet" aria-label={`Cancel ${row.kind} ${row.title}`}>
        Cancel
      </button>
    </form>
  );
}

function JobItem({ row, csrf }: { row: JobRow; csrf: string }) {
  return (
    <article class="job" id={`job-${row.id}`} tabindex={-1} aria-label={row.title}>
      <div class="job-head">
        <p class="row-title">
          <span class={`pill ${row.tone}`.trim()}>{row.state}</span> {row.kind}{" "}
          <strong>{row.title}</strong> <span class="muted small">{row.when}</span>
        </p>
        {row.canCancel ? <CancelForm row={row} csrf={csrf} /> : null}
      </div>
      {row.share === undefined ? null : (
        <Progress label={`${row.kind} ${row.title}`} share={row.share} />
      )}
      <p class="small breakable number">
        {row.text}{" "}
        {row.seriesId === null ? null : <a href={`/candles/${row.seriesId}`}>Look at the series</a>}
      </p>
      {row.notes.map((note) => (
        <p class="small muted breakable number">{note}</p>
      ))}
      {row.problems.length > 0 ? <Problems {...row} /> : null}
    </article>
  );
}

/** Ended jobs that stand open. */
const ENDED_OPEN_MAX = 3;

/** All jobs, newest first; earlier ones are folded away. */
export function JobList({ rows, csrf }: { rows: readonly JobRow[]; csrf: string }) {
  const running = rows.filter(({ share }) => share !== undefined);
  const ended = rows.filter(({ share }) => share === undefined);
  const items = (some: readonly JobRow[]) => some.map((row) => <JobItem row={row} csrf={csrf} />);
  const earlier = ended.slice(ENDED_OPEN_MAX);
  return (
    <div class="jobs">
      {items(running)}
      {items(ended.slice(0, ENDED_OPEN_MAX))}
      {earlier.length > 0 ? (
        <details id="earlier-jobs">
          <summary class="muted">Earlier: {count(earlier.length)}</summary>
          {items(earlier)}
        </details>
      ) : null}
    </div>
  );
}

/** The card around them; it listens for changes while something runs, and is empty without jobs. */
export function JobsCard(props: { rows: readonly JobRow[]; csrf: string; isLive: boolean }) {
  const { rows, csrf, isLive } = props;
  const live = isLive
    ? {
        "hx-sse:connect": "/candles/jobs/stream",
        "hx-sse:close": "jobs-ended",
        "hx-swap": "innerMorph",
      }
    : {};
  return (
    <section
      id="activity"
      class={rows.length > 0 ? "card" : ""}
      aria-label="Imports and downloads"
      hx-get="/candles/jobs"
      hx-trigger="jobs-changed from:body"
      hx-swap="outerHTML"
    >
      {rows.length > 0 ? <h2>Imports and downloads</h2> : null}
      <div {...live}>
        <JobList rows={rows} csrf={csrf} />
      </div>
    </section>
  );
}
