// Jobs and workers: the page and its live stream, cancelling a run from the list, and how long things are kept.
import type { RetentionFormProps } from "../../../views/components/retention-form.tsx";
import { JobsLive, type JobsLiveProps, JobsPage } from "../../../views/pages/jobs.tsx";
import { InputError } from "../../model/result.ts";
import type { RunId } from "../../ports/run-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import type { JobsOverview } from "../../services/desk/jobs.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import { RETENTION_RULES, type RetentionRules, readRules } from "../../services/live/retention.ts";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { frameOf, idOf, respondPage } from "../respond.ts";
import { action, page, part, type Route, type Visitor, type WebContext } from "../route.ts";

type Deps = Pick<WebDeps, "about" | "jobs" | "retention" | "runs" | "streams">;

const DONE: Readonly<Record<string, string>> = {
  cancelled: "The run was told to stop.",
  ended: "The run had ended already.",
  kept: "The rules are saved. They are used from the next daily look on.",
};

const NAMES = RETENTION_RULES.map(({ name }) => name);

/** Routes of `/jobs`. */
export function jobsRoutes(deps: Deps, refuse: Refuse): Route[] {
  return [
    page("/jobs", "viewer", (c, visitor) => show(deps, c, visitor)),

    part("/jobs/stream", "viewer", (c, visitor) => stream(deps, c, visitor)),

    action("/jobs/:id/cancel", "trader", async (c, { session }) => {
      const id = idOf<RunId>(c.req.param("id"));
      const actor = actorOf(session);
      if (id === undefined || !(await deps.runs.find(actor.scope, id))) return refuse(c, NOT_FOUND);
      const isCancelled = await deps.runs.cancel(actor, id);
      return c.redirect(`/jobs?done=${isCancelled ? "cancelled" : "ended"}`, 303);
    }),

    action("/jobs/retention", "owner", (c, visitor) => changeRetention(deps, c, visitor)),
  ];
}

async function changeRetention(deps: Deps, c: WebContext, visitor: Visitor) {
  const fields = await readFields(c, "revision", ...NAMES);
  const typed = new Map<string, string>(Object.entries(fields));
  const seen = Number(/^\d{1,9}$/.exec(fields.revision)?.[0] ?? Number.NaN);
  try {
    const wish = readRules((name) => typed.get(name));
    const outcome = await deps.retention.change(actorOf(visitor.session), wish, seen);
    if (outcome.ok) return c.redirect("/jobs?done=kept", 303);
    if (outcome.reason === "refused") throw new InputError(outcome.detail);
    const sentence = "Somebody else saved other rules meanwhile. These are theirs: look again.";
    return show(deps, c, visitor, { sentence, status: 409 });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return show(deps, c, visitor, { sentence: `${error.message}.`, status: 422, typed });
  }
}

type Problem = {
  readonly sentence: string;
  readonly status: 409 | 422;
  /** What was typed, to be corrected. */
  readonly typed?: ReadonlyMap<string, string>;
};

async function show(deps: Deps, c: WebContext, visitor: Visitor, problem?: Problem) {
  const { scope } = actorOf(visitor.session);
  const shown = (
    <JobsPage
      frame={frameOf(c, deps.about)}
      live={liveProps(await deps.jobs.overview(scope), visitor)}
      retention={await retentionOf(deps, visitor, problem?.typed)}
      done={problem ? undefined : DONE[c.req.query("done") ?? ""]}
      problem={problem?.sentence}
    />
  );
  return respondPage(c, shown, problem?.status ?? 200);
}

async function retentionOf(
  { retention }: Deps,
  { session, csrf }: Visitor,
  typed: ReadonlyMap<string, string> | undefined,
): Promise<RetentionFormProps | null> {
  if (!includesRole(session.role, "owner")) return null;
  const { rules, revision } = await retention.rules(actorOf(session).scope);
  const value = (name: keyof RetentionRules) => typed?.get(name) ?? String(rules[name]);
  const fields = RETENTION_RULES.map(({ name, min, max }) => ({
    ...{ name, min, max },
    value: value(name),
  }));
  return { csrf, revision, fields };
}

/** What changes, until no run is open and no account is traded: then the page is as it stays. */
async function stream({ jobs, streams }: Deps, c: WebContext, visitor: Visitor) {
  const { scope } = actorOf(visitor.session);
  const first = await jobs.overview(scope);
  return streams.open(c, (send, end) => {
    let sent = "";
    const tell = (overview: JobsOverview) => {
      const html = String(<JobsLive {...liveProps(overview, visitor)} />);
      if (html !== sent) send({ html });
      sent = html;
      const { runs, accounts } = overview;
      if (runs.length > 0 || accounts.some(({ holder }) => holder !== null)) return;
      send({ event: "jobs-ended" });
      end();
    };
    const stop = jobs.watch(scope, tell);
    tell(first);
    return stop;
  });
}

function liveProps(overview: JobsOverview, { session, csrf }: Visitor): JobsLiveProps {
  return {
    ...overview,
    timeZone: session.user.timeZone,
    csrf,
    mayCancel: includesRole(session.role, "trader"),
  };
}
