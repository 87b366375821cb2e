// The demo of a workspace: an account on the exchange inside the product, a backtest on its candles and a bot
// that trades. Built by src/demo.ts, asked by the first page and /demo. Every step finds what an earlier one
// left, so beginning again goes on. It touches nothing that is not of mode or exchange `demo`.
import { DEMO_EXCHANGE } from "../../model/demo-exchange.ts";
import type { Decimal } from "../../model/decimal.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import { DAY_MS, type EpochMs } from "../../model/time.ts";
import { gridFloor } from "../../model/timeframe-grid.ts";
import type { PositionSide } from "../../model/order.ts";
import type { Scope, WorkspaceId } from "../../ports/access-store.ts";
import type { AccountStore, TradingAccount } from "../../ports/account-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Bot, BotStore } from "../../ports/bot-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DemoStore } from "../../ports/demo-store.ts";
import type { InstrumentRecord } from "../../ports/instrument-store.ts";
import type { Log } from "../../ports/log.ts";
import type { RunId } from "../../ports/run-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { TradingStore } from "../../ports/trading-store.ts";
import { DCA_ATR } from "../../strategy/dca-atr/dca-atr.ts";
import {
  DEMO_CONFIG_NAME,
  DEMO_TIMEFRAME_MIN,
  demoConfig,
} from "../../strategy/dca-atr/demo-config.ts";
import { OPENING_DEPOSIT } from "../live/demo-opening.ts";
import type { Candles } from "../research/candles.ts";
import type { Markets } from "../research/markets.ts";
import type { RunList } from "../research/run-list.ts";
import type { RunProgress, Runs } from "../research/runs.ts";
import { type Actor, noteAct } from "./actor.ts";
import { createWatch, type Watch } from "./bot-watch.ts";
import { createPresence } from "./demo-presence.ts";
import { demoRunIds, type WipeOutcome, wipeDemo } from "./demo-wipe.ts";
import type { TradingAccounts } from "./trading-accounts.ts";

/** The newest position of the demo. */
export type DemoTrade = {
  readonly positionSide: PositionSide;
  readonly symbol: string;
  readonly openedAt: EpochMs;
  readonly entryQty: Decimal;
  /** Price × quantity of what went in. */
  readonly entryCost: Decimal;
  /** From the bot's making to this opening. */
  readonly afterMs: number;
};

/** How far the demo is; parts that are not there yet are null. */
export type DemoState = {
  readonly account: Pick<TradingAccount, "id" | "name">;
  readonly run: (RunProgress & { readonly id: RunId }) | null;
  readonly bot: Bot | null;
  readonly trade: DemoTrade | null;
};

/** Why the demo could not be begun, as a sentence. */
export type BeginRefusal = "not_made";

/** The demo of each workspace. */
export type Demo = {
  /** Null while the workspace has no demo account. */
  state(scope: Scope): Promise<DemoState | null>;
  /** Hears the state every other second until called off. */
  readonly watch: Watch<DemoState | null>;
  /** Makes what is not there yet and starts the bot. */
  begin(actor: Actor): Promise<Result<DemoState, BeginRefusal>>;
  /** Removes everything of the demo; again goes on where it was left. @param typed must be WIPE_WORD */
  wipe(actor: Actor, typed: string): Promise<WipeOutcome>;
  /** Whether a workspace shows invented prices; from memory, at most seconds old. */
  isPresent(workspaceId: WorkspaceId): boolean;
  /** Runs the exchange when any workspace has a demo account: at the start of the program. */
  resume(): Promise<void>;
};

/** What the demo is built from. */
export type DemoDeps = {
  /** Runs the exchange inside the product, unless it runs. */
  readonly openExchange: () => Promise<unknown>;
  readonly store: DemoStore;
  readonly accounts: AccountStore;
  readonly tradingAccounts: Pick<TradingAccounts, "remove">;
  readonly bots: BotStore;
  readonly trading: Pick<TradingStore, "cycles">;
  readonly runs: Pick<Runs, "request" | "progress" | "cancel" | "remove">;
  readonly runList: Pick<RunList, "page">;
  readonly candles: Pick<Candles, "list" | "remove">;
  readonly markets: Pick<Markets, "normalise" | "fetch">;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
  readonly log: Log;
};

