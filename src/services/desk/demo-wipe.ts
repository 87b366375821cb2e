// Removes the demo of a workspace: closes and stops its bots, then deletes bots, accounts, runs and candles of
// mode or exchange `demo`. Part of demo.ts. What is left when it gives up is found by the next attempt; rows of
// live and paper accounts are never asked for.
import { DEMO_EXCHANGE } from "../../model/demo-exchange.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { GridQuery } from "../../ports/grid.ts";
import type { RunId } from "../../ports/run-store.ts";
import { type Actor, noteAct } from "./actor.ts";
import type { DemoDeps } from "./demo.ts";

/** What must be typed. */
export const WIPE_WORD = "WIPE";

/** How many of each were removed, or why not all of it was. */
export type WipeOutcome =
  | { readonly ok: true; readonly removed: WipeCounts }
  | {
      readonly ok: false;
      readonly reason: "needs_word" | "still_open";
      readonly detail: string;
    };

/** What was removed. */
export type WipeCounts = {
  readonly bots: number;
  readonly accounts: number;
  readonly runs: number;
  readonly series: number;
};

/** What a bot is given to close what it holds, and again to stop. */
const SETTLE_MS = 20_000;
const LOOK_EVERY_MS = 250;
const RUNS_AT_ONCE = 200;
/** Pages of runs in one go; more are left to the next. */
const ROUNDS_MAX = 500;

/** Runs on candles of the demo exchange, newest first. */
export async function demoRunIds(
  { runList }: Pick<DemoDeps, "runList">,
  scope: Scope,
  limit: number,
): Promise<RunId[]> {
  const words = [DEMO_EXCHANGE];
  const isDemo = {
    column: "exchangeId",
    join: "and",
    conditions: [{ kind: "in", words }],
  } as const;
  const found: RunId[] = [];
  let after: GridQuery["after"] = null;
  for (let round = 0; round < ROUNDS_MAX && found.length < limit; round++) {
    const page = await runList.page(scope, {
      columns: ["name"],
      sort: { column: "createdAt", direction: "desc" },
      filters: [isDemo],
      ...{ search: null, limit: limit - found.length, after },
    });
    found.push(...page.rows.map(({ id }) => id as RunId));
    after = page.next;
    if (after === null) break;
  }
  return found;
}

/** Wipes; every step is safe to repeat. */
export async function wipeDemo(deps: DemoDeps, actor: Actor, typed: string): Promise<WipeOutcome> {
  if (typed.trim() !== WIPE_WORD) {
    const detail = `“${typed.slice(0, 60)}” is not ${WIPE_WORD}; nothing was removed`;
    return { ok: false, reason: "needs_word", detail };
  }
  const { scope } = actor;
  const bots = (await deps.bots.list(scope, null)).filter(({ mode }) => mode === "demo");
  const kept = await Promise.all(bots.map((bot) => removeBot(deps, scope, bot)));
  const why = kept.find((sentence) => sentence !== null);
  if (why !== undefined) return { ok: false, reason: "still_open", detail: why };
  const runs = await removeRuns(deps, actor);
  const series = await removeSeries(deps, actor);
  const accounts = await removeAccounts(deps, actor);
  for (const result of [series, accounts]) if (typeof result === "string") return stillOpen(result);
  const removed = { bots: bots.length, runs, series: Number(series), accounts: Number(accounts) };
  await noteAct(deps, actor, { action: "demo_wiped", object: "demo", before: removed });
  return { ok: true, removed };
}

function stillOpen(detail: string): WipeOutcome {
  return { ok: false, reason: "still_open", detail };
}

/** Closes, stops and removes a bot. @returns why it is still there; null once it is gone */
async function removeBot(
  { bots, clock }: DemoDeps,
  scope: Scope,
  bot: Bot,
): Promise<string | null> {
  const { id } = bot;
  const wish = async (what: Parameters<DemoDeps["bots"]["wish"]>[2]) =>
    void (await bots.wish(scope, id, what, clock.now()));
  const settled = async (isSo: (bot: Bot) => boolean) => {
    const endMs = clock.monotonicMs() + SETTLE_MS;
    for (;;) {
      const now = await bots.find(scope, id);
      if (!now || isSo(now)) return true;
      if (clock.monotonicMs() > endMs) return false;
      await clock.sleep(LOOK_EVERY_MS);
    }
  };
  // One that never ran, or stopped with nothing in its hands, needs nobody.
  const idle = await bots.remove(scope, id, clock.now());
  if (idle.ok || idle.reason === "unknown_bot") return null;
  await wish({ action: "flatten" });
  if (!(await settled(({ desiredAction }) => desiredAction === null))) {
    return `${bot.name} is still closing what it holds: try again in a moment`;
  }
  await wish({ status: "stopped" });
  if (!(await settled(({ status }) => status === "stopped"))) {
    return `${bot.name} has not stopped yet: try again in a moment`;
  }
  const removed = await bots.remove(scope, id, clock.now());
  return removed.ok || removed.reason === "unknown_bot" ? null : `${bot.name}: ${removed.detail}`;
}

async function removeRuns(deps: DemoDeps, actor: Actor): Promise<number> {
  let count = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const ids = await demoRunIds(deps, actor.scope, RUNS_AT_ONCE);
    if (ids.length === 0) break;
    for (const id of ids) await deps.runs.cancel(actor, id);
    count += await deps.runs.remove(actor, ids);
  }
  return count;
}

/** @returns how many, or why one is still there */
async function removeSeries({ candles }: DemoDeps, actor: Actor): Promise<number | string> {
  const stored = await candles.list(actor.scope);
  const demo = [...stored.candles, ...stored.funding].filter(
    ({ exchangeId }) => exchangeId === DEMO_EXCHANGE,
  );
  for (const { id } of demo) {
    const removed = await candles.remove(actor, id);
    if (!removed.ok && removed.reason === "busy") return removed.detail;
  }
  return demo.length;
}

/** @returns how many, or why one is still there */
async function removeAccounts(deps: DemoDeps, actor: Actor): Promise<number | string> {
  const demo = (await deps.accounts.list(actor.scope)).filter(({ mode }) => mode === "demo");
  for (const { id } of demo) {
    const removed = await deps.tradingAccounts.remove(actor, id);
    if (!removed.ok && removed.reason !== "unknown_account") return removed.detail;
  }
  return demo.length;
}
