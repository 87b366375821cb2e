// A probe that answers what the test wants, and the accounts service over it with a settled master key.
// Used by every test of accounts; what a real exchange answers is tested in adapters/ccxt.
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createAuditRepository } from "../../src/adapters/postgres/audit-repository.ts";
import type { Sql } from "../../src/adapters/postgres/connect.ts";
import { createSettingsRepository } from "../../src/adapters/postgres/settings-repository.ts";
import { settleMasterKey } from "../../src/adapters/vault/master-key.ts";
import { createVault } from "../../src/adapters/vault/vault.ts";
import { parseMasterKey } from "../../src/config.ts";
import type {
  AccountProbe,
  ProbeCheck,
  ProbeReport,
  ProbeRequest,
} from "../../src/ports/account-probe.ts";
import type { AccountLinks } from "../../src/ports/account-store.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Vault } from "../../src/ports/vault.ts";
import { createTradingAccounts } from "../../src/services/desk/trading-accounts.ts";

/** Good keys as an exchange would give them. */
export const KEYS = {
  apiKey: "kEyAbCdEfGhIjKlMnOpQrStU",
  apiSecret: "sEcReTsEcReTsEcReT0123456789",
  passphrase: "",
};

/** A check that passed, changed in parts. */
export function aCheck(name: ProbeCheck["name"], parts: Partial<ProbeCheck> = {}): ProbeCheck {
  return { name, outcome: "pass", fault: null, sentence: `${name} is fine.`, ...parts };
}

/** A report of keys that are fine, changed in parts. */
export function aReport(parts: Partial<ProbeReport> = {}): ProbeReport {
  const names = ["reachable", "clock", "key", "balances", "withdraw_permission"] as const;
  const checks = names.map((name) => aCheck(name));
  return { at: Date.UTC(2026, 0, 5, 12), checks, clockOffsetMs: 12, mayWithdraw: false, ...parts };
}

/** A probe in the test's hands: `answer` is asked each time, `asked` lists what was asked. */
export function testProbe() {
  const asked: ProbeRequest[] = [];
  const made = {
    asked,
    answer: async (_request: ProbeRequest): Promise<ProbeReport> => aReport(),
    probe(request: ProbeRequest) {
      asked.push(request);
      return made.answer(request);
    },
  };
  return made;
}

/** The master key of test databases. */
export const TEST_KEY = new Uint8Array(32).map((_, n) => n * 7 + 1);

/** A vault under the key that the database belongs to from now on. */
export async function settledVault(sql: Sql): Promise<Vault> {
  const fromEnvironment = TEST_KEY;
  const deps = { dataDir: "/nowhere", fromEnvironment, parse: parseMasterKey };
  const key = await settleMasterKey(deps, createSettingsRepository(sql), Date.UTC(2026, 0, 1));
  return createVault(key.bytes);
}

/** The accounts service on a migrated database. */
export async function testAccounts(
  sql: Sql,
  clock: Clock,
  parts: { probe?: AccountProbe; vault?: Vault; links?: readonly AccountLinks[] } = {},
) {
  return createTradingAccounts({
    accounts: createAccountRepository(sql),
    vault: parts.vault ?? (await settledVault(sql)),
    probe: parts.probe ?? testProbe(),
    links: parts.links ?? [],
    audit: createAuditRepository(sql),
    clock,
  });
}
