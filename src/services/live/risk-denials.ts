// One order in the words of the headroom, and what is said when it is kept back: an event when it happens first, and
// again only after the order had room in between. Used by risk-watch.ts alone.
import type { EventKind } from "../../model/event-kinds.ts";
import { type Decimal, decimal, multiply } from "../../model/decimal.ts";
import type { OrderIntent } from "../../model/order.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import { RISK_REASONS, type RiskReason } from "../../model/reasons.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Bot, BotId } from "../../ports/bot-store.ts";
import type { OrderRequest } from "../../risk/headroom.ts";
import { ownerOf } from "./bot-runner.ts";
import type { LiveDeps } from "./live-types.ts";

/** What of the market an order is valued by. */
export type OrderMarket = {
  readonly rules: OrderRules;
  /** For orders without a price of their own; null while it is not known. */
  readonly price: Decimal | null;
};

/** The order as the headroom looks at it. */
export function requestOf(
  bot: Bot,
  { target }: OrderIntent,
  { rules, price: mark }: OrderMarket,
  at: EpochMs,
): OrderRequest {
  const { key, positionSide, isReduceOnly, priceTicks, qtyLots } = target;
  const owner = ownerOf(bot);
  const price = priceTicks > 0 ? multiply(decimal(priceTicks), rules.priceTick) : mark;
  const qty = multiply(decimal(qtyLots), rules.qtyStep);
  const { symbol, contractSize } = rules;
  return {
    ...{ key: `${owner} ${symbol} ${key}`, owner, symbol, positionSide, isReduceOnly, qty, at },
    notional: price === null ? null : multiply(multiply(price, qty), contractSize),
    leverage: bot.config.leverage,
  };
}

/** Remembers what was said. */
export type RiskDenials = {
  denied(bot: Bot, request: OrderRequest, reason: RiskReason, detail: string): void;
  /** The order had room. */
  passed(botId: BotId, key: string): void;
  /** What was said of the bot last, unless that order had room since; null without anything. */
  last(botId: BotId): string | null;
};

/** Orders whose last denial is remembered. */
const ORDERS_MAX = 10_000;
const SENTENCE_MAX = 500;
const DEFERRED: ReadonlySet<RiskReason> = new Set<RiskReason>(["ACCOUNT_UNKNOWN", "PRICE_UNKNOWN"]);

/** Nothing was said yet. */
export function createRiskDenials({ note }: Pick<LiveDeps, "note">): RiskDenials {
  const said = new Map<string, RiskReason>();
  const last = new Map<BotId, { readonly key: string; readonly sentence: string }>();
  return {
    denied(bot, { key, symbol, at }, reason, detail) {
      last.set(bot.id, { key, sentence: detail });
      if (said.get(key) === reason) return;
      if (said.size >= ORDERS_MAX) said.clear();
      said.set(key, reason);
      const sentence = `${RISK_REASONS[reason]} ${bot.name}: ${detail}.`.slice(0, SENTENCE_MAX);
      const fields = { order: key, symbol, reason };
      note({ kind: kindOf(reason), botId: bot.id, at, sentence, fields });
    },
    passed(botId, key) {
      said.delete(key);
      if (last.get(botId)?.key === key) last.delete(botId);
    },
    last: (botId) => last.get(botId)?.sentence ?? null,
  };
}

function kindOf(reason: RiskReason): EventKind {
  if (DEFERRED.has(reason)) return "stale_data_block";
  return reason.startsWith("MARGIN_") ? "margin_block" : "risk_limit_trip";
}
