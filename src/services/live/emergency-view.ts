// What a kill would do and how trading stands, as pages show it: states of every scope, orders and positions in its
// reach, closings under way, findings a person has to settle. Used by emergency.ts alone; it only reads.
import { isFinal } from "../../execution/order-machine.ts";
import { add, type Decimal } from "../../model/decimal.ts";
import { averageEntry } from "../../model/leg-position.ts";
import type { FindingView } from "../../model/live-figures.ts";
import type { PositionSide } from "../../model/order.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId, AccountStore, TradingAccount } from "../../ports/account-store.ts";
import type { Bot, BotStore, Snapshot } from "../../ports/bot-store.ts";
import type { ControlRows, ControlStore, TradingScope } from "../../ports/control-store.ts";
import type { SettingsStore } from "../../ports/settings-store.ts";
import type { StoredIntent, SymbolHolding, TradingStore } from "../../ports/trading-store.ts";
import { mustWithdraw, type TradingState } from "../../risk/trading-state.ts";
import { accountFiguresOf } from "../desk/bot-overview.ts";
import { readArmed } from "./armed-mark.ts";
import { covers, type KnownState, knownStates } from "./trading-scopes.ts";

/** How hard trading is stopped. */
export type KillLevel = "block" | "stop" | "flatten" | "freeze";

/** The state each level begins with; closing begins with no new entries and ends halted. */
export const LEVEL_STATES: Readonly<Record<KillLevel, TradingState>> = {
  block: "reducing",
  stop: "halted",
  flatten: "reducing",
  freeze: "frozen",
};

/** What a view reads. */
export type ViewDeps = {
  readonly control: Pick<ControlStore, "read">;
  readonly bots: Pick<BotStore, "list" | "snapshots">;
  readonly accounts: Pick<AccountStore, "list">;
  readonly trading: Pick<TradingStore, "aliveIntents" | "holdings">;
  readonly settings: Pick<SettingsStore, "read">;
};

/** Everything of a workspace, read once. */
export type TradingFacts = {
  readonly rows: Pick<ControlRows, "epoch"> & { readonly states: readonly KnownState[] };
  readonly accounts: readonly TradingAccount[];
  readonly bots: readonly Bot[];
};

/** An order in the reach of a kill. */
export type OrderInReach = Pick<
  StoredIntent,
  "symbol" | "side" | "purpose" | "qty" | "filledQty" | "clientOrderId"
> & {
  readonly id: number;
  readonly bot: string;
  /** Null for market orders. */
  readonly price: Decimal | null;
  /** Waiting here, not at the exchange. */
  readonly isParked: boolean;
};

/** A position in the reach of a kill. */
export type PositionInReach = {
  readonly symbol: string;
  readonly bot: string;
  readonly side: PositionSide;
  readonly qty: Decimal;
  readonly averageEntry: Decimal | null;
  /** Cost at entry, in quote currency. */
  readonly notional: Decimal;
  /** A protective stop rests at the exchange. */
  readonly isProtected: boolean;
};

/** What a level would do to a scope. */
export type EffectPreview = {
  /** Orders that are taken back. */
  readonly cancelled: readonly OrderInReach[];
  /** Orders that stay at the exchange and can still be executed. */
  readonly canStillFill: readonly OrderInReach[];
  readonly positions: readonly PositionInReach[];
  /** Sum of the positions' cost. */
  readonly notional: Decimal;
  readonly bots: number;
};

/** Something reconciliation found, with its account. */
export type OpenFinding = FindingView & {
  readonly accountId: AccountId;
  readonly account: string;
};

const ZERO = "0" as Decimal;
/** Accounts looked at; no workspace has more. */
const ACCOUNTS_MAX = 50;

/** Reads states, accounts and bots. */
export async function readFacts(deps: ViewDeps, scope: Scope): Promise<TradingFacts> {
  const [rows, accounts, bots] = await Promise.all([
    deps.control.read(scope),
    deps.accounts.list(scope),
    deps.bots.list(scope, null),
  ]);
  const armed = await armedOf(deps, scope, accounts);
  const states = knownStates(rows.states, { accounts, bots }, armed);
  return { rows: { epoch: rows.epoch, states }, accounts, bots };
}

/** Live accounts that somebody armed and nobody disarmed since. */
async function armedOf(
  { settings }: Pick<ViewDeps, "settings">,
  scope: Scope,
  accounts: readonly TradingAccount[],
): Promise<ReadonlySet<AccountId>> {
  const live = accounts.filter(({ mode }) => mode === "live").slice(0, ACCOUNTS_MAX);
  const marks = await Promise.all(live.map(({ id }) => readArmed(settings, scope, id)));
  return new Set(live.filter((_, n) => marks[n] !== null).map(({ id }) => id));
}

