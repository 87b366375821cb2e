// What a person has to decide about an account: shows what the comparison found, remembers what is ignored, and hands
// decisions on. Asked by account-status.ts for figures and gates, and by account-commands.ts for what people want.
// Only the holder of the account's lease decides anything here.
import type { FindingView } from "../../model/live-figures.ts";
import type { EpochMs } from "../../model/time.ts";
import { type CarryOn, type CarryOnDeps, createCarryOn } from "./findings-carry-on.ts";
import { adoptText, choicesOf, type ChoiceFacts, heirsFor } from "./findings-choices.ts";
import { blocksOf, type Found } from "./findings-found.ts";
import { heirViews } from "./findings-heirs.ts";
import { type Ignored, readIgnored, type StoredIgnored, writeIgnored } from "./findings-ignored.ts";
import {
  adopt,
  cancel,
  type Decision,
  done,
  endBegun,
  flatten,
  refused,
  type Settled,
} from "./findings-settle.ts";
import type { LatchSettings } from "./limit-latch.ts";

export type { Decision, Settled } from "./findings-settle.ts";

/** What the findings work with. */
export type FindingsDeps = CarryOnDeps & { readonly settings: LatchSettings };

/** The findings of an account. */
export type Findings = {
  /** Reads what is ignored, forgets what is not found any more, ends what another worker began. Never throws. */
  look(): Promise<void>;
  /** Everything that is found, for pages. */
  now(at: EpochMs): readonly FindingView[];
  /** Why entries of a market wait; null when nothing is found or everything found is ignored. */
  block(symbol: string): string | null;
  /** The findings that keep entries waiting. */
  open(): readonly Found[];
  /** Carries out a decision. @throws when it is not known how far it came: the next look ends it */
  settle(decision: Decision): Promise<Settled>;
};

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
  const carryOn: CarryOn = createCarryOn(deps, (decision) => settleAgain(deps, book, decision));
  return {
    async look() {
      await look(deps, book);
      await carryOn.look();
    },
    now: (at) => views(deps, book, at),
    open,
    block: (symbol) => blocksOf(open(), deps.parts.markets.keys()).get(symbol) ?? null,
    async settle(decision) {
      try {
        return await settle(deps, book, decision);
      } catch (error) {
        carryOn.hasFailed();
        throw error;
      }
    },
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

function factsOf({ live, parts, running }: FindingsDeps, book: Book, one: Found): ChoiceFacts {
  return {
    all: parts.reconciler.found(),
    running: running(),
    isIgnored: ignoredOf(book, one) !== null,
    hasPositions: live.broker.capabilities.leverage,
  };
}

function views(deps: FindingsDeps, book: Book, at: EpochMs): FindingView[] {
  const { since } = book;
  const running = deps.running();
  const all = deps.parts.reconciler.found();
  const keys = new Set(all.map(({ key }) => key));
  for (const key of since.keys()) if (!keys.has(key)) since.delete(key);
  return all.map((one) => {
    const { key, kind, symbol } = one;
    if (!since.has(key)) since.set(key, at);
    const ignored = ignoredOf(book, one);
    const choices = choicesOf(one, factsOf(deps, book, one));
    const sentence = ignored === null ? one.sentence : `${one.sentence}. ${ignoredText(ignored)}`;
    const view = { key, kind, symbol, sentence, choices, since: since.get(key) ?? at };
    if (!choices.includes("adopt")) return view;
    const heirs = heirsFor(one, running);
    return { ...view, heirs: heirViews(heirs), adoption: adoptText(one, heirs[0] ?? null) };
  });
}

function ignoredText({ by, at }: Ignored): string {
  const when = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  return `Ignored by ${by} since ${when} UTC: entries go on until the difference changes`;
}

function foundFor({ parts }: FindingsDeps, { key }: Decision): Found | undefined {
  return parts.reconciler.found().find((one) => one.key === key);
}

/** What another worker began comes first: nothing of it is done twice. */
async function settleAgain(deps: FindingsDeps, book: Book, decision: Decision): Promise<Settled> {
  const begun = await endBegun(deps, decision, foundFor(deps, decision));
  return begun ?? (await settle(deps, book, decision));
}

async function settle(deps: FindingsDeps, book: Book, decision: Decision): Promise<Settled> {
  const found = foundFor(deps, decision);
  if (found === undefined) return refused("It is not found any more: it settled, or it changed.");
  const { choice, actor } = decision;
  if (!choicesOf(found, factsOf(deps, book, found)).includes(choice)) {
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
      const rest = list.filter(({ key }) => key !== found.key);
      const problem = await keep(deps, book, rest);
      return problem === null ? done("It keeps entries waiting again.") : refused(problem);
    }
    case "adopt":
      return await adopt(deps, found, decision);
    case "flatten":
      return await flatten(deps, found, decision);
    case "cancel":
      return await cancel(deps, found);
  }
}
