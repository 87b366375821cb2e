// What a person has to decide about an account: shows what the comparison found, remembers what is ignored, and
// carries out the decisions. Asked by account-status.ts for figures and gates, and by account-commands.ts for what
// people want. Only the holder of the account's lease decides anything here.
import { compare, type Decimal, add } from "../../model/decimal.ts";
import { signedQty } from "../../model/leg-position.ts";
import type { FindingView } from "../../model/live-figures.ts";
import type { PositionSide } from "../../model/order.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Leg } from "../../model/trade-record.ts";
import type { StoredCommand } from "../../ports/command-store.ts";
import type { RunningBot } from "./account-bots.ts";
import type { AccountParts } from "./account-parts.ts";
import { giveTo, type Heir, heirOf } from "./findings-adopt.ts";
import { closePerson } from "./findings-flatten.ts";
import { blocksOf, type Found, type FoundDrift, OPERATOR } from "./findings-found.ts";
import { type Ignored, readIgnored, type StoredIgnored, writeIgnored } from "./findings-ignored.ts";
import type { LatchSettings } from "./limit-latch.ts";
import type { LiveDeps } from "./live-types.ts";

/** What the findings work with. */
export type FindingsDeps = {
  readonly live: LiveDeps;
  readonly parts: AccountParts;
  readonly settings: LatchSettings;
  readonly running: () => readonly RunningBot[];
};

/** What came of a decision, in one sentence. */
export type Settled = { readonly outcome: string; readonly isRefused: boolean };

type Choice = FindingView["choices"][number];

/** A person's decision. */
export type Decision = {
  readonly key: string;
  readonly choice: Choice;
  readonly actor: StoredCommand["actor"];
};

/** The findings of an account. */
export type Findings = {
  /** Reads what is ignored, and forgets what is not found any more. Never throws. */
  look(): Promise<void>;
  /** Everything that is found, for pages. */
  now(at: EpochMs): readonly FindingView[];
  /** Why entries of a market wait; null when nothing is found or everything found is ignored. */
  block(symbol: string): string | null;
  /** The findings that keep entries waiting. */
  open(): readonly Found[];
  settle(decision: Decision): Promise<Settled>;
};

const ZERO = "0" as Decimal;
const done = (outcome: string): Settled => ({ outcome, isRefused: false });
const refused = (outcome: string): Settled => ({ outcome, isRefused: true });

type Book = {
  /** Null until it was read: nothing is ignored then. */
  ignored: StoredIgnored | null;
  /** The last read failed and was told. */
  hasFailed: boolean;
  readonly since: Map<string, EpochMs>;
};

/** Nothing is ignored before the settings were read. */
export function createFindings(deps: FindingsDeps): Findings {
  const book: Book = { ignored: null, hasFailed: false, since: new Map() };
  const found = () => deps.parts.reconciler.found();
  const open = () => found().filter((one) => one.isBlocking && ignoredOf(book, one) === null);
  return {
    look: () => look(deps, book),
    now: (at) => views(deps, book, at),
    open,
    block: (symbol) => blocksOf(open(), deps.parts.markets.keys()).get(symbol) ?? null,
    settle: (decision) => settle(deps, book, decision),
  };
}

function ignoredOf({ ignored }: Book, { key }: Pick<Found, "key">): Ignored | null {
  return ignored?.list.find((one) => one.key === key) ?? null;
}

/** What is ignored ends with the difference it was about. */
async function look(deps: FindingsDeps, book: Book): Promise<void> {
  const { scope, accountId } = deps.live.account;
  try {
    book.ignored ??= await readIgnored(deps.settings, scope, accountId);
  } catch (error) {
    // Nothing is ignored then, which is the safe side; what protects positions goes on.
    if (!book.hasFailed) deps.live.log.warn("ignored findings could not be read", { error });
    book.hasFailed = true;
    return;
  }
  book.hasFailed = false;
  const { reconciler } = deps.parts;
  if (!reconciler.isClean()) return;
  const keys = new Set(reconciler.found().map(({ key }) => key));
  const list = book.ignored.list.filter(({ key }) => keys.has(key));
  if (list.length < book.ignored.list.length) await keep(deps, book, list);
}

