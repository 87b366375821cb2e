// A bot drafted from a finished run: what the form shows while somebody types, and the bot or two bots that come
// of it. Part of the desk of bots.ts; nothing is stored before `create`, and then everything or nothing.
import { type LadderPreview, previewLadder } from "../../engine/ladder-preview.ts";
import type { RunSettings } from "../../engine/run-settings.ts";
import { compare } from "../../model/decimal.ts";
import { DEMO_EXCHANGE } from "../../model/demo-exchange.ts";
import type { Instrument } from "../../model/instrument.ts";
import type { AccountFigures } from "../../model/live-figures.ts";
import type { PositionSide } from "../../model/order.ts";
import { assert, InputError, ok, refuse, type Result } from "../../model/result.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountStore, TradingAccount } from "../../ports/account-store.ts";
import type { Bot, BotRefusal, BotStore, NewBot } from "../../ports/bot-store.ts";
import type { CandleSummary } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";
import type { Run, RunId } from "../../ports/run-store.ts";
import type { DcaAtrConfig } from "../../strategy/dca-atr/config.ts";
import { DCA_ATR } from "../../strategy/dca-atr/dca-atr.ts";
import type { BacktestDesk } from "../research/backtest-desk.ts";
import type { Markets } from "../research/markets.ts";
import { planOfStored, type RunPlan } from "../research/run-request.ts";
import type { Runs } from "../research/runs.ts";
import type { Actor } from "./actor.ts";
import {
  BOT_LEVERAGE_MAX,
  directionsFor,
  type DraftDirection,
  type DraftField,
  type DraftProblems,
  type DraftValues,
  PAIR_NAME_CHARS_MAX,
  readDraft,
  sidesOf,
  type TypedDraft,
} from "./bot-draft-fields.ts";
import { type DraftNote, draftNotes } from "./bot-draft-notes.ts";
import { accountFiguresOf } from "./bot-overview.ts";

/** What drafting needs. */
export type DraftDeps = {
  readonly bots: Pick<BotStore, "create" | "remove" | "wish" | "list" | "snapshots">;
  readonly accounts: Pick<AccountStore, "list">;
  readonly runs: Pick<Runs, "find">;
  readonly markets: Pick<Markets, "known">;
  readonly history: Pick<BacktestDesk, "series" | "latest">;
  readonly clock: Clock;
};

/** A draft as the form shows it. */
export type BotDraft = {
  readonly run: Run;
  readonly typed: TypedDraft;
  readonly problems: DraftProblems;
  readonly directions: readonly DraftDirection[];
  /** Active accounts that trade this kind of market. */
  readonly accounts: readonly TradingAccount[];
  readonly account: TradingAccount | null;
  /** Configuration with the chosen sides alone, and the money it would size by. */
  readonly config: DcaAtrConfig;
  readonly instrument: Instrument;
  readonly settings: RunSettings;
  /** Stored candles that tell the price; null without any. */
  readonly source: CandleSummary | null;
  readonly notes: readonly DraftNote[];
};

/** Why a run cannot become a bot. */
export type DraftRefusal = "unknown_run" | "not_usable";

/** The outcome of a creation: the bots, or a sentence for every refused field. */
export type CreateOutcome =
  | { readonly ok: true; readonly bots: readonly Bot[] }
  | { readonly ok: false; readonly reason: "refused"; readonly problems: DraftProblems }
  | { readonly ok: false; readonly reason: DraftRefusal; readonly detail: string }
  | { readonly ok: false; readonly reason: "no_more"; readonly detail: string };

/** The part of the desk that makes bots. */
export type BotDrafts = {
  /** @param typed the form so far; null for what the run suggests */
  draftFromRun(
    scope: Scope,
    id: RunId,
    typed: TypedDraft | null,
  ): Promise<Result<BotDraft, DraftRefusal>>;
  /** Two bots where both sides are wanted apart; then both are made or none. */
  create(actor: Actor, id: RunId, typed: TypedDraft): Promise<CreateOutcome>;
};

/** Builds that part. */
export function createBotDrafts(deps: DraftDeps): BotDrafts {
  return {
    draftFromRun: (scope, id, typed) => draftFromRun(deps, scope, id, typed),
    create: (actor, id, typed) => create(deps, actor, id, typed),
  };
}

