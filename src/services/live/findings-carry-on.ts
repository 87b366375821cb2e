// Decisions about findings that a worker took and never ended, because it died or its database was away: the next one
// carries them on, each once. Looked at with every tick by findings.ts. What was never begun and has waited too long is
// left to the command store, which refuses it.
import type { CommandStore, StoredCommand } from "../../ports/command-store.ts";
import { finishGiven, rowsOf } from "./findings-adopt.ts";
import { OPERATOR } from "./findings-found.ts";
import type { Decision, Settled, SettleDeps } from "./findings-settle.ts";
import { isInFlight } from "./reconcile-reads.ts";

/** What carrying on works with. */
export type CarryOnDeps = SettleDeps & {
  readonly commands: Pick<CommandStore, "recent" | "finish">;
};

/** Carries on for one lease. */
export type CarryOn = {
  /** Never throws: what does not succeed is tried again with the next look. */
  look(): Promise<void>;
  /** A decision of this worker did not end: its rows are finished at the next look. */
  hasFailed(): void;
};

type SettleCommand = StoredCommand & {
  readonly command: Extract<StoredCommand["command"], { readonly kind: "settle_finding" }>;
};

type Pending = {
  readonly stored: SettleCommand;
  /** Rows say that it was begun: it is ended whatever the time. */
  readonly isBegun: boolean;
};

type Book = {
  /** Rows that were committed are finished. */
  areRowsDone: boolean;
  /** The last look failed and was told. */
  hasWarned: boolean;
  /** Null until the commands of before were read. */
  pending: Pending[] | null;
  looks: number;
};

/** Commands looked through for those that were not ended. */
const RECENT_MAX = 100;
/** As long as a command may wait for its worker. */
const BEGIN_MAX_MS = 60_000;
/** What was begun longer ago is left to a person: the market is another one. */
const CARRY_ON_MAX_MS = 10 * 60_000;
/** Bots are driven first: what protects positions waits for nobody. */
const LOOKS_FIRST = 2;

/** Nothing is read yet. @param settle ends a decision, or carries it out when nothing of it was begun */
export function createCarryOn(
  deps: CarryOnDeps,
  settle: (decision: Decision) => Promise<Settled>,
): CarryOn {
  const book: Book = { areRowsDone: false, hasWarned: false, pending: null, looks: 0 };
  return {
    async look() {
      book.looks += 1;
      try {
        await look(deps, book, settle);
        book.hasWarned = false;
      } catch (error) {
        // What it had written down by then is finished before anything else.
        book.areRowsDone = false;
        const { log } = deps.live;
        if (!book.hasWarned) log.warn("a decision could not be carried on yet", { error });
        book.hasWarned = true;
      }
    },
    hasFailed() {
      book.areRowsDone = false;
    },
  };
}

async function look(
  deps: CarryOnDeps,
  book: Book,
  settle: (decision: Decision) => Promise<Settled>,
): Promise<void> {
  // Before this worker takes any command itself: whatever is begun now was begun by another one.
  book.pending ??= await unended(deps);
  if (!book.areRowsDone) {
    const finished = await finishGiven(deps.live);
    book.areRowsDone = true;
    if (finished > 0) noteFinished(deps, finished);
  }
  if (book.looks < LOOKS_FIRST) return;
  for (const one of [...book.pending]) {
    if (!(await isOver(deps, one))) {
      if (!(await isReady(deps, one))) return;
      await carryOut(deps, one.stored, settle);
    }
    book.pending = book.pending.filter((other) => other !== one);
  }
}

function noteFinished({ live }: CarryOnDeps, orders: number): void {
  const what = orders === 1 ? "An order" : `${orders} orders`;
  const sentence = `${what} somebody was taking over when it was interrupted: booked now.`;
  const at = live.clock.now();
  live.note({ kind: "command_done", botId: null, at, sentence, fields: { orders } });
}

/** Commands nobody ended, oldest first. */
async function unended({ live, commands }: CarryOnDeps): Promise<Pending[]> {
  const { scope, accountId } = live.account;
  const recent = await commands.recent(scope, { accountId, botId: null, limit: RECENT_MAX });
  const open = recent.filter(isOpenDecision).reverse();
  const pending: Pending[] = [];
  for (const stored of open) {
    const isBegun = await wasBegun({ live }, stored);
    const isFresh = live.clock.now() - stored.at <= BEGIN_MAX_MS;
    if (isBegun || isFresh) pending.push({ stored, isBegun });
  }
  return pending;
}

function isOpenDecision(stored: StoredCommand): stored is SettleCommand {
  return stored.command.kind === "settle_finding" && stored.doneAt === null;
}

/** Whether rows tell of it: what it took over, or an order that closes what a person holds. */
async function wasBegun(
  { live }: Pick<CarryOnDeps, "live">,
  { id, at, command }: SettleCommand,
): Promise<boolean> {
  if ((await rowsOf(live, id)).length > 0) return true;
  if (command.choice !== "flatten") return false;
  const { scope, accountId } = live.account;
  const closings = await live.store.recentIntents(scope, accountId, {
    ...{ owner: OPERATOR, limit: RECENT_MAX },
  });
  return closings.some(({ purpose, symbol, sentAt }) => {
    const isOfIt = purpose === "flatten" && command.findingKey.endsWith(` ${symbol}`);
    return isOfIt && sentAt !== null && sentAt >= at;
  });
}

/** Whether somebody else ended it meanwhile, or too much time went by. */
async function isOver({ live, commands }: CarryOnDeps, { stored, isBegun }: Pending) {
  if (live.clock.now() - stored.at > CARRY_ON_MAX_MS) return true;
  if (isBegun) return false;
  const { scope, accountId } = live.account;
  const recent = await commands.recent(scope, { accountId, botId: null, limit: RECENT_MAX });
  return !recent.some(({ id, doneAt }) => id === stored.id && doneAt === null);
}

/** Whether everything is known that it is judged by: the account, bots that may inherit, closings in doubt. */
async function isReady(
  { live, parts, running }: CarryOnDeps,
  { stored }: Pending,
): Promise<boolean> {
  if (!parts.reconciler.isClean()) return false;
  const isRead = running().every(({ bot, runner }) => {
    return bot.status === "error" || runner?.isRestored() === true;
  });
  if (stored.command.choice === "adopt" && !isRead) return false;
  const alive = await live.store.aliveIntents(live.account.scope, live.account.accountId);
  return !alive.some((one) => one.owner === OPERATOR && isInFlight(one));
}

async function carryOut(
  { live, commands }: CarryOnDeps,
  { id, botId, command, actor }: SettleCommand,
  settle: (decision: Decision) => Promise<Settled>,
): Promise<void> {
  const { findingKey: key, choice, heir } = command;
  const named = heir === undefined ? {} : { heir };
  const end = await settle({ id, key, choice, actor, ...named });
  const at = live.clock.now();
  // The store may have given it up meanwhile: what came of it stands in the events all the same.
  await commands.finish(live.account.scope, live.lease.guard, id, end, at);
  live.note({
    kind: end.isRefused ? "command_refused" : "command_done",
    ...{ botId, at, fields: { command: command.kind } },
    sentence: `${actor}, carried on after a restart: ${end.outcome}`,
  });
}