/** @returns the sentence that says why it was not written; null when it was */
async function keep(
  { live, settings }: FindingsDeps,
  book: Book,
  list: readonly Ignored[],
): Promise<string | null> {
  const { scope, accountId } = live.account;
  const stored = { list, revision: book.ignored?.revision ?? 0 };
  const written = await writeIgnored(settings, scope, accountId, stored, live.clock.now());
  if (written.ok) {
    book.ignored = written.value;
    return null;
  }
  // Somebody else wrote: what is stored now counts.
  if (written.reason === "revision_changed") book.ignored = null;
  return written.detail;
}

function views(deps: FindingsDeps, book: Book, at: EpochMs): FindingView[] {
  const { since } = book;
  const all = deps.parts.reconciler.found();
  const keys = new Set(all.map(({ key }) => key));
  for (const key of since.keys()) if (!keys.has(key)) since.delete(key);
  return all.map((one) => {
    const { key, kind, symbol } = one;
    if (!since.has(key)) since.set(key, at);
    const ignored = ignoredOf(book, one);
    const choices = choicesOf(one, ignored !== null, canClose(deps, one));
    const parts = [one.sentence];
    if (choices.includes("adopt")) parts.push(adoptText(deps, one));
    if (ignored !== null) parts.push(ignoredText(ignored));
    return { key, kind, symbol, sentence: parts.join(". "), since: since.get(key) ?? at, choices };
  });
}

function ignoredText({ by, at }: Ignored): string {
  const when = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  return `Ignored by ${by} since ${when} UTC: entries go on until the difference changes`;
}

function adoptText(deps: FindingsDeps, { drift }: Found): string {
  if (drift === null) return "";
  const { bot } = heirFor(deps, drift);
  return bot === null
    ? "Taking it over books it as a person's position, which no bot uses or protects"
    : `Taking it over gives it to the bot ${bot.name}, which protects it with its stop`;
}

/** Only what really works is offered. */
function choicesOf(
  { kind, drift }: Found,
  isIgnored: boolean,
  isClosable: boolean,
): readonly Choice[] {
  if (kind === "known_position") return isClosable ? ["flatten"] : [];
  const alone: Choice = isIgnored ? "heed" : "ignore";
  if (kind === "stranger_order") return [alone];
  if (kind !== "position_drift" || drift === null || drift.difference === null) return [];
  if (compare(drift.difference, ZERO) === 0) return [];
  // Without trade records there is nothing that could be given to anybody, or be closed as known.
  if (drift.between === "exchange") return drift.isSure ? [alone] : [];
  return isClosable ? ["adopt", alone, "flatten"] : ["adopt", alone];
}

/** Closing makes the account smaller: what is too much must point the way the account does. */
function canClose({ live, parts }: FindingsDeps, { kind, symbol, drift }: Found): boolean {
  if (!live.broker.capabilities.leverage) return false;
  // While an order of a stranger works, what is closed now may be there again at once.
  const isMoving = parts.reconciler
    .found()
    .some((one) => one.kind === "stranger_order" && one.symbol === symbol);
  if (kind === "known_position") return true;
  if (drift === null || drift.difference === null || isMoving) return false;
  const { difference, accountQty } = drift;
  const sign = compare(difference, ZERO);
  return sign === compare(accountQty, ZERO) && compare(accountQty, difference) * sign >= 0;
}

function heirFor(deps: FindingsDeps, drift: FoundDrift): Heir {
  const known = knownKey(drift);
  const isHeld = deps.parts.reconciler.found().some(({ key }) => key === known);
  return heirOf(drift, deps.running(), isHeld);
}

function knownKey({ leg, symbol }: { readonly leg: Leg; readonly symbol: string }): string {
  return `known ${leg} ${symbol}`;
}

