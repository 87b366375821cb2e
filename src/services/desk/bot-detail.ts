// One bot for its page: how it stands, where its numbers come from, its orders, ledger, events and configuration,
// and what a person may ask of it. Built by src/bot-detail.ts, used by web/routes/bot*.tsx. It reads rows and
// writes wishes; nothing here reaches an exchange's private side.
import { settleAssetOf } from "../../model/instrument.ts";
import type { Severity } from "../../model/bot.ts";
import type { AccountFigures } from "../../model/live-figures.ts";
import type { LedgerKind } from "../../model/ledger.ts";
import { DAY_MS, type EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountStore } from "../../ports/account-store.ts";
import type { BotLedgerStore, LedgerPlace, LedgerRow } from "../../ports/bot-ledger-store.ts";
import type { Bot, BotId, BotStore, ConfigVersion, StoredEvent } from "../../ports/bot-store.ts";
import type { CommandStore, StoredCommand } from "../../ports/command-store.ts";
import type { ControlStore, ScopeState } from "../../ports/control-store.ts";
import type { OrderFills, StoredCycle, TradingStore } from "../../ports/trading-store.ts";
import { type Actor, type FieldRefusal, refuseField } from "./actor.ts";
import { type ActionPreview, previewAction, type TypedAction } from "./bot-actions.ts";
import { type BotChart, botChart, type BotChartDeps } from "./bot-chart.ts";
import { type BotChanges, createBotChanges } from "./bot-changes.ts";
import { diagnosticsOf } from "./bot-diagnostics.ts";
import { accountFiguresOf, type BotRow, overviewOf } from "./bot-overview.ts";
import { type BotPnl, ownerOfBot, readPnl } from "./bot-pnl.ts";

/** How a bot stands at one instant. */
export type BotStanding = {
  readonly at: EpochMs;
  readonly row: BotRow;
  readonly account: AccountFigures | null;
  /** Who showed the figures last; null before anybody did. */
  readonly worker: string | null;
  /** Settle asset of every amount. */
  readonly asset: string;
  readonly pnl: BotPnl;
  /** The bot's own trading state; null while nobody ever set one. */
  readonly state: ScopeState | null;
  /** Newest first. */
  readonly commands: readonly StoredCommand[];
};

/** Which events are shown; newest first. */
export type EventFilter = {
  readonly severities: readonly Severity[] | null;
  readonly beforeId: number | null;
};

/** Details of the bots of a workspace; those of another do not exist for the caller. */
export type BotDetail = BotChanges & {
  now(): EpochMs;
  find(scope: Scope, id: BotId): Promise<Bot | null>;
  standing(scope: Scope, bot: Bot): Promise<BotStanding>;
  /** Hears how a bot stands every other second until called off; null once it is gone. */
  watch(
    scope: Scope,
    id: BotId,
    listener: (standing: BotStanding | null) => Promise<void>,
  ): () => void;
  /** The newest orders with their fills, newest first. */
  orders(scope: Scope, bot: Bot): Promise<readonly OrderFills[]>;
  /** Round trips, newest first. */
  cycles(scope: Scope, bot: Bot): Promise<readonly StoredCycle[]>;
  /** A page of the ledger with running sums, newest first; one row more than a page when there are more. */
  ledger(
    scope: Scope,
    bot: Bot,
    kinds: readonly LedgerKind[] | null,
    before: LedgerPlace | null,
  ): Promise<readonly LedgerRow[]>;
  /** A page of events; one more than a page when there are more. */
  events(scope: Scope, bot: Bot, filter: EventFilter): Promise<readonly StoredEvent[]>;
  versions(scope: Scope, bot: Bot): Promise<readonly ConfigVersion[]>;
  chart(scope: Scope, bot: Bot): Promise<BotChart>;
  /** Everything somebody needs who is to help, as text; no secrets. */
  diagnostics(scope: Scope, bot: Bot): Promise<string>;
  /** What a typed action would do. */
  preview(
    scope: Scope,
    bot: Bot,
    typed: TypedAction,
  ): Promise<{ readonly ok: true; readonly value: ActionPreview } | FieldRefusal>;
  /** Leaves the action for the worker. */
  ask(
    actor: Actor,
    bot: Bot,
    typed: TypedAction,
  ): Promise<{ readonly ok: true; readonly command: StoredCommand } | FieldRefusal>;
};

/** What the service is built from. */
export type BotDetailDeps = BotChartDeps & {
  readonly bots: BotStore;
  readonly accounts: Pick<AccountStore, "list">;
  readonly trading: Pick<
    TradingStore,
    "totals" | "holdings" | "fills" | "recentIntents" | "orders" | "cycles" | "aliveIntents"
  >;
  readonly ledger: BotLedgerStore;
  readonly commands: Pick<CommandStore, "ask" | "recent">;
  readonly control: Pick<ControlStore, "read" | "setStates">;
};

/** Rows of a page of ledger or events. */
export const ROWS_SHOWN = 100;
const ORDERS_SHOWN = 100;
const CYCLES_READ = 1000;
const CYCLES_SHOWN = 50;
const COMMANDS_SHOWN = 10;
const LOUD_EVENTS_READ = 500;
const WATCH_EVERY_MS = 2000;
const DIAGNOSED_EVENTS = 50;

