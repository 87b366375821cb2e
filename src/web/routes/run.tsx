// One run: its page, and what people do with it: rename, shortlist with a note, cancel, delete. Its
// pieces and files are in run-data.tsx; the list of all runs is another page.
import { quoteOf } from "../../../views/format.ts";
import { RunHead, type RunHeadProps } from "../../../views/components/run-head.tsx";
import { RunPage, type RunState } from "../../../views/pages/run.tsx";
import type { Run } from "../../ports/run-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import type { Refuse } from "../problems.tsx";
import { frameOf, type PageStatus, respondPage } from "../respond.ts";
import { action, page, type Route, type Visitor, type WebContext } from "../route.ts";
import { aboutRun, runDataRoutes } from "./run-data.tsx";
import { panelOf, panelStatus } from "./run-panel.tsx";
import { readPanel, readWindow } from "./run-query.ts";
import { chartsOf, headOf, resultWarnings } from "./run-view.ts";

type Deps = Pick<WebDeps, "about" | "runs" | "candles" | "streams">;

const NAME_CHARS_MAX = 200;
const NOTE_CHARS_MAX = 2000;
const DELETE_WORD = "DELETE";

const DONE: Readonly<Record<string, string>> = {
  renamed: "The name is saved.",
  noted: "Your mark and note are saved.",
  cancelled: "The run was told to stop.",
};

/** What went wrong with a change of the page. */
type Trouble = {
  readonly problem?: string;
  readonly headProblem?: string;
  readonly deleteProblem?: string;
};

/** Routes of `/runs/:id`. */
export function runRoutes(deps: Deps, refuse: Refuse): Route[] {
  const about = (answer: Parameters<typeof aboutRun>[2]) => aboutRun(deps, refuse, answer);
  const change = (path: string, role: "viewer" | "trader", answer: Parameters<typeof about>[0]) =>
    action(`/runs/:id/${path}`, role, about(answer));
  return [
    page(
      "/runs/:id",
      "viewer",
      about((c, visitor, run) => showRun(deps, c, visitor, run)),
    ),
    change("name", "trader", (c, visitor, run) => rename(deps, c, visitor, run)),
    change("shortlist", "viewer", (c, visitor, run) => shortlist(deps, c, visitor, run)),
    change("cancel", "trader", async (c, { session }, run) => {
      await deps.runs.cancel(actorOf(session), run.id);
      return c.redirect(`/runs/${run.id}?done=cancelled`, 303);
    }),
    change("delete", "trader", (c, visitor, run) => remove(deps, c, visitor, run)),
    ...runDataRoutes(deps, refuse),
  ];
}

function headProps(run: Run, { session, csrf }: Visitor, problem?: string): RunHeadProps {
  return {
    ...headOf(run),
    csrf,
    timeZone: session.user.timeZone,
    mayTrade: includesRole(session.role, "trader"),
    limits: { nameMax: NAME_CHARS_MAX, noteMax: NOTE_CHARS_MAX },
    problem,
  };
}

async function stateOf(
  deps: Deps,
  c: WebContext,
  { session }: Visitor,
  run: Run,
): Promise<RunState> {
  const { runs } = deps;
  const { scope } = actorOf(session);
  const { timeZone } = session.user;
  const { status, metrics } = run;
  if (status === "failed" || status === "cancelled") return { kind: status, error: run.error };
  if (status !== "finished" || !metrics) {
    const progress = await runs.progress(scope, run.id);
    return { kind: "busy", stage: progress?.stage ?? "waiting", share: progress?.share ?? null };
  }
  const query = c.req.query();
  const record = await runs.record(scope, run.id);
  return {
    kind: "finished",
    figures: { metrics, quote: quoteOf(run.symbol) },
    warnings: resultWarnings(run, metrics),
    charts: chartsOf(run, metrics, record, readWindow(query), timeZone),
    panel: await panelOf(deps, scope, { run, record, timeZone }, readPanel(query)),
  };
}