async function draftFromRun(
  deps: DraftDeps,
  scope: Scope,
  id: RunId,
  given: TypedDraft | null,
): Promise<Result<BotDraft, DraftRefusal>> {
  const read = await readRun(deps, scope, id);
  if (!read.ok) return read;
  const { run, plan } = read.value;
  const directions = directionsFor(allowedSides(plan.config));
  const accounts = await accountsFor(deps, scope, run.kind);
  const typed = given ?? suggestion(run, plan, accounts, directions);
  const { values, problems } = readDraft(typed, directions);
  const account = accounts.find(({ id: own }) => String(own) === typed.account) ?? null;
  const own = account && (await deps.markets.known(marketFor(account, run)));
  const draft = {
    ...{ run, typed, directions, accounts, account },
    problems: account ? problems : { account: accountProblem(accounts), ...problems },
    config: withSides(plan.config, sidesOf(values.direction ?? "both").flat()),
    instrument: own ?? plan.instrument,
    settings: settingsOf(plan.run, values),
    source: sourceOf(run, await deps.history.series(scope)),
  };
  const ladders = await laddersOf(deps, scope, draft);
  const hasOwnRules = own !== null;
  const around = await aroundOf(deps, scope, account);
  return ok({ ...draft, notes: draftNotes({ ...draft, ...around, values, ladders, hasOwnRules }) });
}

async function readRun(
  { runs }: DraftDeps,
  scope: Scope,
  id: RunId,
): Promise<Result<{ readonly run: Run; readonly plan: RunPlan }, DraftRefusal>> {
  const run = await runs.find(scope, id);
  if (!run) return refuse("unknown_run", "there is no such run");
  if (run.status !== "finished") return refuse("not_usable", `the run is ${run.status}`);
  if (run.strategyName !== DCA_ATR.name) {
    return refuse("not_usable", `${run.strategyName} is not known to this version of Dragon`);
  }
  try {
    return ok({ run, plan: planOfStored(run) });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return refuse("not_usable", error.message);
  }
}

function allowedSides({ general }: DcaAtrConfig): PositionSide[] {
  const long = general.allow_long ? (["long"] as const) : [];
  return general.allow_short ? [...long, "short"] : [...long];
}

function withSides(config: DcaAtrConfig, sides: readonly PositionSide[]): DcaAtrConfig {
  const allow_long = config.general.allow_long && sides.includes("long");
  const allow_short = config.general.allow_short && sides.includes("short");
  return { ...config, general: { ...config.general, allow_long, allow_short } };
}

/** Spot where the exchange has no perpetuals. */
function kindOf({ exchangeId }: TradingAccount): InstrumentKind {
  return exchangeId === "upbit" ? "spot" : "perps";
}

async function accountsFor({ accounts }: DraftDeps, scope: Scope, kind: InstrumentKind) {
  const all = await accounts.list(scope);
  return all.filter((each) => each.status === "active" && kindOf(each) === kind);
}

function accountProblem(accounts: readonly TradingAccount[]): string {
  return accounts.length > 0
    ? "Choose the account it trades on"
    : "There is no active account for this kind of market";
}

function marketFor({ mode, exchangeId }: TradingAccount, { symbol, kind }: Run) {
  return { exchangeId: mode === "demo" ? DEMO_EXCHANGE : exchangeId, symbol, kind };
}

/** What the run suggests; an account with real money is never chosen for somebody. */
function suggestion(
  run: Run,
  { run: settings }: RunPlan,
  accounts: readonly TradingAccount[],
  [direction]: readonly DraftDirection[],
): TypedDraft {
  const harmless = accounts.filter(({ mode }) => mode !== "live");
  const isNear = (each: TradingAccount) => marketFor(each, run).exchangeId === run.exchangeId;
  const account = harmless.find(isNear) ?? harmless[0];
  const name = (run.name ?? run.symbol.split(":")[0] ?? run.symbol).trim();
  return {
    account: account ? String(account.id) : "",
    name: name.slice(0, PAIR_NAME_CHARS_MAX).trim(),
    direction: direction ?? "",
    allocation: String(settings.initialBalance),
    balanceCap: "",
    leverage: String(Math.min(BOT_LEVERAGE_MAX, Math.floor(settings.leverage))),
    pauseMode: "exits_only",
    begin: "paused",
    ...{ maxOrderQty: "", maxOrderNotional: "", maxOpenOrders: "" },
    ...{ maxPositionNotional: "", maxDrawdownPct: "" },
  };
}

/** The account of the run with the typed money; never more than the cap lets it size by. */
function settingsOf(run: RunSettings, values: Partial<DraftValues>): RunSettings {
  const { allocation, balanceCap = null, leverage } = values;
  const isCapped = allocation && balanceCap !== null && compare(balanceCap, allocation) < 0;
  const base = isCapped ? balanceCap : allocation;
  return {
    ...run,
    initialBalance: base === undefined ? run.initialBalance : Number(base),
    leverage: leverage ?? run.leverage,
  };
}