async function settle(deps: FindingsDeps, book: Book, decision: Decision): Promise<Settled> {
  const found = deps.parts.reconciler.found().find(({ key }) => key === decision.key);
  if (found === undefined) return refused("It is not found any more: it settled, or it changed.");
  const ignored = ignoredOf(book, found);
  const { choice, actor } = decision;
  if (!choicesOf(found, ignored !== null, canClose(deps, found)).includes(choice)) {
    return refused("This is not possible for this finding now.");
  }
  const list = book.ignored?.list ?? [];
  switch (choice) {
    case "ignore": {
      if (book.ignored === null) return refused("The settings could not be read yet.");
      const entry = { key: found.key, by: actor, at: deps.live.clock.now() };
      const problem = await keep(deps, book, [...list, entry]);
      return problem === null ? done("It is ignored until it changes.") : refused(problem);
    }
    case "heed": {
      const problem = await keep(
        deps,
        book,
        list.filter(({ key }) => key !== found.key),
      );
      return problem === null ? done("It keeps entries waiting again.") : refused(problem);
    }
    case "adopt":
      return await adopt(deps, found);
    case "flatten":
      return await flatten(deps, found);
    case "cancel":
      return refused("Orders of others are never cancelled here.");
  }
}

async function adopt(deps: FindingsDeps, { drift }: Found): Promise<Settled> {
  if (drift === null || drift.difference === null) return refused("The difference is not known.");
  const heir = heirFor(deps, drift);
  const given = await giveTo(deps.live, drift, heir, await sideFor(deps, drift, heir));
  if (!given.ok) return refused(`It was not taken over: ${given.detail}.`);
  for (const { bot, runner } of deps.running()) {
    if (bot.id === heir.bot?.id && runner?.isRestored()) await runner.onRows();
  }
  await comparedAgain(deps);
  const whose =
    heir.bot === null ? "a person's position" : `a position of the bot ${heir.bot.name}`;
  return done(`${drift.difference} ${drift.symbol} are ${whose} now.`);
}

/** The side the heir holds; the one it comes to hold when it holds nothing. */
async function sideFor(
  { live }: FindingsDeps,
  { symbol, leg, difference }: FoundDrift,
  { owner }: Heir,
): Promise<PositionSide> {
  if (leg !== "net") return leg;
  const { store, account } = live;
  const holdings = await store.holdings(account.scope, account.accountId);
  const held = holdings.find((one) => {
    return one.symbol === symbol && one.leg === leg && one.holder === owner;
  });
  const signed = held === undefined ? ZERO : signedQty(held.position);
  const shown = compare(signed, ZERO) === 0 ? add(signed, difference ?? ZERO) : signed;
  return compare(shown, ZERO) < 0 ? "short" : "long";
}

/** First it becomes known as a person's, so that its closing is one of ours from begin to end. */
async function flatten(deps: FindingsDeps, found: Found): Promise<Settled> {
  const { live, parts } = deps;
  const { state, reason } = live.cells.cell(live.account, null);
  if (state === "frozen") return refused(`Nothing was sent: trading is frozen: ${reason}.`);
  const { drift } = found;
  const place = drift ?? placeOf(found);
  if (place === null) return refused("Nothing is known about where it is held.");
  if (drift !== null) {
    const person: Heir = { owner: OPERATOR, bot: null };
    const given = await giveTo(live, drift, person, await sideFor(deps, drift, person));
    if (!given.ok) return refused(`Nothing was sent: ${given.detail}.`);
  }
  const closed = await closePerson({ live, parts }, place);
  await comparedAgain(deps);
  const sentence = closed.ok
    ? `${place.symbol}: what was found is closed.`
    : `${place.symbol}: not everything is closed: ${closed.detail}.`;
  live.note({
    kind: closed.ok ? "flatten_completed" : "flatten_incomplete",
    ...{ botId: null, at: live.clock.now(), sentence, fields: { symbol: place.symbol } },
  });
  return closed.ok ? done(sentence) : refused(sentence);
}

function placeOf({ key, symbol }: Found): { readonly symbol: string; readonly leg: Leg } | null {
  const legs = ["net", "long", "short"] as const;
  if (symbol === null) return null;
  const leg = legs.find((each) => knownKey({ leg: each, symbol }) === key);
  return leg === undefined ? null : { symbol, leg };
}

/** Entries wait or go on by what is there now, not by what was there before. */
async function comparedAgain({ live, parts }: FindingsDeps): Promise<void> {
  const signal = AbortSignal.timeout(COMPARE_MS);
  await parts.reconciler.pass(signal).catch((error: unknown) => {
    live.log.warn("an account could not be compared after a decision", { error });
  });
}

const COMPARE_MS = 20_000;
