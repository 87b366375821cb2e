// A bot from a run: the form, what it comes to while somebody types, and the bots that are made of it. Whatever
// was typed comes back with a sentence at every field that is wrong.
import { type DraftView, DraftPreview } from "../../../views/components/bot-draft.tsx";
import { NewBotPage } from "../../../views/pages/bot-new.tsx";
import { settleAssetOf } from "../../model/instrument.ts";
import type { RunId } from "../../ports/run-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import {
  BOT_LEVERAGE_MAX,
  BOT_NAME_CHARS_MAX,
  DRAFT_FIELDS,
  type DraftDirection,
  type DraftProblems,
  sidesOf,
  type TypedDraft,
} from "../../services/desk/bot-draft-fields.ts";
import type { BotDraft, DraftRefusal } from "../../services/desk/bot-draft.ts";
import type { WebDeps } from "../deps.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { frameOf, idOf, respondPage } from "../respond.ts";
import { action, page, type Route, type Visitor, type WebContext } from "../route.ts";
import { exchangeName } from "./accounts-shown.ts";
import { previewOf } from "./backtest-preview.ts";

type Deps = Pick<WebDeps, "about" | "bots" | "backtestDesk">;

/** Routes that make bots; they come before those of one bot, whose number could be any word. */
export function botNewRoutes(deps: Deps, refuse: Refuse): Route[] {
  return [
    page("/bots/new", "trader", async (c, visitor) => {
      const id = idOf<RunId>(c.req.query("run"));
      if (id === undefined) return c.redirect("/runs?status.in=finished", 303);
      return showDraft(deps, refuse, c, visitor, { id, typed: null });
    }),
    action("/bots/new/preview", "trader", async (c, visitor) => {
      const { id, typed } = await readPosted(c);
      const { scope } = actorOf(visitor.session);
      if (id === undefined) return refuse(c, NOT_FOUND);
      const drafted = await deps.bots.draftFromRun(scope, id, typed);
      if (!drafted.ok) return refuseRun(refuse, c, drafted);
      return c.html(<DraftPreview {...await draftView(deps, visitor, drafted.value)} />);
    }),
    action("/bots", "trader", async (c, visitor) => {
      const { id, typed } = await readPosted(c);
      if (id === undefined) return refuse(c, NOT_FOUND);
      const made = await deps.bots.create(actorOf(visitor.session), id, typed);
      if (made.ok) {
        const act = typed.begin === "running" ? "started" : "created";
        return c.redirect(`/bots?done=${act}-${made.bots.length}`, 303);
      }
      if (made.reason === "refused") {
        return showDraft(deps, refuse, c, visitor, { id, typed, problems: made.problems });
      }
      if (made.reason !== "no_more") return refuseRun(refuse, c, made);
      const problem = sentence(made.detail);
      return showDraft(deps, refuse, c, visitor, { id, typed, problem });
    }),
  ];
}

async function readPosted(c: WebContext) {
  const { run, ...typed } = await readFields(c, "run", ...DRAFT_FIELDS);
  return { id: idOf<RunId>(run), typed };
}

type Refused = { readonly reason: DraftRefusal; readonly detail: string };

function refuseRun(refuse: Refuse, c: WebContext, { reason, detail }: Refused) {
  if (reason === "unknown_run") return refuse(c, NOT_FOUND);
  const text = `No bot can be made of this run: ${detail.replace(/\.$/, "")}.`;
  return refuse(c, { status: 409, title: "No bot from this run", sentence: text });
}

type Asked = {
  readonly id: RunId;
  readonly typed: TypedDraft | null;
  readonly problems?: DraftProblems;
  readonly problem?: string;
};

async function showDraft(
  deps: Deps,
  refuse: Refuse,
  c: WebContext,
  visitor: Visitor,
  { id, typed, problems = {}, problem }: Asked,
) {
  const drafted = await deps.bots.draftFromRun(actorOf(visitor.session).scope, id, typed);
  if (!drafted.ok) return refuseRun(refuse, c, drafted);
  const { run, typed: values, accounts, directions } = drafted.value;
  const shown = (
    <NewBotPage
      frame={frameOf(c, deps.about)}
      csrf={visitor.csrf}
      run={{ ...run, strategy: `${run.strategyName} ${run.strategyVersion}` }}
      quote={settleAssetOf(run.symbol)}
      values={values}
      problems={asSentences(problems)}
      problem={problem}
      accounts={accounts.map(({ id: own, name, exchangeId, mode }) => ({
        value: String(own),
        label: `${name} · ${exchangeName(exchangeId)} · ${mode}`,
      }))}
      directions={directions.map((value) => ({ value, label: DIRECTIONS[value] }))}
      nameCharsMax={BOT_NAME_CHARS_MAX}
      leverageMax={BOT_LEVERAGE_MAX}
      draft={await draftView(deps, visitor, drafted.value)}
    />
  );
  const isRefused = problem !== undefined || Object.keys(problems).length > 0;
  return respondPage(c, shown, isRefused ? 422 : 200);
}

const DIRECTIONS: Readonly<Record<DraftDirection, string>> = {
  two: "Two bots, long and short",
  both: "One bot that takes turns",
  long: "Long",
  short: "Short",
};

function asSentences(problems: DraftProblems): DraftProblems {
  const entries = Object.entries(problems).map(([field, text]) => [field, sentence(text)]);
  return Object.fromEntries(entries);
}

async function draftView(
  { backtestDesk }: Deps,
  { session }: Visitor,
  draft: BotDraft,
): Promise<DraftView> {
  const { run, typed, directions, account, source, config, instrument, settings, notes } = draft;
  const { exchangeId, symbol, kind, timeframeMin } = run;
  const reading = {
    ...{ source, timeframeMin, config, instrument, account: settings },
    market: { exchangeId, symbol, kind },
    ...{ problems: {}, window: null, request: null },
  };
  const { scope } = actorOf(session);
  const { timeZone } = session.user;
  const preview = await previewOf(backtestDesk, scope, reading, {}, timeZone);
  const missing = ["Candles of this market that are stored, so that a price is known."];
  const direction = directions.find((each) => each === typed.direction);
  return {
    account: account && {
      ...{ name: account.name, mode: account.mode },
      exchange: exchangeName(account.exchangeId),
    },
    bots: sidesOf(direction ?? "both").length,
    notes: [
      ...notes,
      ...preview.warnings.map((text) => ({ tone: "warn", sentence: text }) as const),
    ],
    preview: { ...preview, missing: preview.ladders.length > 0 ? [] : missing },
  };
}
