// The pieces and files of a run: the panel below the charts, chart columns, progress, exports and the
// documents it was asked with. Pages are in run.tsx; nothing in here changes anything.
import { RunPanel } from "../../../views/components/run-panel.tsx";
import { RunStage } from "../../../views/components/run-progress.tsx";
import { InputError } from "../../model/result.ts";
import type { Run, RunId } from "../../ports/run-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { markedCsv, markedDocument } from "../demo-mark.ts";
import type { WebDeps } from "../deps.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { idOf } from "../respond.ts";
import { part, type Route, type Visitor, type WebContext } from "../route.ts";
import { cyclesCsv, fillsCsv, resultOf } from "./run-export.ts";
import { gapSentence, panelOf, panelStatus } from "./run-panel.tsx";
import { readPanel, readWindow } from "./run-query.ts";
import { settingGroups } from "./run-settings.ts";

type Deps = Pick<WebDeps, "runs" | "candles" | "streams">;
type Answer = Response | Promise<Response>;

/** The run of an address; null when the workspace has none. */
async function runOf(
  { runs }: Pick<WebDeps, "runs">,
  c: WebContext,
  { session }: Visitor,
): Promise<Run | null> {
  const id = idOf<RunId>(c.req.param("id"));
  return id === undefined ? null : runs.find(actorOf(session).scope, id);
}

/** Answers about the run of the address; 404 without one, 400 for a query that cannot be read. */
export function aboutRun(
  deps: Pick<WebDeps, "runs">,
  refuse: Refuse,
  answer: (c: WebContext, visitor: Visitor, run: Run) => Answer,
) {
  return async (c: WebContext, visitor: Visitor) => {
    const run = await runOf(deps, c, visitor);
    if (!run) return refuse(c, NOT_FOUND);
    try {
      return await answer(c, visitor, run);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return refuse(c, { status: 400, title: "Not understood", sentence: `${error.message}.` });
    }
  };
}

function attachment(c: WebContext, run: Run, name: string, type: string, text: string) {
  return c.body(text, 200, {
    "content-type": type,
    "content-disposition": `attachment; filename="run-${run.id}-${name}"`,
  });
}

const JSON_TYPE = "application/json; charset=utf-8";
const CSV_TYPE = "text/csv; charset=utf-8; header=present";

/** Buckets a chart is asked in when it does not say. */
const BUCKETS_USUAL = 600;

/** Chart columns; what is kept and a sentence where prices cannot be drawn. */
async function answerChart({ runs }: Deps, c: WebContext, { session }: Visitor, run: Run) {
  const { scope } = actorOf(session);
  const window = readWindow(c.req.query());
  const buckets = Number(c.req.query("buckets") ?? BUCKETS_USUAL);
  const made = await runs.chart(scope, run.id, { ...window, buckets });
  if (made.ok) return c.json(made.value);
  if (made.reason === "unknown_run") return c.json({ gap: made.reason }, 404);
  const record = await runs.record(scope, run.id);
  return c.json({
    gap: made.reason,
    sentence: gapSentence(made.reason, made.detail),
    equity: record?.equity ?? null,
  });
}

/** Progress until the run ends; the last message makes the page open the result. */
function answerEvents({ runs, streams }: Deps, c: WebContext, { session }: Visitor, run: Run) {
  const { scope } = actorOf(session);
  return streams.open(c, (send, end) =>
    runs.watch(scope, run.id, ({ stage, share }) => {
      send({ html: String(<RunStage stage={stage} share={share} />) });
      if (stage !== "ended") return;
      send({ event: "ended" });
      end();
    }),
  );
}

async function answerPanel(deps: Deps, c: WebContext, { session }: Visitor, run: Run) {
  const { scope } = actorOf(session);
  const record = await deps.runs.record(scope, run.id);
  const source = { run, record, timeZone: session.user.timeZone };
  const props = await panelOf(deps, scope, source, readPanel(c.req.query()));
  return c.html(<RunPanel {...props} />, panelStatus(props));
}

/** Routes below `/runs/:id` that answer with pieces and files. */
export function runDataRoutes(deps: Deps, refuse: Refuse): Route[] {
  const { runs } = deps;
  const about = (answer: Parameters<typeof aboutRun>[2]) => aboutRun(deps, refuse, answer);
  const file = (
    name: string,
    type: string,
    write: (run: Run, record: Awaited<ReturnType<typeof runs.record>>) => string | null,
  ) =>
    part(
      `/runs/:id/${name}`,
      "viewer",
      about(async (c, { session }, run) => {
        const text = write(run, await runs.record(actorOf(session).scope, run.id));
        if (text !== null) return attachment(c, run, name, type, text);
        const sentence =
          "This run has no such result: it has not finished, or its fills are not kept.";
        return refuse(c, { status: 409, title: "Nothing to export", sentence });
      }),
    );
  return [
    part(
      "/runs/:id/panel",
      "viewer",
      about((c, visitor, run) => answerPanel(deps, c, visitor, run)),
    ),
    part(
      "/runs/:id/chart.json",
      "viewer",
      about((c, visitor, run) => answerChart(deps, c, visitor, run)),
    ),
    part(
      "/runs/:id/events",
      "viewer",
      about((c, visitor, run) => answerEvents(deps, c, visitor, run)),
    ),
    file("export.json", JSON_TYPE, (run, record) => {
      const result = resultOf(run, record);
      return result && `${JSON.stringify(markedDocument(run, result))}\n`;
    }),
    file("fills.csv", CSV_TYPE, (run, record) => record && markedCsv(run, fillsCsv(record))),
    file("cycles.csv", CSV_TYPE, (run, record) => record && markedCsv(run, cyclesCsv(record))),
    ...(["config", "instrument", "run"] as const).map((name) =>
      file(`${name}.json`, JSON_TYPE, (run) => {
        const found = settingGroups(run).find((group) => group.name === name);
        return found ? `${found.text}\n` : null;
      }),
    ),
  ];
}
