// Carries out what a person decided about a finding: taken over, closed, cancelled. Called by findings.ts, once for a
// decision, and again when the worker that began it went away: everything here looks first at what is there, so that
// a second run ends what the first one began and does nothing twice.
import { compare, type Decimal } from "../../model/decimal.ts";
import { refuse, type Result } from "../../model/result.ts";
import type { Leg } from "../../model/trade-record.ts";
import type { BotId } from "../../ports/bot-store.ts";
import type { OrderReport } from "../../ports/broker.ts";
import type { CommandId, StoredCommand } from "../../ports/command-store.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import type { RunningBot } from "./account-bots.ts";
import type { AccountParts } from "./account-parts.ts";
import { ownerOf } from "./bot-runner.ts";
import { type Given, type GiveRefusal, giveOrder, giveTrades, rowsOf } from "./findings-adopt.ts";
import { type Choice, heirsFor } from "./findings-choices.ts";
import { closePerson } from "./findings-flatten.ts";
import { type Found, type FoundOrder, isPersonsOrder, knownKey } from "./findings-found.ts";
import { type Heir, heirNamed, PERSON } from "./findings-heirs.ts";
import type { LiveDeps } from "./live-types.ts";
import { placeOf } from "./reconcile-events.ts";

/** What decisions are carried out with. */
export type SettleDeps = {
  readonly live: LiveDeps;
  readonly parts: AccountParts;
  readonly running: () => readonly RunningBot[];
};

/** A person's decision. */
export type Decision = {
  /** Of the command it came as: rows are marked with it. */
  readonly id: CommandId;
  readonly key: string;
  readonly choice: Choice;
  /** Who takes it over, null for a person; absent for whoever gets it by itself. */
  readonly heir?: BotId | null;
  readonly actor: StoredCommand["actor"];
};

/** What came of a decision, in one sentence. */
export type Settled = { readonly outcome: string; readonly isRefused: boolean };

/** It was done. */
export const done = (outcome: string): Settled => ({ outcome, isRefused: false });
/** It was not done, or not to its end. */
export const refused = (outcome: string): Settled => ({ outcome, isRefused: true });

type Place = { readonly symbol: string; readonly leg: Leg };

const COMPARE_MS = 20_000;
const LEGS = ["net", "long", "short"] as const;

/** Takes over what was found. */
export async function adopt(deps: SettleDeps, found: Found, decision: Decision): Promise<Settled> {
  const { live, running } = deps;
  const named = heirNamed(heirsFor(found, running()), decision.heir);
  if (!named.ok) return refused(`It was not taken over: ${named.detail}.`);
  const heir = named.value;
  const given = { decisionId: decision.id, heir };
  const { drift, order } = found;
  const made =
    drift !== null
      ? await giveTrades(live, drift, given, workingIds(deps))
      : await takeOrder(deps, order, given);
  if (!made.ok) return refused(`It was not taken over: ${made.detail}.`);
  await tellHeir(deps, heir.bot);
  await comparedAgain(deps);
  const what =
    drift !== null
      ? `${drift.difference} ${placeOf(drift)}`
      : `order ${order?.report.exchangeOrderId} of ${found.symbol}`;
  return done(`It was taken over: ${what} ${heirText(heir.bot)}.`);
}

function heirText(bot: Heir["bot"]): string {
  return bot === null ? "belongs to a person now" : `belongs to the bot ${bot.name} now`;
}

async function takeOrder(
  { live, parts }: SettleDeps,
  order: FoundOrder | null,
  given: Given,
): Promise<Result<number, GiveRefusal>> {
  if (order === null || order.leg === null) return refuse("not_found", "its leg is not known");
  const { symbol, exchangeOrderId: id } = order.report;
  const signal = AbortSignal.timeout(COMPARE_MS);
  // What it fills is booked only where the market is known.
  await parts.openMarket(symbol, signal);
  const ref = { symbol, by: "exchange", id, isTrigger: false } as const;
  const report = await live.broker.order(ref, { signal });
  const isWorking = report?.status === "open" || report?.status === "partly_filled";
  if (report === null || !isWorking) {
    return refuse("not_found", "the order does not work any more");
  }
  return await giveOrder(live, { report, leg: order.leg }, given);
}

/** The heir looks at its rows at once: what it holds is protected with its next step. */
async function tellHeir({ running }: SettleDeps, heir: Heir["bot"]): Promise<void> {
  for (const { bot, runner } of running()) {
    if (bot.id === heir?.id && runner?.isRestored()) await runner.onRows();
  }
}

/** Strangers' orders that still work, by the exchange's ids. */
function workingIds({ parts }: SettleDeps): ReadonlySet<string> {
  const found = parts.reconciler.found();
  return new Set(
    found.flatMap(({ kind, order }) => {
      return kind === "stranger_order" && order !== null ? [order.report.exchangeOrderId] : [];
    }),
  );
}

/** First it becomes known as a person's, so that its closing is one of ours from begin to end. */
export async function flatten(
  deps: SettleDeps,
  found: Found,
  decision: Decision,
): Promise<Settled> {
  const frozen = whyFrozen(deps.live);
  if (frozen !== null) return refused(`Nothing was sent: ${frozen}.`);
  const { drift } = found;
  const place = drift ?? placeOfKey(found.key);
  if (place === null) return refused("Nothing is known about where it is held.");
  if (drift !== null) {
    const given = { decisionId: decision.id, heir: PERSON };
    const made = await giveTrades(deps.live, drift, given, workingIds(deps));
    if (!made.ok) return refused(`Nothing was sent: ${made.detail}.`);
  }
  return await close(deps, place);
}