/** Builds the service. */
export function createBotDetail(deps: BotDetailDeps): BotDetail {
  const { bots, trading, ledger, clock } = deps;
  const standing = (scope: Scope, bot: Bot) => readStanding(deps, scope, bot);
  const preview = async (scope: Scope, bot: Bot, typed: TypedAction) => {
    const { row, pnl } = await standing(scope, bot);
    const contractSize = pnl.open[0]?.contractSize ?? null;
    return previewAction(bot, row.figures, contractSize, typed);
  };
  return {
    ...createBotChanges(deps),
    now: () => clock.now(),
    find: (scope, id) => bots.find(scope, id),
    standing,
    watch: (scope, id, listener) => watch(deps, scope, id, listener),
    orders: (scope, bot) => readOrders(deps, scope, bot),
    async cycles(scope, bot) {
      const all = await trading.cycles(scope, bot.accountId, CYCLES_READ);
      return all.filter(({ owner }) => owner === ownerOfBot(bot)).slice(0, CYCLES_SHOWN);
    },
    ledger: (scope, { accountId, id }, kinds, before) => {
      const owner = ownerOfBot({ id });
      return ledger.rows(scope, { accountId, owner, kinds, before, limit: ROWS_SHOWN + 1 });
    },
    events: (scope, { accountId, id: botId }, { severities, beforeId }) =>
      bots.events(scope, { accountId, botId, severities, beforeId, limit: ROWS_SHOWN + 1 }),
    versions: (scope, { id }) => bots.configVersions(scope, id),
    async chart(scope, bot) {
      return botChart(deps, scope, bot, (await standing(scope, bot)).row.figures);
    },
    async diagnostics(scope, bot) {
      const { accountId, id: botId } = bot;
      const query = { accountId, botId, severities: null, beforeId: null, limit: DIAGNOSED_EVENTS };
      const events = await bots.events(scope, query);
      return diagnosticsOf(await standing(scope, bot), events);
    },
    preview,
    async ask(actor, bot, typed) {
      const wanted = await preview(actor.scope, bot, typed);
      if (!wanted.ok) return wanted;
      const { command } = wanted.value;
      const { accountId, id: botId } = bot;
      const asked = { accountId, botId, command, actor: actor.user.email };
      const kept = await deps.commands.ask(actor.scope, asked, clock.now());
      return kept.ok ? { ok: true, command: kept.value } : refuseField("form", kept.detail);
    },
  };
}

async function readStanding(deps: BotDetailDeps, scope: Scope, bot: Bot): Promise<BotStanding> {
  const at = deps.clock.now();
  const { accountId, id: botId } = bot;
  const loud = {
    ...{ accountId, botId, beforeId: null, limit: LOUD_EVENTS_READ },
    severities: ["warning", "error"] as const,
  };
  const [accounts, snapshots, events, control, commands] = await Promise.all([
    deps.accounts.list(scope),
    deps.bots.snapshots(scope, accountId),
    deps.bots.events(scope, loud),
    deps.control.read(scope),
    deps.commands.recent(scope, { accountId, botId, limit: COMMANDS_SHOWN }),
  ]);
  const facts = {
    ...{ at, accounts, snapshots, bots: [bot], today: new Map() },
    events: events.filter((event) => event.at >= at - DAY_MS),
    hasMoreEvents: events.length === LOUD_EVENTS_READ,
  };
  const [row] = overviewOf(facts).rows;
  if (!row) throw new Error(`bot ${bot.id} has no row`);
  const state = control.states.find(
    (each) => each.scope.kind === "bot" && each.scope.botId === bot.id,
  );
  return {
    ...{ at, row, commands, state: state ?? null },
    account: accountFiguresOf(snapshots, accountId),
    worker: snapshots.find((each) => each.botId === botId)?.worker ?? null,
    asset: settleAssetOf(bot.symbol),
    pnl: await readPnl(deps, scope, bot, row.figures?.price ?? null),
  };
}

async function readOrders(
  { trading }: BotDetailDeps,
  scope: Scope,
  bot: Bot,
): Promise<readonly OrderFills[]> {
  const query = { owner: ownerOfBot(bot), limit: ORDERS_SHOWN };
  const recent = await trading.recentIntents(scope, bot.accountId, query);
  const orders = await trading.orders(
    scope,
    bot.accountId,
    recent.map(({ id }) => id),
  );
  return [...orders].reverse();
}

function watch(
  deps: BotDetailDeps,
  scope: Scope,
  id: BotId,
  listener: Parameters<BotDetail["watch"]>[2],
): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  const look = async () => {
    while (!signal.aborted) {
      try {
        await deps.clock.sleep(WATCH_EVERY_MS, signal);
        const bot = await deps.bots.find(scope, id);
        const seen = bot && (await readStanding(deps, scope, bot));
        if (!signal.aborted) await listener(seen);
      } catch (error) {
        if (!signal.aborted) deps.log.warn(`bot ${id} could not be read for a page`, { error });
      }
    }
  };
  void look();
  return () => stopped.abort(new Error("nobody looks any more"));
}