const ACCOUNT_NAME = "Demo";
const BOT_NAME = "Demo bot";
const RUN_NAME = `Demo backtest (${DEMO_CONFIG_NAME})`;
const SYMBOL = "PERP_BTC_USDT";
/** History of the backtest; more would only keep the newcomer waiting. */
const HISTORY_DAYS = 7;
const LEVERAGE = 5;
const RULES_LIMIT_MS = 10_000;
/** Names that are tried before giving up: somebody may use the first ones for something else. */
const NAMES_MAX = 20;

/** Builds the service. */
export function createDemo(deps: DemoDeps): Demo {
  const presence = createPresence(deps);
  const running = new Map<WorkspaceId, Promise<unknown>>();
  const state = (scope: Scope) => readState(deps, scope);

  /** One after the other within a workspace: a second click finds what the first one made. */
  async function inTurn<T>({ scope }: Actor, work: () => Promise<T>): Promise<T> {
    const { workspaceId } = scope;
    const before = running.get(workspaceId) ?? Promise.resolve();
    const mine = before.then(work, work);
    running.set(workspaceId, mine);
    try {
      return await mine;
    } finally {
      if (running.get(workspaceId) === mine) running.delete(workspaceId);
      await presence.refresh();
    }
  }

  return {
    state,
    watch: createWatch({ read: state, clock: deps.clock, log: deps.log }),
    begin: (actor) => inTurn(actor, () => begin(deps, actor)),
    wipe: (actor, typed) => inTurn(actor, () => wipeDemo(deps, actor, typed)),
    isPresent: presence.isPresent,
    async resume() {
      await presence.refresh();
      if (presence.isAnywhere()) await deps.openExchange();
    },
  };
}

async function readState(deps: DemoDeps, scope: Scope): Promise<DemoState | null> {
  const account = await findAccount(deps, scope);
  if (!account) return null;
  const bot = await findBot(deps, scope, account);
  const id = bot?.runId ?? (await findRun(deps, scope));
  const progress = id === null ? null : await deps.runs.progress(scope, id);
  const [cycle] = bot ? await deps.trading.cycles(scope, account.id, 1) : [];
  return {
    account,
    run: id !== null && progress ? { id, ...progress } : null,
    bot,
    trade: bot && cycle ? { ...cycle, afterMs: cycle.openedAt - bot.createdAt } : null,
  };
}

/** The oldest one: the first that was made here. */
async function findAccount({ accounts }: DemoDeps, scope: Scope): Promise<TradingAccount | null> {
  const all = await accounts.list(scope);
  const demo = all.filter(({ mode }) => mode === "demo").sort((a, b) => a.id - b.id);
  return demo[0] ?? null;
}

async function findBot({ bots }: DemoDeps, scope: Scope, { id }: TradingAccount) {
  const all = await bots.list(scope, id);
  return all.toSorted((a, b) => a.id - b.id)[0] ?? null;
}

async function findRun(deps: DemoDeps, scope: Scope): Promise<RunId | null> {
  const [newest] = await demoRunIds(deps, scope, 1);
  return newest ?? null;
}

async function begin(deps: DemoDeps, actor: Actor): Promise<Result<DemoState, BeginRefusal>> {
  const { scope } = actor;
  try {
    await deps.openExchange();
  } catch (error) {
    deps.log.error("the demo exchange did not start", { error });
    return refuse("not_made", "the exchange inside Dragon did not start: the log says why");
  }
  const account = await ensureAccount(deps, actor);
  if (!account.ok) return account;
  const bot = await findBot(deps, scope, account.value);
  const run = bot?.runId ?? (await findRun(deps, scope));
  const asked = run === null && !bot ? await requestRun(deps, actor) : ok(run);
  if (!asked.ok) return asked;
  const made = bot ? ok(bot) : await makeBot(deps, actor, account.value, asked.value);
  if (!made.ok) return made;
  if (made.value.status === "created") {
    const wish = { status: "running" } as const;
    const wished = await deps.bots.wish(scope, made.value.id, wish, deps.clock.now());
    if (!wished.ok) return refuse("not_made", wished.detail);
  }
  const state = await readState(deps, scope);
  if (!state) return refuse("not_made", "the demo was removed while it was being made");
  return ok(state);
}

