// Trading rows on PostgreSQL: leases, intents, facts and what follows from them. Built by the
// composition root and tests; one call is one transaction, and every write holds the account's lease.
import type { OrderTransition } from "../../model/order-status.ts";
import type { TradingStore } from "../../ports/trading-store.ts";
import type { Sql } from "./connect.ts";
import { createTradingFacts } from "./trading-facts.ts";
import { createTradingIntents } from "./trading-intents.ts";
import { createTradingLeases } from "./trading-leases.ts";
import { createTradingReads } from "./trading-reads.ts";
import { rebuild } from "./trading-rebuild.ts";

/**
 * The trading store on a migrated database.
 * @param next the order life cycle, `nextStatus` of execution/order-machine.ts
 */
export function createTradingRepository(sql: Sql, next: OrderTransition): TradingStore {
  return {
    ...createTradingLeases(sql),
    ...createTradingIntents(sql, next),
    ...createTradingFacts(sql, next),
    ...createTradingReads(sql),
    rebuild: (scope, guard) => sql.begin((tx) => rebuild(tx, next, scope, guard)),
  };
}
