// Trading states: the page with its stream, the line on every page, and stopping, releasing, settling. What makes
// trading safer needs a trader, what releases it an owner. An account or bot of another workspace is not found here.
import { ScopeGroups } from "../../../views/components/kill-form.tsx";
import { TradingBanner } from "../../../views/components/trading-banner.tsx";
import { TradingLive } from "../../../views/components/trading-live.tsx";
import { TradingConfirmPage, TradingPage } from "../../../views/pages/trading.tsx";
import { actorOf } from "../../services/desk/account.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import {
  type EmergencyOutcome,
  KILL_WORDS,
  RESUME_WORD,
  type TradingView,
} from "../../services/live/emergency-types.ts";
import type { WebDeps } from "../deps.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { frameOf, type PageStatus, respondPage } from "../respond.ts";
import { action, page, part, type Route, type Visitor, type WebContext } from "../route.ts";
import { settleFinding } from "./trading-settle.tsx";
import {
  confirmedText,
  effectText,
  type Looker,
  reachGroups,
  scopeGroups,
  tradingLive,
} from "./trading-view.ts";

type Deps = Pick<WebDeps, "about" | "emergency" | "streams" | "log">;

/** Routes of `/trading`. */
export function tradingRoutes(deps: Deps, refuse: Refuse): Route[] {
  return [
    page("/trading", "viewer", (c, visitor) => showTrading(deps, c, visitor)),
    part("/trading/stream", "viewer", (c, visitor) => streamTrading(deps, c, visitor)),
    part("/trading/banner", "viewer", (c, visitor) => showBanner(deps, c, visitor)),
    part("/trading/scopes", "trader", async (c, { session }) => {
      const view = await deps.emergency.view(actorOf(session).scope);
      return c.html(<ScopeGroups groups={scopeGroups(view)} />);
    }),
    action("/trading/kill", "trader", (c, visitor) => kill(deps, refuse, c, visitor)),
    action("/trading/resume", "owner", (c, visitor) => resume(deps, refuse, c, visitor)),
    action("/trading/settle", "trader", (c, visitor) =>
      settleFinding(deps, refuse, c, visitor, (outcome) =>
        after(deps, c, visitor, outcome, "settled"),
      ),
    ),
  ];
}

function lookerOf({ session, csrf }: Visitor): Looker {
  return { csrf, role: session.role, timeZone: session.user.timeZone };
}

const DONE: Readonly<Record<string, string>> = {
  killed: "It is written down; workers obey within a second.",
  closing: "Closing began; each bot reports below.",
  resumed: "It is released. Bots go on as their owners wish.",
  settled: "The worker of the account was asked; it reports in the events.",
};

async function showTrading(
  { about, emergency }: Deps,
  c: WebContext,
  visitor: Visitor,
  problem?: string,
  status: PageStatus = 200,
) {
  const view = await emergency.view(actorOf(visitor.session).scope);
  const mayStop = includesRole(visitor.session.role, "trader");
  const shown = (
    <TradingPage
      frame={frameOf(c, about)}
      live={tradingLive(view, lookerOf(visitor))}
      groups={mayStop ? scopeGroups(view) : null}
      done={problem === undefined ? DONE[c.req.query("done") ?? ""] : undefined}
      problem={problem}
    />
  );
  return respondPage(c, shown, status);
}

/** Sends the part that changes whenever it looks different; ends where there is nothing to trade on. */
async function streamTrading({ emergency, streams }: Deps, c: WebContext, visitor: Visitor) {
  const { scope } = actorOf(visitor.session);
  const looker = lookerOf(visitor);
  const first = await emergency.view(scope);
  return streams.open(c, (send, end) => {
    let sent = "";
    const show = (view: TradingView) => {
      const html = String(<TradingLive {...tradingLive(view, looker)} />);
      if (html !== sent) send({ html });
      sent = html;
      if (view.accounts.length > 0) return;
      send({ event: "trading-ended" });
      end();
    };
    const stop = emergency.watch(scope, show);
    show(first);
    return stop;
  });
}

