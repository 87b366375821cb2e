// Composition of accounts and their keys over an open database. Called by serve.ts; the exchange side is
// loaded when the first account is tried.
import { createAccountProbe } from "./adapters/ccxt/account-probe.ts";
import { normaliseMarket } from "./adapters/ccxt/symbols.ts";
import { createAccountRepository } from "./adapters/postgres/account-repository.ts";
import { describeLinks } from "./adapters/postgres/bot-repository.ts";
import { createAuditRepository } from "./adapters/postgres/audit-repository.ts";
import type { Sql } from "./adapters/postgres/connect.ts";
import { createVault } from "./adapters/vault/vault.ts";
import type { ProbeRequest } from "./ports/account-probe.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import { createTradingAccounts, type TradingAccounts } from "./services/desk/trading-accounts.ts";

/** What accounts are built from. */
export type AccountsDeps = {
  readonly sql: Sql;
  /** The master key's bytes. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
};

/** One request to an exchange including its answer. */
const REQUEST_MS = 10_000;

/** Builds the accounts service. */
export function composeTradingAccounts({ sql, key, clock, log }: AccountsDeps): TradingAccounts {
  const open = async ({ exchangeId, mode, credentials, symbol }: ProbeRequest) => {
    const { createCcxtBroker } = await import("./adapters/ccxt/broker.ts");
    const { kind } = normaliseMarket(exchangeId, symbol);
    const deps = { clock, log: log.child("broker"), loopbackUrl: null, timeoutMs: REQUEST_MS };
    return createCcxtBroker(deps, { exchangeId, kind, mode, credentials, isTestnet: false });
  };
  return createTradingAccounts({
    accounts: createAccountRepository(sql),
    vault: createVault(key),
    probe: createAccountProbe({ clock, open }),
    // Nothing can hold on to an account before there are bots.
    links: [describeLinks(sql)],
    audit: createAuditRepository(sql),
    clock,
  });
}
