// The candles page: list, import, download, and what is under way. A file comes as the whole body of a
// request and is read while it arrives; progress goes out over a live stream.
import { CandlesPage } from "../../../views/pages/candles.tsx";
import {
  DownloadForm,
  type DownloadFields,
  type DownloadProblems,
} from "../../../views/pages/candle-download-form.tsx";
import { JobList, JobsCard } from "../../../views/pages/candle-jobs.tsx";
import { SeriesList } from "../../../views/pages/candle-list.tsx";
import { InputError } from "../../model/result.ts";
import { actorOf } from "../../services/desk/account.ts";
import type { JobId } from "../../services/research/candle-jobs.ts";
import type { WebDeps } from "../deps.ts";
import {
  DOWNLOAD_DEFAULTS,
  DOWNLOAD_NAMES,
  problemsOf,
  readDownloadForm,
  readImportTarget,
} from "../forms/candle-forms.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, problemJson, type Refuse } from "../problems.tsx";
import { forForm, frameOf, idOf, type PageStatus, respondPage } from "../respond.ts";
import { action, page, part, type Route, upload, type Visitor, type WebContext } from "../route.ts";
import { canChange, exchangeGroups, jobRows, seriesRows } from "./candles-shown.ts";

/** Largest file that is taken. */
export const IMPORT_BYTES_MAX = 512 * 2 ** 20;

const DONE: Readonly<Record<string, string>> = {
  downloading: "The download has begun.",
  cancelled: "The job was told to end.",
  deleted: "The series is deleted.",
};

/** Routes of `/candles`, without those of one series. */
export function candleRoutes(deps: WebDeps, refuse: Refuse): Route[] {
  const { candles } = deps;
  return [
    page("/candles", "viewer", (c, visitor) => showPage(deps, c, visitor)),

    part("/candles/list", "viewer", async (c, { session }) =>
      c.html(<SeriesList {...await seriesRows(candles, session)} />),
    ),

    part("/candles/jobs", "viewer", (c, visitor) =>
      c.html(<JobsCard {...jobsOf(deps, visitor)} csrf={visitor.csrf} />),
    ),

    part("/candles/jobs/stream", "viewer", (c, visitor) => streamJobs(deps, c, visitor)),

    action("/candles/jobs/:id/cancel", "trader", (c, { session }) => {
      const id = idOf<JobId>(c.req.param("id"));
      if (id === undefined || !candles.cancel(actorOf(session), id)) return refuse(c, NOT_FOUND);
      return isPartial(c) ? c.body(null, 204) : c.redirect("/candles?done=cancelled", 303);
    }),

    action("/candles/download", "trader", (c, visitor) => startDownload(deps, c, visitor)),

    upload("/candles/import", "trader", IMPORT_BYTES_MAX, (c, visitor) =>
      takeFile(deps, c, visitor),
    ),
  ];
}

function isPartial(c: WebContext): boolean {
  return c.req.header("hx-request") === "true";
}

function jobsOf({ candles }: WebDeps, { session }: Visitor) {
  const jobs = candles.jobs(actorOf(session).scope);
  return {
    rows: jobRows(jobs, candles.now(), canChange(session)),
    isLive: jobs.some(({ endedAt }) => endedAt === null),
  };
}

/** The form as typed, with what is wrong with it. */
type Typed = { readonly fields: DownloadFields; readonly problems: DownloadProblems };

async function showPage(deps: WebDeps, c: WebContext, visitor: Visitor, typed?: Typed) {
  const { about, candles } = deps;
  const series = await seriesRows(candles, visitor.session);
  const isEmpty = series.candles.length + series.funding.length === 0;
  const { rows, isLive } = jobsOf(deps, visitor);
  const shown = (
    <CandlesPage
      frame={frameOf(c, about)}
      series={series}
      jobs={rows}
      isLive={isLive}
      form={formOf(deps, visitor, typed)}
      open={{ import: isEmpty, download: isEmpty || typed !== undefined }}
      file={{ bytesMax: IMPORT_BYTES_MAX, sizeMax: `${IMPORT_BYTES_MAX / 2 ** 20} MiB` }}
      done={typed ? undefined : DONE[c.req.query("done") ?? ""]}
    />
  );
  return respondPage(c, shown, typed ? 422 : 200);
}

function formOf({ candles }: WebDeps, { csrf }: Visitor, typed?: Typed) {
  const { fields, problems } = typed ?? { fields: DOWNLOAD_DEFAULTS, problems: {} };
  return { csrf, exchanges: exchangeGroups(candles), fields, problems };
}

async function startDownload(deps: WebDeps, c: WebContext, visitor: Visitor) {
  const { candles } = deps;
  const fields = await readFields(c, ...DOWNLOAD_NAMES);
  const read = readDownloadForm(candles, fields, candles.now());
  if (!read.wishes) return refuseForm(deps, c, visitor, { fields, problems: read.problems });
  try {
    candles.download(actorOf(visitor.session), read.wishes);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return refuseForm(deps, c, visitor, { fields, problems: problemsOf(error) });
  }
  if (!isPartial(c)) return c.redirect("/candles?done=downloading", 303);
  c.header("hx-trigger", JSON.stringify({ "jobs-changed": {} }));
  const next = { fields: { ...fields, symbol: "" }, problems: {} };
  return c.html(<DownloadForm {...formOf(deps, visitor, next)} />);
}

function refuseForm(deps: WebDeps, c: WebContext, visitor: Visitor, typed: Typed) {
  if (!isPartial(c)) return showPage(deps, c, visitor, typed);
  return c.html(<DownloadForm {...formOf(deps, visitor, typed)} />, 422);
}

/** Answers with the number of the job; the page then shows what became of it. */
async function takeFile({ candles }: WebDeps, c: WebContext, { session }: Visitor) {
  try {
    const target = readImportTarget(candles, (name) => c.req.query(name));
    const length = Number(c.req.header("content-length"));
    const job = await candles.importFile(actorOf(session), {
      ...target,
      bytes: c.req.raw.body ?? nothing(),
      bytesTotal: length > 0 ? length : null,
    });
    return c.json({ job: job.id, state: job.state.is }, statusOf(job.state.is));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const sentence = forForm(error.message);
    return problemJson(c, { status: 422, title: "Not imported", sentence });
  }
}

/** 200 also while it is being stored: the file itself has been taken. */
function statusOf(state: string): PageStatus {
  return state === "refused" || state === "failed" || state === "cancelled" ? 422 : 200;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Ends by itself when nothing runs any more; whoever starts a job listens anew. */
function streamJobs(deps: WebDeps, c: WebContext, visitor: Visitor) {
  const { candles, streams } = deps;
  const { scope } = actorOf(visitor.session);
  return streams.open(c, (send, end) => {
    const show = () => {
      const { rows, isLive } = jobsOf(deps, visitor);
      send({ html: (<JobList rows={rows} csrf={visitor.csrf} />).toString() });
      if (isLive) return;
      send({ event: "series-changed" });
      send({ event: "jobs-ended" });
      end();
    };
    const stop = candles.watch(scope, (job) => {
      if (job.endedAt !== null) send({ event: "series-changed" });
      show();
    });
    show();
    return stop;
  });
}