/** The run's own series, else the coarsest of the market that its timeframe can be made of. */
function sourceOf(run: Run, series: readonly CandleSummary[]): CandleSummary | null {
  const own = series.find(({ id }) => id === run.seriesId);
  if (own) return own;
  const fitting = series.filter(
    ({ exchangeId, symbol, kind, timeframeMin }) =>
      exchangeId === run.exchangeId &&
      symbol === run.symbol &&
      kind === run.kind &&
      run.timeframeMin % timeframeMin === 0,
  );
  return fitting.toSorted((a, b) => b.timeframeMin - a.timeframeMin)[0] ?? null;
}

type Drawn = Pick<BotDraft, "run" | "config" | "instrument" | "settings" | "source">;

/** A ladder per side from the last stored price; none without one. */
async function laddersOf(
  { history }: DraftDeps,
  scope: Scope,
  { run, config, instrument, settings: account, source }: Drawn,
): Promise<LadderPreview[]> {
  if (!source) return [];
  const { atr_period } = config.exits;
  const latest = await history.latest(scope, source, run.timeframeMin, atr_period);
  if (!latest) return [];
  const { close: price, atr } = latest;
  return allowedSides(config).map((side) =>
    previewLadder({ config, instrument, account, side, price, atr: atr ?? -1 }),
  );
}

async function aroundOf(
  { bots }: DraftDeps,
  scope: Scope,
  account: TradingAccount | null,
): Promise<{ readonly figures: AccountFigures | null; readonly others: readonly Bot[] }> {
  if (!account) return { figures: null, others: [] };
  const [snapshots, others] = await Promise.all([
    bots.snapshots(scope, account.id),
    bots.list(scope, account.id),
  ]);
  return { figures: accountFiguresOf(snapshots, account.id), others };
}

async function create(
  deps: DraftDeps,
  actor: Actor,
  id: RunId,
  typed: TypedDraft,
): Promise<CreateOutcome> {
  const drafted = await draftFromRun(deps, actor.scope, id, typed);
  if (!drafted.ok) return drafted;
  const { problems, account, directions } = drafted.value;
  if (Object.keys(problems).length > 0 || !account) {
    return { ok: false, reason: "refused", problems };
  }
  const values = readDraft(typed, directions).values as DraftValues;
  const made: Bot[] = [];
  for (const wanted of newBots(drafted.value, account, values)) {
    const bot = await deps.bots.create(actor.scope, wanted, actor.user.email, deps.clock.now());
    if (!bot.ok) {
      await takeBack(deps, actor, made);
      return notMade(bot.reason, bot.detail);
    }
    made.push(bot.value);
  }
  if (!values.isStarted) return { ok: true, bots: made };
  const started = await Promise.all(
    made.map(async (bot) => {
      const wish = { status: "running" } as const;
      const wished = await deps.bots.wish(actor.scope, bot.id, wish, deps.clock.now());
      return wished.ok ? wished.value : bot;
    }),
  );
  return { ok: true, bots: started };
}

function newBots(draft: BotDraft, account: TradingAccount, values: DraftValues): NewBot[] {
  const { run } = draft;
  const { allocation, balanceCap, leverage, pauseMode, limits } = values;
  const wanted = sidesOf(values.direction);
  return wanted.map((sides) => ({
    accountId: account.id,
    name: wanted.length > 1 ? `${values.name} ${sides.join()}` : values.name,
    symbol: run.symbol,
    timeframeMin: run.timeframeMin,
    strategyName: DCA_ATR.name,
    strategyVersion: DCA_ATR.version,
    sides,
    config: {
      strategy: withSides(draft.config, sides),
      ...{ allocation, balanceCap, leverage, pauseMode, limits },
    },
    runId: run.id,
  }));
}

/** A bot that never ran is removed without a trace but its audit lines. */
async function takeBack({ bots, clock }: DraftDeps, { scope }: Actor, made: readonly Bot[]) {
  for (const { id } of made) {
    const removed = await bots.remove(scope, id, clock.now());
    assert(removed.ok, `bot ${id} was made a moment ago and never ran`);
  }
}

const REFUSED_FIELDS: Readonly<Partial<Record<BotRefusal, DraftField>>> = {
  unknown_account: "account",
  name_taken: "name",
  leg_taken: "direction",
};

function notMade(reason: BotRefusal, detail: string): CreateOutcome {
  const field = REFUSED_FIELDS[reason];
  if (field === undefined) return { ok: false, reason: "no_more", detail };
  return { ok: false, reason: "refused", problems: { [field]: detail } };
}
