// Watches what an account may still lose and hold. Asked by the account loop once a tick and before every order;
// remembers limits that were reached beyond a restart. What could not be read blocks entries by its age, and never
// ends the loop; exits are not its business.
import type { Decimal } from "../../model/decimal.ts";
import type { AccountFigures } from "../../model/live-figures.ts";
import type { OrderIntent } from "../../model/order.ts";
import type { RiskReason } from "../../model/reasons.ts";
import { refuse, type Result } from "../../model/result.ts";
import { type EpochMs, utcDayStart } from "../../model/time.ts";
import type { TradingAccount } from "../../ports/account-store.ts";
import type { Bot, BotId, BotStore } from "../../ports/bot-store.ts";
import type { IntentId } from "../../ports/trading-store.ts";
import {
  FIGURE_FRESH_MS,
  judgeLimits,
  type LimitLatch,
  type LossFigures,
  peakEquity,
  type Trip,
} from "../../risk/account-limits.ts";
import {
  type AccountState,
  approveOrder,
  createAccountState,
  type ExposureLimits,
  grossExposure,
  release,
  tellRows,
} from "../../risk/headroom.ts";
import { BOT_LEVERAGE_MAX } from "../desk/bot-draft-fields.ts";
import { createLatchBook, type LatchBook, type LatchSettings } from "./limit-latch.ts";
import type { LiveDeps } from "./live-types.ts";
import { createRiskDenials, requestOf } from "./risk-denials.ts";
import {
  accountFigures,
  assetsOf,
  botLossFigures,
  foreignAsset,
  freshPrice,
  heldLegs,
  keyOfIntent,
  type Markets,
  openProfit,
  type Prices,
  readMoney,
  readRows,
  type RiskMoney,
  type RiskRows,
  workingOrders,
} from "./risk-reads.ts";

/** What the watch works with. */
export type RiskWatchDeps = LiveDeps & {
  readonly bots: Pick<BotStore, "list">;
  readonly settings: LatchSettings;
  /** The account as it is now, with the limits its owner set last; null when it was deleted. */
  readonly readAccount: () => Promise<TradingAccount | null>;
  /** The account as it was opened. */
  readonly tradingAccount: TradingAccount;
  readonly markets: Markets;
};

/** What of the account's figures the watch knows; absent ones are somebody else's. */
export type RiskFigures = Pick<
  AccountFigures,
  | "asset"
  | "walletBalance"
  | "freeBalance"
  | "unrealised"
  | "equity"
  | "grossExposure"
  | "pnlToday"
  | "pnlTotal"
  | "peakEquity"
  | "blocks"
>;

/** Watches one account. */
export type RiskWatch = {
  /**
   * Looks at rows and balances when they are due, and judges with these prices.
   * @param hasBooked rows changed since the last look: they are read now
   */
  look(prices: Prices, hasBooked: boolean, signal: AbortSignal): Promise<void>;
  /** Rows, limits and latches are read with the next look. */
  hurry(): void;
  /** The account as last read. */
  account(): TradingAccount;
  /** Why limits keep entries of the bot back; null when they do not. */
  block(botId: BotId): string | null;
  /** Whether a limit was reached: entries of the bot that rest must go too. */
  isTripped(botId: BotId): boolean;
  /** Why an order of the bot was kept back last, until one of the same name has room; null without any. */
  denial(botId: BotId): string | null;
  /** What sizing may not exceed; null while it is not known or not told. */
  freeCollateral(): Decimal | null;
  /** Reserves the room of an order; reduce-only orders always have it. */
  check(bot: Bot, intent: OrderIntent): RiskReason | null;
  /** Gives the room of an order back that is proven gone. */
  released(intentId: IntentId): void;
  /** Null until the rows were read. */
  figures(): RiskFigures | null;
};

/** Rows are read at most so often when nothing was booked; well within what counts as fresh. */
const ROWS_EVERY_MS = 15_000;
const MONEY_EVERY_MS = 30_000;
/** After balances could not be read. */
const MONEY_AGAIN_MS = 5000;

type Watch = {
  readonly deps: RiskWatchDeps;
  readonly headroom: AccountState;
  readonly latches: LatchBook;
  account: TradingAccount;
  isDue: boolean;
  rowsReadMs: number;
  moneyReadMs: number;
  rows: RiskRows | null;
  money: RiskMoney | null;
  prices: Prices;
  blocks: readonly string[];
  botBlocks: ReadonlyMap<BotId, string>;
};

