// Saved periods as a page of their own: new ones, new names, deletion. A period of another workspace is not found,
// whatever the number in the address.
import { type PeriodsPageProps, PeriodsPage } from "../../../views/pages/backtest-periods.tsx";
import { InputError } from "../../model/result.ts";
import { parseInstant } from "../../model/time.ts";
import type { PeriodId } from "../../ports/period-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { PERIOD_NAME_CHARS_MAX } from "../../services/research/periods.ts";
import type { WebDeps } from "../deps.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import { momentText } from "../forms/backtest-window.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { forForm, frameOf, idOf, respondPage } from "../respond.ts";
import { action, page, type Route, type Visitor, type WebContext } from "../route.ts";

const DONE: Readonly<Record<string, string>> = {
  saved: "The period is saved.",
  renamed: "The period has a new name.",
  deleted: "The period is deleted. Runs over it stay.",
};

type Shown = Pick<PeriodsPageProps, "fields" | "problems" | "refused" | "done">;

/** Routes of `/backtest/periods`. */
export function backtestPeriodRoutes(deps: WebDeps, refuse: Refuse): Route[] {
  const { periods } = deps;
  return [
    page("/backtest/periods", "trader", (c, visitor) =>
      showPeriods(deps, c, visitor, {
        fields: {
          name: "",
          from: typedMoment(c.req.query("from")),
          to: typedMoment(c.req.query("to")),
        },
        problems: {},
        refused: null,
        done: DONE[c.req.query("done") ?? ""],
      }),
    ),
    action("/backtest/periods", "trader", (c, visitor) => save(deps, c, visitor)),
    action("/backtest/periods/:id/rename", "trader", async (c, visitor) => {
      const id = idOf<PeriodId>(c.req.param("id"));
      const { name } = await readFields(c, "name");
      if (id === undefined) return refuse(c, NOT_FOUND);
      const outcome = await periods.rename(actorOf(visitor.session), id, name);
      if (outcome.ok) return c.redirect("/backtest/periods?done=renamed", 303);
      if (outcome.reason === "unknown_period") return refuse(c, NOT_FOUND);
      const refused = { id, name, problem: sentence(outcome.detail) };
      return showPeriods(deps, c, visitor, { ...EMPTY, refused }, 422);
    }),
    action("/backtest/periods/:id/delete", "trader", async (c, { session }) => {
      const id = idOf<PeriodId>(c.req.param("id"));
      const isGone = id !== undefined && (await periods.remove(actorOf(session), id));
      return isGone ? c.redirect("/backtest/periods?done=deleted", 303) : refuse(c, NOT_FOUND);
    }),
  ];
}

const EMPTY: Shown = {
  fields: { name: "", from: "", to: "" },
  problems: {},
  refused: null,
  done: undefined,
};

/** Epoch milliseconds of an address as the date inputs write them. */
function typedMoment(text: string | undefined): string {
  const at = Number(text);
  return /^\d{12,14}$/.test(text ?? "") ? momentText(at) : "";
}

async function showPeriods(
  { about, periods }: WebDeps,
  c: WebContext,
  { session, csrf }: Visitor,
  shown: Shown,
  status: 200 | 422 = 200,
) {
  const list = await periods.list(actorOf(session).scope);
  const content = (
    <PeriodsPage
      frame={frameOf(c, about)}
      csrf={csrf}
      periods={list}
      timeZone={session.user.timeZone}
      nameCharsMax={PERIOD_NAME_CHARS_MAX}
      {...shown}
    />
  );
  return respondPage(c, content, status);
}

async function save(deps: WebDeps, c: WebContext, visitor: Visitor) {
  const fields = await readFields(c, "name", "from", "to");
  const problems: { name?: string; from?: string; to?: string } = {};
  const read = (name: "from" | "to") => {
    try {
      return parseInstant(fields[name], name === "from" ? "Start" : "End");
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems[name] = sentence(error.message);
      return undefined;
    }
  };
  const [fromAt, toAt] = [read("from"), read("to")];
  if (fromAt !== undefined && toAt !== undefined) {
    const wish = { name: fields.name, fromAt, toAt };
    const made = await deps.periods.create(actorOf(visitor.session), wish);
    if (made.ok) return c.redirect("/backtest/periods?done=saved", 303);
    if (made.reason === "refused") {
      problems[made.field === "name" ? "name" : "to"] = forForm(made.detail);
    }
  }
  return showPeriods(deps, c, visitor, { ...EMPTY, fields, problems }, 422);
}
