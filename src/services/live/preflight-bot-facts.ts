// What a pre-flight finds out about one bot: settings of its position, rules of its symbol, candles, and its whole
// ladder from the last close. Used by preflight-facts.ts alone; nothing is changed and nothing is judged here.
import { type LadderPreview, previewLadder } from "../../engine/ladder-preview.ts";
import { add, compare, type Decimal, decimal } from "../../model/decimal.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import { InputError } from "../../model/result.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { BotFacts, LadderFacts } from "../../risk/preflight-bots.ts";
import type { Fact } from "../../risk/preflight-check.ts";
import { type DcaAtrConfig, parseConfig } from "../../strategy/dca-atr/config.ts";
import { SignalFeed } from "../../strategy/dca-atr/signal-feed.ts";
import { BOT_LEVERAGE_MAX } from "../desk/bot-draft-fields.ts";
import { type FactFinder, mapFact } from "./bounded-facts.ts";
import { ownerOf } from "./bot-runner.ts";
import { instrumentOf, liveStrategy } from "./live-strategy.ts";
import { opponentOf, sidesOf } from "./position-needs.ts";
import type { OpenedForChecks, PreflightSources } from "./preflight-facts.ts";

/** A bot with what is known of it. */
export type BotFindings = {
  readonly bot: Bot;
  readonly facts: BotFacts;
  /** Null while its rules are not known. */
  readonly contractSize: Decimal | null;
  /** Of its largest ladder to the last rung; null while it is not known. */
  readonly ladderMargin: Decimal | null;
  /** What it sizes by. */
  readonly sizingBalance: Decimal;
};

/** Where to ask. */
export type Asking = {
  readonly sources: PreflightSources;
  readonly opened: OpenedForChecks;
  readonly scope: Scope;
  readonly finder: FactFinder;
};

/** A first history may have to be downloaded whole. */
const CANDLES_LIMIT_MS = 60_000;

type Last = { readonly close: number; readonly atr: number; readonly ageMs: number };

/** Finds out about one bot. @throws when the whole was aborted */
export async function findOutBot(
  asking: Asking,
  bot: Bot,
  all: readonly Bot[],
): Promise<BotFindings> {
  const { opened, finder } = asking;
  const { broker } = opened;
  const { symbol } = bot;
  const { capabilities } = broker;
  const mode: BotFacts["mode"] = capabilities.positionMode
    ? await finder.learn((signal) => broker.positionMode(symbol, { signal }))
    : { isKnown: true, value: "one_way" };
  const isSet = capabilities.leverage && !capabilities.leverageWithOrder;
  const leverageThere = isSet
    ? await finder.learn((signal) => broker.leverage(symbol, { signal }))
    : null;
  const rules = await finder.learn((signal) => broker.orderRules(symbol, { signal }));
  const last = await finder.learn(
    (signal) => lastCandle(asking, bot, rules, signal),
    CANDLES_LIMIT_MS,
  );
  const balance = await finder.learn(() => sizingBalanceOf(asking, bot));
  const sizingBalance = balance.isKnown ? balance.value : bot.config.allocation;
  const ladders = await finder.learn(async () => laddersOf(bot, rules, last, sizingBalance));
  const { leverage } = bot.config;
  return {
    ...{ bot, sizingBalance },
    contractSize: rules.isKnown ? rules.value.contractSize : null,
    ladderMargin: ladders.isKnown ? marginOfAll(ladders.value) : null,
    facts: {
      ...{ name: bot.name, symbol, mode, leverage, leverageThere, maxLeverage: BOT_LEVERAGE_MAX },
      needsHedge: opponentOf(bot, all) !== null,
      rules: mapFact(rules, ({ isTrading }) => ({ isTrading })),
      ladders: mapFact(ladders, (known) => known.map(ladderFacts)),
      candleAgeMs: mapFact(last, ({ ageMs }) => ageMs),
      timeframeMs: bot.timeframeMin * MINUTE_MS,
      wantsStop: wantsStop(bot),
    },
  };
}