/** A watch that has seen nothing: everything is blocked until the first look. */
export function createRiskWatch(deps: RiskWatchDeps): RiskWatch {
  const watch: Watch = {
    deps,
    headroom: createAccountState(),
    latches: createLatchBook(deps),
    account: deps.tradingAccount,
    isDue: true,
    rowsReadMs: Number.NEGATIVE_INFINITY,
    moneyReadMs: Number.NEGATIVE_INFINITY,
    rows: null,
    money: null,
    prices: new Map(),
    blocks: ["the limits of the account were not looked at yet"],
    botBlocks: new Map(),
  };
  const denials = createRiskDenials(deps);
  return {
    async look(prices, hasBooked, signal) {
      watch.prices = prices;
      await readWhatIsDue(watch, hasBooked, signal);
      value(watch);
      judge(watch);
      await watch.latches.save().catch((error: unknown) => {
        deps.log.warn("limits that were reached are not written down yet", { error });
      });
    },
    hurry: () => {
      watch.isDue = true;
    },
    account: () => watch.account,
    block: (botId) => watch.blocks[0] ?? watch.botBlocks.get(botId) ?? null,
    isTripped: (botId) => [null, botId].some((each) => watch.latches.of(each).trips.length > 0),
    denial: denials.last,
    freeCollateral: () => freshMoney(watch)?.free ?? null,
    check(bot, intent) {
      const market = deps.markets.get(bot.symbol);
      if (!market) return "ACCOUNT_UNKNOWN";
      const now = deps.clock.now();
      const price = freshPrice(watch.prices, bot.symbol, now);
      const request = requestOf(bot, intent, { rules: market.rules, price }, now);
      const answer = inDollars(watch, request.isReduceOnly) ?? approved(watch, bot, request);
      if (answer.ok) {
        // The rows are not what they were: what comes of the order is read with the next look.
        watch.isDue = true;
        denials.passed(bot.id, request.key);
        return null;
      }
      denials.denied(bot, request, answer.reason, answer.detail);
      return answer.reason;
    },
    released: (intentId) => release(watch.headroom, keyOfIntent(intentId)),
    figures: () => figuresOf(watch),
  };
}

function approved(
  { headroom, account }: Watch,
  bot: Bot,
  request: Parameters<typeof approveOrder>[1],
): ReturnType<typeof approveOrder> {
  const limits: ExposureLimits = { ...account.limits, maxLeverage: BOT_LEVERAGE_MAX };
  return approveOrder(headroom, request, limits, bot.config.limits);
}

/** Limits in dollars cannot be held against another money. */
function inDollars(
  { account, deps }: Watch,
  isReduceOnly: boolean,
): Result<never, RiskReason> | null {
  const { maxSymbolExposureUsd, maxGrossExposureUsd } = account.limits;
  const foreign = foreignAsset(deps.markets);
  const isLimited = maxSymbolExposureUsd !== null || maxGrossExposureUsd !== null;
  if (isReduceOnly || !isLimited || foreign === null) return null;
  const detail = `the account settles in ${foreign}, its limits are in US dollars`;
  return refuse("PRICE_UNKNOWN", detail);
}

/** Reads; what fails stays as it was and gets old. */
async function readWhatIsDue(watch: Watch, hasBooked: boolean, signal: AbortSignal): Promise<void> {
  const { deps } = watch;
  const nowMs = deps.clock.monotonicMs();
  const isNewDay = watch.rows !== null && watch.rows.at < utcDayStart(deps.clock.now());
  const isUrgent = hasBooked || watch.isDue || isNewDay;
  if (isUrgent || nowMs - watch.rowsReadMs >= ROWS_EVERY_MS) {
    try {
      // An account that was deleted keeps the limits it had.
      watch.account = (await deps.readAccount()) ?? watch.account;
      await watch.latches.read();
      watch.rows = await readRows(deps, deps.bots);
      const { rows, prices } = watch;
      const held = heldLegs(rows, deps.markets, prices, deps.clock.now());
      tellRows(watch.headroom, held, workingOrders(rows, deps.markets, prices));
      watch.rowsReadMs = nowMs;
      watch.isDue = false;
    } catch (error) {
      deps.log.warn("what the limits of an account are judged by was not read", { error });
    }
  }
  if (hasBooked || nowMs - watch.moneyReadMs >= MONEY_EVERY_MS) {
    try {
      watch.money = await readMoney(deps, deps.markets, signal);
      watch.moneyReadMs = nowMs;
    } catch (error) {
      signal.throwIfAborted();
      watch.moneyReadMs = nowMs - MONEY_EVERY_MS + MONEY_AGAIN_MS;
      deps.log.warn("the balances of an account were not read", { error });
    }
  }
}