function whyFrozen({ cells, account }: LiveDeps): string | null {
  const { state, reason } = cells.cell(account, null);
  return state === "frozen" ? `trading is frozen: ${reason}` : null;
}

async function close(deps: SettleDeps, { symbol, leg }: Place): Promise<Settled> {
  const { live, parts } = deps;
  const closed = await closePerson({ live, parts }, { symbol, leg });
  await comparedAgain(deps);
  const where = placeOf({ symbol, leg });
  const sentence = closed.ok
    ? `${where}: what was found is closed.`
    : `${where}: not everything is closed: ${closed.detail}.`;
  live.note({
    kind: closed.ok ? "flatten_completed" : "flatten_incomplete",
    ...{ botId: null, at: live.clock.now(), sentence, fields: { symbol, leg } },
  });
  return closed.ok ? done(sentence) : refused(sentence);
}

/** Cancels an order that is a stranger's or a person's. */
export async function cancel(deps: SettleDeps, { order, kind }: Found): Promise<Settled> {
  if (order === null) return refused("Nothing is known about the order now.");
  const { report } = order;
  const text =
    kind === "known_order"
      ? await cancelPersons(deps, report)
      : await cancelStrangers(deps, report);
  await comparedAgain(deps);
  return text;
}

async function cancelStrangers(
  { live, parts }: SettleDeps,
  { symbol, exchangeOrderId: id, isTrigger }: OrderReport,
): Promise<Settled> {
  const answer = await parts.dispatcher.cancelStranger({ symbol, by: "exchange", id, isTrigger });
  if (answer.outcome === "withheld") return refused(`Nothing was cancelled: ${answer.sentence}.`);
  if (answer.outcome === "asked") {
    return done(`Order ${id}: ${answer.sentence}; it stays in the list until it is.`);
  }
  const { status, filledQty } = answer.order;
  if (status !== "cancelled") return done(`Order ${id} is over: the exchange says ${status}.`);
  const part =
    compare(filledQty, "0" as Decimal) > 0 ? ` ${filledQty} of it had been executed.` : "";
  const sentence = `Order ${id} of ${symbol}, placed by nobody here, is cancelled.${part}`;
  const note = { kind: "order_cancelled", botId: null, at: live.clock.now(), sentence } as const;
  live.note({ ...note, fields: { symbol, exchangeOrderId: id, filledQty } });
  return done(sentence);
}

/** An order that was taken over is one of ours: it is cancelled as those are. */
async function cancelPersons(
  { live, parts }: SettleDeps,
  { symbol, exchangeOrderId: id }: OrderReport,
): Promise<Settled> {
  const { account, store } = live;
  const alive = await store.aliveIntents(account.scope, account.accountId);
  const isIt = (one: StoredIntent) => one.symbol === symbol && one.exchangeOrderId === id;
  const intent = alive.find((one) => isIt(one) && isPersonsOrder(one));
  if (intent === undefined) return done(`Order ${id} does not work any more.`);
  const batch = { place: [], park: [], send: [], step: null, isFlatten: false };
  const report = await parts.dispatcher.dispatch({ ...batch, cancel: [intent] });
  if (!report.ok) return refused(`Nothing was cancelled: ${report.detail}.`);
  const [one] = report.cancelled;
  if (one?.outcome === "withheld") {
    return refused(`Nothing was cancelled: ${whyFrozen(live) ?? "the lease ends too soon"}.`);
  }
  return one?.outcome === "gone"
    ? done(`Order ${id} of ${symbol} is gone.`)
    : done(`Order ${id}: the exchange was asked; it stays in the list until it is gone.`);
}

/**
 * Ends what another worker began and told nobody of: what its rows took over stays so, what was to be closed is closed.
 * Rows that were committed are finished before.
 * @param found the finding of the decision; undefined when it is not there any more
 * @returns null when nothing was begun: then it is carried out from its beginning
 */
export async function endBegun(
  deps: SettleDeps,
  decision: Decision,
  found: Found | undefined,
): Promise<Settled | null> {
  const { choice, key } = decision;
  const [row] = await rowsOf(deps.live, decision.id);
  if (choice === "adopt" && row !== undefined) return await taken(deps, row);
  if (choice === "flatten" && row !== undefined) return await close(deps, row);
  if (found !== undefined) return null;
  if (choice === "cancel") return done("The order is not at the exchange any more.");
  const place = choice === "flatten" ? placeOfKey(key) : null;
  return place === null ? null : await close(deps, place);
}

async function taken(deps: SettleDeps, { owner }: StoredIntent): Promise<Settled> {
  const bot = deps.running().find((one) => ownerOf(one.bot) === owner)?.bot ?? null;
  await tellHeir(deps, bot);
  await comparedAgain(deps);
  return done(`It was taken over: it ${heirText(bot)}.`);
}

/** Where a person's position is held, by the key it was found under; null for other keys. */
function placeOfKey(key: string): Place | null {
  const leg = LEGS.find((each) => key.startsWith(knownKey({ symbol: "", leg: each })));
  if (leg === undefined) return null;
  return { symbol: key.slice(knownKey({ symbol: "", leg }).length), leg };
}

/** Entries wait or go on by what is there now, not by what was there before. */
async function comparedAgain({ live, parts }: SettleDeps): Promise<void> {
  const signal = AbortSignal.timeout(COMPARE_MS);
  await parts.reconciler.pass(signal).catch((error: unknown) => {
    live.log.warn("an account could not be compared after a decision", { error });
  });
}