async function showRun(
  deps: Deps,
  c: WebContext,
  visitor: Visitor,
  run: Run,
  trouble: Trouble = {},
  status: PageStatus = 200,
) {
  const state = await stateOf(deps, c, visitor, run);
  const shown = (
    <RunPage
      frame={frameOf(c, deps.about)}
      head={headProps(run, visitor, trouble.headProblem)}
      state={state}
      deleteWord={DELETE_WORD}
      deleteProblem={trouble.deleteProblem}
      problem={trouble.problem}
      done={status === 200 ? DONE[c.req.query("done") ?? ""] : undefined}
    />
  );
  const isAsked = status === 200 && state.kind === "finished";
  return respondPage(c, shown, isAsked ? panelStatus(state.panel) : status);
}

/** The head alone with a toast where a script asked, else the page again. */
async function afterChange(
  deps: Deps,
  c: WebContext,
  visitor: Visitor,
  run: Run,
  outcome: { readonly done: string } | { readonly problem: string },
) {
  const isRefused = "problem" in outcome;
  const status = isRefused ? 422 : 200;
  if (c.req.header("hx-request") !== "true") {
    if (!isRefused) return c.redirect(`/runs/${run.id}?done=${outcome.done}`, 303);
    return showRun(deps, c, visitor, run, { headProblem: outcome.problem }, status);
  }
  const present = (await deps.runs.find(actorOf(visitor.session).scope, run.id)) ?? run;
  if (!isRefused) {
    c.header("hx-trigger", JSON.stringify({ toast: { text: DONE[outcome.done], tone: "done" } }));
  }
  const problem = isRefused ? outcome.problem : undefined;
  return c.html(<RunHead {...headProps(present, visitor, problem)} />, status);
}

/** A posted text as it was typed, or the sentence about its length; readFields would lose a long one. */
async function textOf(c: WebContext, field: string, charsMax: number) {
  const posted = (await c.req.parseBody())[field];
  const text = typeof posted === "string" ? posted.replaceAll("\0", "").trim() : "";
  if (text.length <= charsMax) return { text: text === "" ? null : text };
  return { problem: `The ${field} has ${text.length} characters; ${charsMax} are allowed.` };
}

async function rename(deps: Deps, c: WebContext, visitor: Visitor, run: Run) {
  const name = await textOf(c, "name", NAME_CHARS_MAX);
  if (name.problem !== undefined) return afterChange(deps, c, visitor, run, name);
  await deps.runs.rename(actorOf(visitor.session), run.id, name.text);
  return afterChange(deps, c, visitor, run, { done: "renamed" });
}

/** Mark and note; a part that is not posted stays as it is. */
async function shortlist(deps: Deps, c: WebContext, visitor: Visitor, run: Run) {
  const posted = await c.req.parseBody();
  const { shortlisted = run.isShortlisted ? "yes" : "no" } = posted;
  if (shortlisted !== "yes" && shortlisted !== "no") {
    const problem = `The mark is "${shortlisted}"; yes or no is allowed.`;
    return afterChange(deps, c, visitor, run, { problem });
  }
  const kept = { text: run.note, problem: undefined };
  const note = "note" in posted ? await textOf(c, "note", NOTE_CHARS_MAX) : kept;
  if (note.problem !== undefined) return afterChange(deps, c, visitor, run, note);
  const mark = { isShortlisted: shortlisted === "yes", note: note.text };
  await deps.runs.shortlist(actorOf(visitor.session), run.id, mark);
  return afterChange(deps, c, visitor, run, { done: "noted" });
}

async function remove(deps: Deps, c: WebContext, visitor: Visitor, run: Run) {
  const { confirm } = await readFields(c, "confirm");
  if (confirm.trim() !== DELETE_WORD) {
    const deleteProblem = `Type ${DELETE_WORD} to delete the run; nothing was deleted.`;
    return showRun(deps, c, visitor, run, { deleteProblem }, 422);
  }
  const removed = await deps.runs.remove(actorOf(visitor.session), [run.id]);
  if (removed > 0) return c.redirect("/runs?done=deleted-1", 303);
  const problem = "The run has not ended yet. Cancel it first.";
  return showRun(deps, c, visitor, run, { problem }, 409);
}