/** Puts present prices on what is held. */
function value(watch: Watch): void {
  const { headroom, rows, deps, prices } = watch;
  const now = deps.clock.now();
  const isFresh = rows !== null && now - rows.at <= FIGURE_FRESH_MS;
  headroom.held = isFresh ? heldLegs(rows, deps.markets, prices, now) : null;
  const money = freshMoney(watch);
  const equity = lossFigures(watch).equity;
  headroom.money =
    money === null || equity === null
      ? null
      : { equity: equity.value, free: money.free, at: money.at };
}

function judge(watch: Watch): void {
  const { deps, account, rows, latches } = watch;
  const now = deps.clock.now();
  if (!latches.isRead()) {
    watch.blocks = ["what the limits of the account remember was not read yet"];
    return;
  }
  const verdict = judgeLimits(account.limits, lossFigures(watch), latches.of(null), now);
  latches.keep(null, verdict.latch);
  watch.blocks = verdict.blocks;
  tell(watch, null, account.name, verdict, now);
  const botBlocks = new Map<BotId, string>();
  for (const bot of rows?.bots ?? []) {
    const { maxDrawdownPct } = bot.config.limits;
    const latch = latches.of(bot.id);
    if (rows === null || (maxDrawdownPct === null && latch.trips.length === 0)) continue;
    const limits = { maxDailyLossUsd: null, maxTotalLossUsd: null, maxDrawdownPct };
    const figures = botLossFigures(bot, rows, deps.markets, watch.prices);
    const own = judgeLimits(limits, figures, latch, now);
    latches.keep(bot.id, own.latch);
    tell(watch, bot.id, bot.name, own, now);
    const [block] = own.blocks;
    if (block !== undefined) botBlocks.set(bot.id, block);
  }
  watch.botBlocks = botBlocks;
}

type Changes = { readonly tripped: readonly Trip[]; readonly released: readonly Trip[] };

/** Once per limit that was reached, and once when it counts no more. */
function tell(
  { deps, latches }: Watch,
  botId: BotId | null,
  name: string,
  changes: Changes,
  at: EpochMs,
): void {
  const say = ({ kind }: Trip, sentence: string, isReached: boolean) => {
    const event = botId === null ? "account_risk_block" : "risk_limit_trip";
    deps.note({ kind: event, botId, at, sentence, fields: { limit: kind, isReached } });
  };
  for (const trip of changes.tripped) say(trip, `${name}: ${trip.sentence}.`, true);
  for (const trip of [...changes.released, ...latches.takeReset(botId)]) {
    const what = trip.kind.replace("_", " ");
    say(trip, `${name}: the limit on ${what} holds nothing back any more.`, false);
  }
}

function lossFigures({ rows, money, deps, prices }: Watch): LossFigures {
  return accountFigures(rows, money, deps.markets, prices);
}

function freshMoney({ money, deps }: Watch): RiskMoney | null {
  return money !== null && deps.clock.now() - money.at <= FIGURE_FRESH_MS ? money : null;
}

function figuresOf(watch: Watch): RiskFigures | null {
  const { rows, money, deps, headroom, prices, latches } = watch;
  const [asset] = assetsOf(deps.markets);
  if (rows === null || asset === undefined) return null;
  const figures = lossFigures(watch);
  const latch: LimitLatch | null = latches.isRead() ? latches.of(null) : null;
  return {
    asset,
    walletBalance: money?.wallet ?? null,
    freeBalance: money?.free ?? null,
    unrealised: openProfit(rows, deps.markets, prices, null).figure?.value ?? null,
    equity: figures.equity?.value ?? null,
    grossExposure: headroom.held === null ? null : grossExposure(headroom),
    pnlToday: figures.today?.value ?? rows.today.net,
    pnlTotal: figures.total?.value ?? rows.total.net,
    peakEquity: latch === null ? null : peakEquity(latch, figures),
    blocks: [...watch.blocks, ...watch.botBlocks.values()],
  };
}
