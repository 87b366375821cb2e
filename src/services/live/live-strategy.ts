// A strategy bound to a bot and its market, as the live loop drives it. Called by the account loop when a bot
// starts or its configuration changes.
import { wantedFrom } from "../../engine/prepare.ts";
import type { LiveBotDeps } from "../../engine/live-bot.ts";
import type { Instrument } from "../../model/instrument.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import { InputError } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { QueueLevel } from "../../ports/broker.ts";
import { checkIntervals, parseConfig } from "../../strategy/dca-atr/config.ts";
import { createDcaAtr, DCA_ATR } from "../../strategy/dca-atr/dca-atr.ts";
import { SignalFeed } from "../../strategy/dca-atr/signal-feed.ts";
import type { DcaAtrState } from "../../strategy/dca-atr/state.ts";
import type { MakerPolicy } from "./live-types.ts";

/** A strategy ready to run. */
export type LiveStrategy = {
  readonly parts: LiveBotDeps<DcaAtrState>;
  readonly maker: MakerPolicy;
  /** Rungs of the ladder beside the first entry. */
  readonly rungsMax: number;
  /** Where history must begin for the indicators to be ready at an instant. */
  historyFrom(at: EpochMs): EpochMs;
};

/**
 * Binds a bot's strategy to its market.
 * @throws InputError when the configuration cannot be run
 */
export function liveStrategy(bot: Bot, rules: OrderRules): LiveStrategy {
  if (bot.strategyName !== DCA_ATR.name) {
    throw new InputError(`strategy: "${bot.strategyName}" is not known; there is ${DCA_ATR.name}`);
  }
  const config = parseConfig(bot.config.strategy);
  checkIntervals(config, bot.timeframeMin);
  const instrument = instrumentOf(rules);
  const { prefer_bbo_maker, bbo_queue_level } = config.general;
  return {
    parts: {
      strategy: createDcaAtr(config, instrument),
      createSignals: () => new SignalFeed(config, bot.timeframeMin),
      priceTick: instrument.priceTick,
      qtyStep: instrument.qtyStep,
      contractSize: instrument.contractSize,
      timeframeMin: bot.timeframeMin,
      allocation: bot.config.allocation,
      balanceCap: bot.config.balanceCap,
    },
    maker: {
      queueLevel: prefer_bbo_maker ? queueLevel(bbo_queue_level) : null,
      mayTake: false,
    },
    rungsMax: config.general.max_entries - 1,
    historyFrom: (at) => wantedFrom(config, { timeframeMin: bot.timeframeMin, from: at }),
  };
}

/** The exchange's rules as the strategy reads them. */
export function instrumentOf(rules: OrderRules): Instrument {
  return {
    symbol: rules.symbol,
    priceTick: Number(rules.priceTick),
    qtyStep: Number(rules.qtyStep),
    minQty: Number(rules.qtyMin),
    minNotional: Number(rules.minNotional ?? 0),
    contractSize: Number(rules.contractSize),
  };
}

function queueLevel(level: number): QueueLevel {
  return Math.min(5, Math.max(1, level)) as QueueLevel;
}