/** The last closed candle with the volatility the strategy would see. */
async function lastCandle(
  { sources, opened, scope }: Asking,
  bot: Bot,
  rules: Fact<OrderRules>,
  signal: AbortSignal,
): Promise<Last> {
  const now = sources.clock.now();
  const from = liveStrategy(bot, knownOf(rules)).historyFrom(now);
  const market = opened.marketOf(bot.symbol);
  const series = await opened.candles.history(scope, market, bot.timeframeMin, from, signal);
  const feed = new SignalFeed(parseConfig(bot.config.strategy), bot.timeframeMin);
  const { openAt, open, high, low, close, volume, length } = series;
  for (let i = 0; i < length; i++) {
    feed.push({
      openAt: openAt[i]!,
      open: open[i]!,
      high: high[i]!,
      low: low[i]!,
      close: close[i]!,
      volume: volume[i]!,
    });
  }
  const lastClose = close[length - 1];
  const lastOpenAt = openAt[length - 1];
  if (lastClose === undefined || lastOpenAt === undefined) {
    throw new InputError("the exchange has no candles");
  }
  const ageMs = sources.clock.now() - (lastOpenAt + bot.timeframeMin * MINUTE_MS);
  return { close: lastClose, atr: feed.atr, ageMs };
}

function knownOf<T>(fact: Fact<T>): T {
  if (!fact.isKnown) throw new InputError(fact.why);
  return fact.value;
}

/** Allocation and what was realised since, up to the cap. */
async function sizingBalanceOf({ sources, scope }: Asking, bot: Bot): Promise<Decimal> {
  const { allocation, balanceCap } = bot.config;
  const query = { sinceAt: 0, owner: ownerOf(bot) };
  const { net } = await sources.trading.totals(scope, bot.accountId, query);
  const balance = add(allocation, net);
  return balanceCap !== null && compare(balance, balanceCap) > 0 ? balanceCap : balance;
}

/** A ladder per side. @throws InputError when rules or candles are not known */
function laddersOf(
  bot: Bot,
  rules: Fact<OrderRules>,
  last: Fact<Last>,
  balance: Decimal,
): readonly LadderPreview[] {
  const { close: price, atr } = knownOf(last);
  const instrument = instrumentOf(knownOf(rules));
  const config: DcaAtrConfig = parseConfig(bot.config.strategy);
  // Fees and liquidation are not asked about: the ladder is looked at for sizes and margin alone.
  const account = {
    ...{ initialBalance: Number(balance), leverage: bot.config.leverage },
    ...{ makerFee: 0, takerFee: 0, slippageBps: 0, maintenanceMarginRate: 0 },
  };
  return sidesOf(bot).map((side) =>
    previewLadder({ config, instrument, account, side, price, atr }),
  );
}

function ladderFacts({ side, rows, needsAtr }: LadderPreview): LadderFacts {
  const small = rows.filter(({ fate }) => fate === "below_min").map(({ rung }) => rung);
  return { side, belowMinimum: rows.length === 0 ? [0] : small, isIncomplete: needsAtr };
}

/** Of the side that needs most: a bot holds one side at a time. */
function marginOfAll(ladders: readonly LadderPreview[]): Decimal {
  const margins = ladders.flatMap(({ rows }) => rows.map(({ after }) => after?.margin ?? 0));
  return decimal(Math.max(0, ...margins).toFixed(8));
}

function wantsStop(bot: Bot): boolean {
  try {
    const { exits } = parseConfig(bot.config.strategy);
    return exits.sl_mode === "PCT" ? exits.sl_pct > 0 : exits.sl_atr_mult > 0;
  } catch (error) {
    // A configuration nobody can read may want one.
    if (error instanceof InputError) return true;
    throw error;
  }
}