/** The line of every page. One that cannot be made leaves the page as it is. */
async function showBanner({ emergency, log }: Deps, c: WebContext, { session }: Visitor) {
  try {
    const stopped = await emergency.stopped(actorOf(session).scope);
    const scopes = stopped.states.map(({ name, state }) => ({ name, state }));
    return c.html(<TradingBanner scopes={scopes} confirmed={confirmedText(stopped)} />);
  } catch (error) {
    log.warn("what is stopped could not be read for a page", { error });
    return c.body(null, 204);
  }
}

/** Back to the page, or the page with the sentence that says why not. */
async function after(
  deps: Deps,
  c: WebContext,
  visitor: Visitor,
  outcome: EmergencyOutcome,
  done: string,
) {
  if (outcome.ok) return c.redirect(`/trading?done=${done}`, 303);
  const status = outcome.reason === "not_allowed" ? 403 : "field" in outcome ? 422 : 409;
  return showTrading(deps, c, visitor, sentence(outcome.detail), status);
}

/** Whether the question was answered; a form without the field only asks. */
async function isAnswered(c: WebContext): Promise<boolean> {
  const { confirm } = await c.req.parseBody();
  return typeof confirm === "string";
}

async function kill(deps: Deps, refuse: Refuse, c: WebContext, visitor: Visitor) {
  const wish = await readFields(c, "scope", "level", "reason", "confirm");
  const word = wish.level === "flatten" || wish.level === "freeze" ? KILL_WORDS[wish.level] : null;
  const isTyped = wish.confirm.trim() === word;
  if (word !== null && !isTyped) {
    const isAsked = !(await isAnswered(c));
    const problem = isAsked ? undefined : `Type ${word} in capital letters; nothing is changed.`;
    return askToKill(deps, refuse, c, visitor, { ...wish, word, problem });
  }
  const outcome = await deps.emergency.kill(actorOf(visitor.session), wish);
  return after(deps, c, visitor, outcome, wish.level === "flatten" ? "closing" : "killed");
}

type KillQuestion = {
  readonly scope: string;
  readonly level: string;
  readonly reason: string;
  readonly word: string;
  readonly problem: string | undefined;
};

async function askToKill(
  deps: Deps,
  refuse: Refuse,
  c: WebContext,
  visitor: Visitor,
  { scope, level, reason, word, problem }: KillQuestion,
) {
  const effect = await deps.emergency.preview(actorOf(visitor.session).scope, { scope, level });
  if (effect === null) return refuse(c, NOT_FOUND);
  const verb = effect.level === "flatten" ? "Flatten" : "Freeze";
  const shown = (
    <TradingConfirmPage
      frame={frameOf(c, deps.about)}
      csrf={visitor.csrf}
      title={`${verb}: ${effect.name}`}
      effect={effectText(effect.level, effect)}
      groups={reachGroups(effect.level, effect)}
      action="/trading/kill"
      label={effect.level === "flatten" ? "Flatten, then stop" : "Freeze now"}
      word={word}
      fields={{ scope, level, reason }}
      problem={problem}
    />
  );
  return respondPage(c, shown, problem === undefined ? 200 : 422);
}

async function resume(deps: Deps, refuse: Refuse, c: WebContext, visitor: Visitor) {
  const { scope, reason, confirm } = await readFields(c, "scope", "reason", "confirm");
  const actor = actorOf(visitor.session);
  if (confirm.trim() === RESUME_WORD) {
    const outcome = await deps.emergency.resume(actor, { scope, reason, confirm });
    return after(deps, c, visitor, outcome, "resumed");
  }
  const view = await deps.emergency.view(actor.scope);
  const row = view.states.find(({ key }) => key === scope);
  if (row === undefined) return refuse(c, NOT_FOUND);
  const isAsked = !(await isAnswered(c));
  const problem = isAsked
    ? undefined
    : `Type ${RESUME_WORD} in capital letters; nothing is changed.`;
  const shown = (
    <TradingConfirmPage
      frame={frameOf(c, deps.about)}
      csrf={visitor.csrf}
      title={`Release: ${row.name}`}
      effect={`It is ${row.state} since somebody wrote: ${row.reason}. Bots that are wished to run will open positions again; orders of before are not sent again.`}
      groups={[]}
      action="/trading/resume"
      label="Release"
      word={RESUME_WORD}
      fields={{ scope, reason }}
      problem={problem}
    />
  );
  return respondPage(c, shown, problem === undefined ? 200 : 422);
}
