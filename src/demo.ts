// Composition of the demo over an open database and the exchange inside the product. Called by serve.ts and
// tests; nothing is made before somebody asks for it.
import { createAccountRepository } from "./adapters/postgres/account-repository.ts";
import { createAuditRepository } from "./adapters/postgres/audit-repository.ts";
import { createBotRepository } from "./adapters/postgres/bot-repository.ts";
import type { Sql } from "./adapters/postgres/connect.ts";
import { createDemoRepository } from "./adapters/postgres/demo-repository.ts";
import { createTradingRepository } from "./adapters/postgres/trading-repository.ts";
import type { DemoKeeper } from "./demo-exchange.ts";
import { nextStatus } from "./execution/order-machine.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import { createDemo, type Demo, type DemoDeps } from "./services/desk/demo.ts";

/** What the demo is composed from. */
export type ComposeDemoDeps = {
  readonly sql: Sql;
  readonly keeper: Pick<DemoKeeper, "open">;
  readonly research: Pick<DemoDeps, "runs" | "runList" | "candles" | "markets">;
  readonly tradingAccounts: DemoDeps["tradingAccounts"];
  readonly clock: Clock;
  readonly log: Log;
};

/** Builds the demo's service. */
export function composeDemo(deps: ComposeDemoDeps): { readonly demo: Demo } {
  const { sql, keeper, research, tradingAccounts, clock, log } = deps;
  const { runs, runList, candles, markets } = research;
  const demo = createDemo({
    openExchange: () => keeper.open(),
    store: createDemoRepository(sql),
    accounts: createAccountRepository(sql),
    bots: createBotRepository(sql),
    trading: createTradingRepository(sql, nextStatus),
    audit: createAuditRepository(sql),
    ...{ tradingAccounts, runs, runList, candles, markets, clock },
    log: log.child("demo"),
  });
  return { demo };
}
