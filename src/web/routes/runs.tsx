// The list of runs: its page, more of its rows, the list as a file, the visitor's columns and marks, and
// deleting several. One run's own page is another file.
import { GridRows } from "../../../views/components/grid-rows.tsx";
import { DeleteRunsPage, RunsPage } from "../../../views/pages/runs.tsx";
import { InputError } from "../../model/result.ts";
import type { RunId, RunMark } from "../../ports/run-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import { type GridAsked, readGridAddress } from "../../services/grid/grid-address.ts";
import { layoutOf } from "../../services/grid/grid-layout.ts";
import { RUN_COLUMNS, RUN_SHAPE } from "../../services/research/run-list.ts";
import type { WebDeps } from "../deps.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { frameOf, idOf, respondPage, safePath } from "../respond.ts";
import { action, page, part, type Route, type Visitor, type WebContext } from "../route.ts";
import { columnsOf, runRows, runsProps } from "./runs-view.ts";

type Deps = Pick<WebDeps, "about" | "runs" | "runList">;

const NOTE_CHARS_MAX = 2000;
const DELETE_WORD = "DELETE";
/** Most runs deleted at once: as many as a page shows. */
const DELETE_MAX = 200;

/** Routes of `/runs`; they come before those of one run, whose number could be any word. */
export function runsRoutes(deps: Deps, refuse: Refuse): Route[] {
  return [
    page(
      "/runs",
      "viewer",
      asked(refuse, (c, visitor) => showRuns(deps, c, visitor)),
    ),
    part(
      "/runs/rows",
      "viewer",
      asked(refuse, (c, visitor) => moreRows(deps, c, visitor)),
    ),
    part(
      "/runs.csv",
      "viewer",
      asked(refuse, (c, visitor) => csvOf(deps, c, visitor)),
    ),
    action(
      "/runs/columns",
      "viewer",
      asked(refuse, (c, visitor) => keepColumns(deps, c, visitor)),
    ),
    action(
      "/runs/:id/mark",
      "viewer",
      asked(refuse, (c, visitor) => mark(deps, refuse, c, visitor)),
    ),
    action("/runs/delete", "trader", (c, visitor) => removeRuns(deps, refuse, c, visitor)),
  ];
}

type Answer = (c: WebContext, visitor: Visitor) => Response | Promise<Response>;

/** What cannot be read is answered with 400 and the sentence that says why. */
function asked(refuse: Refuse, answer: Answer): Answer {
  return async (c, visitor) => {
    try {
      return await answer(c, visitor);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return refuse(c, { status: 400, title: "Not understood", sentence: `${error.message}.` });
    }
  };
}

/** The address as a query; `done` and `have` are the page's own. */
function read(c: WebContext, deps: Deps): GridAsked {
  const params = new URL(c.req.url).searchParams;
  params.delete("done");
  params.delete("have");
  return readGridAddress(RUN_SHAPE, params, deps.runList.now());
}

async function showRuns(deps: Deps, c: WebContext, visitor: Visitor): Promise<Response> {
  const { scope } = actorOf(visitor.session);
  const wanted = read(c, deps);
  const layout = await deps.runList.layout(scope);
  const [found, choices] = await Promise.all([
    deps.runList.page(scope, { ...wanted.query, columns: columnsOf(layout) }),
    deps.runList.choices(scope),
  ]);
  const props = runsProps({ wanted, layout, page: found, choices, have: 0, visitor });
  const done = doneText(c.req.query("done"));
  return respondPage(c, <RunsPage {...props} frame={frameOf(c, deps.about)} done={done} />);
}

function doneText(done: string | undefined): string | undefined {
  const count = /^deleted-(\d{1,3})$/.exec(done ?? "")?.[1];
  if (count === undefined) return undefined;
  return count === "1" ? "One run is deleted." : `${count} runs are deleted.`;
}

/** The next rows; `have` of them are already there when a page is brought in pieces. */
async function moreRows(deps: Deps, c: WebContext, visitor: Visitor): Promise<Response> {
  const { scope } = actorOf(visitor.session);
  const wanted = read(c, deps);
  const { limit } = wanted.query;
  const have = Number(c.req.query("have") ?? "0");
  if (!(Number.isInteger(have) && have >= 0 && have < limit)) {
    throw new InputError(`have: a whole number from 0 to ${limit - 1} is allowed`);
  }
  const layout = await deps.runList.layout(scope);
  const columns = columnsOf(layout);
  const found = await deps.runList.page(scope, { ...wanted.query, columns, limit: limit - have });
  const props = runRows({ wanted, layout, page: found, have, visitor });
  const isSelectable = includesRole(visitor.session.role, "trader");
  return c.html(<GridRows {...props} isSelectable={isSelectable} noun="run" />);
}