type Reach = { readonly orders: readonly StoredIntent[]; readonly held: readonly SymbolHolding[] };

/** What the bots of a scope hold and have at work. */
async function reachOf(
  { trading }: Pick<ViewDeps, "trading">,
  scope: Scope,
  bots: readonly Bot[],
): Promise<Reach> {
  const owners = new Set<string>(bots.map(({ id }) => `bot:${id}`));
  const orders: StoredIntent[] = [];
  const held: SymbolHolding[] = [];
  const accountIds = [...new Set(bots.map(({ accountId }) => accountId))].slice(0, ACCOUNTS_MAX);
  for (const accountId of accountIds) {
    const alive = await trading.aliveIntents(scope, accountId);
    orders.push(...alive.filter((each) => owners.has(each.owner) && !isFinal(each.status)));
    const holdings = await trading.holdings(scope, accountId);
    held.push(...holdings.filter(({ holder }) => owners.has(holder)));
  }
  return { orders, held };
}

/** Bots of a scope that hold something, have something at work or may still act. */
export async function botsToFlatten(
  deps: Pick<ViewDeps, "trading">,
  scope: Scope,
  bots: readonly Bot[],
): Promise<readonly Bot[]> {
  const { orders, held } = await reachOf(deps, scope, bots);
  const busy = new Set<string>([
    ...orders.map(({ owner }) => owner),
    ...held.map(({ holder }) => holder),
  ]);
  return bots.filter(
    ({ id, status, desiredStatus }) =>
      busy.has(`bot:${id}`) || status === "running" || desiredStatus === "running",
  );
}

/** What a level would do to a scope now. */
export async function effectOf(
  deps: ViewDeps,
  scope: Scope,
  of: TradingScope,
  level: KillLevel,
): Promise<EffectPreview> {
  const { bots } = await readFacts(deps, scope);
  const covered = bots.filter((bot) => covers(of, bot));
  const { orders, held } = await reachOf(deps, scope, covered);
  const state = LEVEL_STATES[level];
  const isTaken = ({ purpose }: StoredIntent) =>
    level === "flatten" || mustWithdraw(state, purpose);
  const nameOf = new Map<string, string>(covered.map(({ id, name }) => [`bot:${id}`, name]));
  const rowOf = (intent: StoredIntent) => orderRow(intent, nameOf.get(intent.owner) ?? "");
  const atExchange = ({ status }: StoredIntent) => status !== "parked" && status !== "planned";
  const positions = held.flatMap((holding) => {
    const { symbol, holder, position } = holding;
    const { positionSide: side, qty, cost } = position;
    if (side === null) return [];
    const isProtected = orders.some(
      (each) =>
        each.owner === holder &&
        each.symbol === symbol &&
        each.positionSide === side &&
        each.purpose === "protective_stop" &&
        atExchange(each),
    );
    const bot = nameOf.get(holder) ?? "";
    const average = averageEntry(position);
    return [{ symbol, bot, side, qty, averageEntry: average, notional: cost, isProtected }];
  });
  return {
    cancelled: level === "freeze" ? [] : orders.filter(isTaken).map(rowOf),
    canStillFill: orders
      .filter((each) => atExchange(each) && (level === "freeze" || !isTaken(each)))
      .map(rowOf),
    positions,
    notional: positions.reduce((sum, { notional }) => add(sum, notional), ZERO),
    bots: covered.length,
  };
}

function orderRow(intent: StoredIntent, bot: string): OrderInReach {
  const { id, symbol, side, purpose, qty, filledQty, clientOrderId, terms, status } = intent;
  const price =
    "triggerPrice" in terms ? terms.triggerPrice : "price" in terms ? terms.price : null;
  const isParked = status === "parked" || status === "planned";
  return { id, bot, symbol, side, purpose, qty, filledQty, clientOrderId, price, isParked };
}

/** What reconciliation found and a person has to settle, by account. */
export async function findingsOf(
  { bots }: Pick<ViewDeps, "bots">,
  scope: Scope,
  accounts: readonly TradingAccount[],
): Promise<readonly OpenFinding[]> {
  const snapshots: readonly Snapshot[] = await bots.snapshots(scope, null);
  return accounts.flatMap(({ id: accountId, name: account }) => {
    const figures = accountFiguresOf(snapshots, accountId);
    return (figures?.findings ?? []).map((finding) => ({ ...finding, accountId, account }));
  });
}
