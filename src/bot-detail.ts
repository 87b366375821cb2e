// Composition of the pages of single bots over an open database. Called by serve.ts and tests; it reads rows
// and public market data, and opens no way to the private side of an exchange.
import { createAccountRepository } from "./adapters/postgres/account-repository.ts";
import { createBotLedger } from "./adapters/postgres/bot-ledger.ts";
import { createBotRepository } from "./adapters/postgres/bot-repository.ts";
import { createCandleRepository } from "./adapters/postgres/candle-repository.ts";
import { createCommandRepository } from "./adapters/postgres/command-repository.ts";
import type { Sql } from "./adapters/postgres/connect.ts";
import { createControlRepository } from "./adapters/postgres/control-repository.ts";
import { createTradingRepository } from "./adapters/postgres/trading-repository.ts";
import { nextStatus } from "./execution/order-machine.ts";
import type { Bot } from "./ports/bot-store.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { MarketData } from "./ports/market-data.ts";
import { type BotDetail, createBotDetail } from "./services/desk/bot-detail.ts";

/** What the pages are built from. */
export type BotDetailParts = {
  readonly sql: Sql;
  readonly market: MarketData;
  readonly clock: Clock;
  readonly log: Log;
};

/** Demo accounts trade on our own exchange, whatever theirs is called. */
const DEMO_EXCHANGE = "demo";
const SPOT_ONLY = "upbit";

/** Builds the service. */
export function composeBotDetail({ sql, market, clock, log }: BotDetailParts): BotDetail {
  const marketOf = ({ mode, exchangeId, symbol }: Bot) => {
    const kind = exchangeId === SPOT_ONLY ? "spot" : "perps";
    return market.normaliseMarket(mode === "demo" ? DEMO_EXCHANGE : exchangeId, symbol, kind);
  };
  return createBotDetail({
    bots: createBotRepository(sql),
    accounts: createAccountRepository(sql),
    trading: createTradingRepository(sql, nextStatus),
    ledger: createBotLedger(sql),
    commands: createCommandRepository(sql),
    control: createControlRepository(sql),
    candles: createCandleRepository(sql),
    ...{ market, marketOf, clock, log: log.child("bot-detail") },
  });
}