async function csvOf(deps: Deps, c: WebContext, visitor: Visitor): Promise<Response> {
  const { scope } = actorOf(visitor.session);
  const { query } = read(c, deps);
  const pieces = deps.runList.csv(scope, RUN_COLUMNS, query);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
  const day = new Date(deps.runList.now()).toISOString().slice(0, 10);
  return c.body(body, 200, {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": `attachment; filename="runs-${day}.csv"`,
  });
}

/** All values of a field of the posted form. */
async function valuesOf(c: WebContext, name: string): Promise<string[]> {
  const posted = (await c.req.parseBody({ all: true }))[name] ?? [];
  return [posted].flat().filter((value) => typeof value === "string");
}

const isPartial = (c: WebContext) => c.req.header("hx-request") !== undefined;

async function keepColumns(deps: Deps, c: WebContext, visitor: Visitor): Promise<Response> {
  const { scope } = actorOf(visitor.session);
  const [reset] = await valuesOf(c, "reset");
  const columns = await valuesOf(c, "column");
  const widths = await valuesOf(c, "width");
  const layout = reset === "yes" ? null : layoutOf(RUN_COLUMNS, { columns, widths });
  await deps.runList.keepLayout(scope, layout);
  if (isPartial(c)) return c.body(null, 204);
  const [back = ""] = await valuesOf(c, "back");
  return c.redirect(safePath(`/runs?${back}`).replace(/\?$/, ""), 303);
}

async function mark(
  deps: Deps,
  refuse: Refuse,
  c: WebContext,
  { session }: Visitor,
): Promise<Response> {
  const id = idOf<RunId>(c.req.param("id"));
  const change = markOf(await valuesOf(c, "isShortlisted"), await valuesOf(c, "note"));
  const { scope } = actorOf(session);
  if (id === undefined || !(await deps.runList.mark(scope, id, change))) {
    return refuse(c, NOT_FOUND);
  }
  return isPartial(c) ? c.body(null, 204) : c.redirect("/runs", 303);
}

function markOf([flag]: readonly string[], [note]: readonly string[]): RunMark {
  if (flag === undefined && note === undefined) {
    throw new InputError("isShortlisted, note: at least one of them is needed");
  }
  if (flag !== undefined && flag !== "yes" && flag !== "no") {
    throw new InputError(`isShortlisted: it is "${flag.slice(0, 60)}"; yes or no is allowed`);
  }
  const text = note?.replaceAll("\0", "").trim();
  if (text !== undefined && text.length > NOTE_CHARS_MAX) {
    throw new InputError(`note: ${text.length} characters; ${NOTE_CHARS_MAX} are allowed`);
  }
  return {
    ...(flag === undefined ? {} : { isShortlisted: flag === "yes" }),
    ...(text === undefined ? {} : { note: text === "" ? null : text }),
  };
}

/** Asks first; deletes when the word comes with the same runs. */
async function removeRuns(
  deps: Deps,
  refuse: Refuse,
  c: WebContext,
  { session, csrf }: Visitor,
): Promise<Response> {
  const texts = await valuesOf(c, "id");
  const ids = [...new Set(texts.map((text) => idOf<RunId>(text)))].filter((id) => id !== undefined);
  if (ids.length === 0 || ids.length > DELETE_MAX || ids.length < new Set(texts).size) {
    const sentence = `Select 1 to ${DELETE_MAX} runs of the list to delete them.`;
    return refuse(c, { status: 400, title: "Nothing is deleted", sentence });
  }
  const [typed] = await valuesOf(c, "confirm");
  if (typed !== DELETE_WORD) {
    const problem =
      typed === undefined
        ? undefined
        : `Type ${DELETE_WORD} in capital letters; nothing is deleted.`;
    const frame = frameOf(c, deps.about);
    const question = { frame, csrf, ids, word: DELETE_WORD, problem };
    return respondPage(c, <DeleteRunsPage {...question} />, problem ? 422 : 200);
  }
  const count = await deps.runs.remove(actorOf(session), ids);
  return c.redirect(`/runs?done=deleted-${count}`, 303);
}
