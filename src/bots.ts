// Composition of the bots' pages over an open database. Called by serve.ts and tests; workers are composed
// elsewhere and only meet these pages in the rows.
import { createAccountRepository } from "./adapters/postgres/account-repository.ts";
import { createBotRepository } from "./adapters/postgres/bot-repository.ts";
import type { Sql } from "./adapters/postgres/connect.ts";
import { createTradingRepository } from "./adapters/postgres/trading-repository.ts";
import { nextStatus } from "./execution/order-machine.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import { type BotsDesk, createBotsDesk } from "./services/desk/bots.ts";
import type { WebDeps } from "./web/deps.ts";

/** What the bots' pages are built from. */
export type BotsDeps = {
  readonly sql: Sql;
  readonly research: Pick<WebDeps, "runs" | "markets" | "backtestDesk">;
  readonly clock: Clock;
  readonly log: Log;
};

/** Builds the services behind the bots' pages. */
export function composeBots({ sql, research, clock, log }: BotsDeps): { readonly bots: BotsDesk } {
  const bots = createBotsDesk({
    bots: createBotRepository(sql),
    accounts: createAccountRepository(sql),
    trading: createTradingRepository(sql, nextStatus),
    runs: research.runs,
    markets: research.markets,
    history: research.backtestDesk,
    clock,
    log: log.child("bots"),
  });
  return { bots };
}