async function ensureAccount(
  deps: DemoDeps,
  actor: Actor,
): Promise<Result<TradingAccount, BeginRefusal>> {
  const { accounts, clock } = deps;
  const known = await findAccount(deps, actor.scope);
  if (known) return ok(known);
  for (let count = 1; count <= NAMES_MAX; count++) {
    const account = {
      name: numbered(ACCOUNT_NAME, count),
      exchangeId: "woox",
      mode: "demo",
    } as const;
    const made = await accounts.create(actor.scope, account, null, clock.now());
    if (made.ok) {
      const object = `account:${made.value.id}`;
      await noteAct(deps, actor, { action: "demo_begun", object, after: account });
      return ok(made.value);
    }
    if (made.reason !== "name_taken") return refuse("not_made", made.detail);
  }
  return refuse("not_made", namesUsed(ACCOUNT_NAME));
}

/** The first is plain, the others carry their number. */
function numbered(name: string, count: number): string {
  return count === 1 ? name : `${name} ${count}`;
}

function namesUsed(name: string): string {
  return `every name from ${name} to ${numbered(name, NAMES_MAX)} is taken: rename one of them`;
}

async function requestRun(deps: DemoDeps, actor: Actor): Promise<Result<RunId, BeginRefusal>> {
  const { markets, runs, clock } = deps;
  const market = markets.normalise(DEMO_EXCHANGE, SYMBOL, "perps");
  const rules = await markets.fetch(market, AbortSignal.timeout(RULES_LIMIT_MS));
  const to = gridFloor(clock.now(), DEMO_TIMEFRAME_MIN);
  const asked = await runs.request(actor, {
    name: RUN_NAME,
    market,
    config: demoConfig(),
    instrument: documentOf(rules),
    run: {
      timeframe_min: DEMO_TIMEFRAME_MIN,
      ...{ from: to - HISTORY_DAYS * DAY_MS, to },
      initial_balance: Number(OPENING_DEPOSIT),
      leverage: LEVERAGE,
    },
    withFunding: false,
    fetchMissing: true,
  });
  return asked.ok ? ok(asked.id) : refuse("not_made", asked.sentences.join("; "));
}

function documentOf(rules: InstrumentRecord): Json {
  return {
    symbol: rules.symbol,
    price_tick: rules.priceTick,
    qty_step: rules.qtyStep,
    min_qty: rules.minQty,
    min_notional: rules.minNotional,
    contract_size: rules.contractSize,
  };
}

async function makeBot(
  { bots, clock }: DemoDeps,
  { scope, user }: Actor,
  account: TradingAccount,
  runId: RunId | null,
): Promise<Result<Bot, BeginRefusal>> {
  const bot = {
    accountId: account.id,
    symbol: SYMBOL,
    timeframeMin: DEMO_TIMEFRAME_MIN,
    strategyName: DCA_ATR.name,
    strategyVersion: DCA_ATR.version,
    sides: ["long", "short"],
    config: {
      strategy: demoConfig(),
      ...{ allocation: OPENING_DEPOSIT, balanceCap: null, leverage: LEVERAGE },
      pauseMode: "exits_only",
      limits: {
        ...{ maxOrderQty: null, maxOrderNotional: null, maxOpenOrders: null },
        ...{ maxPositionNotional: null, maxDrawdownPct: null },
      },
    },
    runId,
  } as const;
  for (let count = 1; count <= NAMES_MAX; count++) {
    const name = numbered(BOT_NAME, count);
    const made = await bots.create(scope, { ...bot, name }, user.email, clock.now());
    if (made.ok) return made;
    if (made.reason !== "name_taken") return refuse("not_made", made.detail);
  }
  return refuse("not_made", namesUsed(BOT_NAME));
}
