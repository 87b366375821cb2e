// Accounts and sealed credentials on real servers: one active set per account, secrets gone once revoked,
// nothing to be had from another workspace, and seals that open in their own place alone.
import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { createVault } from "../../../src/adapters/vault/vault.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type {
  AccountId,
  NewCredential,
  SealedCredential,
} from "../../../src/ports/account-store.ts";
import type { Vault } from "../../../src/ports/vault.ts";
import { openCredentials, sealCredentials } from "../../../src/services/desk/credential-seal.ts";
import { aReport, settledVault } from "../../support/account-probe.ts";
import { databaseTest } from "../../support/database-test.ts";
import { testScope } from "../../support/test-database.ts";

const NOW = Date.UTC(2026, 0, 5, 12);
const MAIN = { name: "Main", exchangeId: "woox", mode: "live" } as const;

function credential(vault: Vault, word: string): NewCredential {
  const clear = {
    apiKey: vault.conceal(`${word}-key`),
    apiSecret: vault.conceal(`${word}-secret`),
    passphrase: vault.conceal(`${word}-phrase`),
    uid: null,
  };
  const seal: NewCredential["seal"] = (row) => sealCredentials(vault, row, clear);
  return { keyId: vault.keyId, maskedKey: `${word.slice(0, 3)}…key`, seal };
}

async function world(sql: Sql) {
  const vault = await settledVault(sql);
  const accounts = createAccountRepository(sql);
  const scope = await testScope(sql, "one");
  const made = await accounts.create(scope, MAIN, credential(vault, "first"), NOW);
  if (!made.ok) throw new Error(made.detail);
  const use = async (who: Scope, id: AccountId = made.value.id) => {
    const sealed = await accounts.useCredential(who, id, NOW + 5);
    if (!sealed) throw new Error("no credentials");
    return sealed;
  };
  return { vault, accounts, scope, account: made.value, use };
}

databaseTest("an account comes back as it was stored, its secrets sealed", async ({ sql }) => {
  const { vault, accounts, scope, account, use } = await world(sql);
  expect(account).toMatchObject({
    ...MAIN,
    status: "active",
    blocksNewEntries: false,
    probe: null,
  });
  expect(account.credential).toMatchObject({ maskedKey: "fir…key", lastUsedAt: null });
  expect(await accounts.find(scope, account.id)).toEqual(account);
  expect(await accounts.list(scope)).toEqual([account]);
  const clear = openCredentials(vault, await use(scope));
  expect(clear.apiKey.reveal()).toBe("first-key");
  expect(clear.apiSecret.reveal()).toBe("first-secret");
  expect(clear.passphrase?.reveal()).toBe("first-phrase");
  expect(clear.uid).toBeNull();
  expect((await accounts.find(scope, account.id))?.credential?.lastUsedAt).toBe(NOW + 5);
  const rows = JSON.stringify(await sql`select * from credentials`);
  for (const secret of ["first-key", "first-secret", "first-phrase"]) {
    expect(rows).not.toContain(secret);
    expect(rows).not.toContain(Buffer.from(secret).toString("base64url"));
  }
});

databaseTest("a row copied to another workspace, id or column does not open", async ({ sql }) => {
  const { vault, accounts, scope, account, use } = await world(sql);
  const other = await testScope(sql, "two");
  const sealed = await use(scope);
  const copies: SealedCredential[] = [
    { ...sealed, workspaceId: other.workspaceId },
    { ...sealed, id: (sealed.id + 1) as typeof sealed.id },
    { ...sealed, parts: { ...sealed.parts, apiKey: sealed.parts.apiSecret } },
  ];
  for (const copy of copies) expect(() => openCredentials(vault, copy)).toThrow("does not open");
  // The same by a thief with the database but without the key: rows moved in SQL.
  const thief = await accounts.create(other, MAIN, credential(vault, "thief"), NOW);
  if (!thief.ok) throw new Error(thief.detail);
  await sql`
    update credentials set sealed_api_key = victim.sealed_api_key,
      sealed_api_secret = victim.sealed_api_secret, sealed_passphrase = victim.sealed_passphrase
    from credentials victim
    where victim.account_id = ${account.id} and credentials.account_id = ${thief.value.id}`;
  const stolen = await use(other, thief.value.id);
  expect(() => openCredentials(vault, stolen)).toThrow("does not open");
  expect(openCredentials(vault, sealed).apiKey.reveal()).toBe("first-key");
});

databaseTest("new keys take the place of the old, whose secrets are gone", async ({ sql }) => {
  const { vault, accounts, scope, account, use } = await world(sql);
  const probe = { ...aReport(), symbol: "BTC/USDT:USDT", credentialId: account.credential!.id };
  expect(await accounts.saveProbe(scope, account.id, probe)).toBe(true);
  expect((await accounts.find(scope, account.id))?.probe).toEqual(probe);
  const next = credential(vault, "second");
  const replaced = await accounts.replaceCredential(scope, account.id, next, NOW + 9);
  if (!replaced.ok) throw new Error(replaced.detail);
  expect(replaced.value.credential?.maskedKey).toBe("sec…key");
  expect(replaced.value.probe).toBeNull();
  expect(openCredentials(vault, await use(scope)).apiKey.reveal()).toBe("second-key");
  expect(await accounts.formerCredentials(scope, account.id)).toMatchObject([
    { maskedKey: "fir…key", revokedAt: NOW + 9 },
  ]);
  const [old] = await sql`select * from credentials where revoked_at is not null`;
  expect([old?.sealedApiKey, old?.sealedApiSecret, old?.sealedPassphrase]).toEqual([
    null,
    null,
    null,
  ]);
  // An answer about the former keys comes too late.
  expect(await accounts.saveProbe(scope, account.id, probe)).toBe(false);
});

databaseTest("twenty replacements at once leave one set of keys in use", async ({ sql }) => {
  const { vault, accounts, scope, account } = await world(sql);
  const words = [...Array(20).keys()].map((n) => `word${n}`);
  const done = await Promise.all(
    words.map((word) =>
      accounts.replaceCredential(scope, account.id, credential(vault, word), NOW),
    ),
  );
  expect(done.every((each) => each.ok)).toBe(true);
  const [counts] = await sql`
    select count(*) filter (where revoked_at is null) as active, count(*) as total,
      count(sealed_api_key) as sealed from credentials`;
  expect(counts).toEqual({ active: 1, total: 21, sealed: 1 });
});

databaseTest("names are unique among the accounts that are there", async ({ sql }) => {
  const { vault, accounts, scope, account } = await world(sql);
  const twin = { ...MAIN, name: "MAIN" };
  expect(await accounts.create(scope, twin, credential(vault, "x"), NOW)).toMatchObject({
    reason: "name_taken",
  });
  expect(await sql`select 1 from credentials`).toHaveLength(1);
  const paper = { name: "Paper", exchangeId: "binance", mode: "paper" } as const;
  const made = await accounts.create(scope, paper, null, NOW);
  if (!made.ok) throw new Error(made.detail);
  expect(made.value.credential).toBeNull();
  const taken = await accounts.change(scope, made.value.id, { name: "main" }, NOW);
  expect(taken).toMatchObject({ reason: "name_taken" });
  expect(await accounts.remove(scope, account.id, NOW)).toBe(true);
  expect(await accounts.change(scope, made.value.id, { name: "main" }, NOW)).toMatchObject({
    ok: true,
  });
});

databaseTest("a deleted account is out of reach and its secrets are gone", async ({ sql }) => {
  const { vault, accounts, scope, account } = await world(sql);
  expect(await accounts.remove(scope, account.id, NOW)).toBe(true);
  expect(await accounts.remove(scope, account.id, NOW)).toBe(false);
  expect(await accounts.list(scope)).toEqual([]);
  expect(await accounts.find(scope, account.id)).toBeNull();
  expect(await accounts.useCredential(scope, account.id, NOW)).toBeNull();
  const next = credential(vault, "x");
  expect(await accounts.replaceCredential(scope, account.id, next, NOW)).toMatchObject({
    reason: "unknown_account",
  });
  expect(await accounts.change(scope, account.id, { status: "active" }, NOW)).toMatchObject({
    reason: "unknown_account",
  });
  const [row] =
    await sql`select count(sealed_api_key) as sealed, count(*) as total from credentials`;
  expect(row).toEqual({ sealed: 0, total: 1 });
});

databaseTest("limits are exact, and a change touches only what it names", async ({ sql }) => {
  const { accounts, scope, account } = await world(sql);
  const limits = {
    maxDailyLossUsd: decimal("0.1"),
    maxTotalLossUsd: decimal("123456789012.12345678"),
    maxDrawdownPct: decimal("100"),
    maxSymbolExposureUsd: null,
    maxGrossExposureUsd: decimal("5000"),
  };
  const limited = await accounts.change(scope, account.id, { limits }, NOW + 1);
  expect(limited).toMatchObject({ ok: true, value: { limits, updatedAt: NOW + 1, name: "Main" } });
  await accounts.change(scope, account.id, { blocksNewEntries: true }, NOW + 2);
  await accounts.change(scope, account.id, { status: "disabled" }, NOW + 3);
  expect(await accounts.find(scope, account.id)).toMatchObject({
    ...{ limits, status: "disabled", blocksNewEntries: true },
  });
  for (const wrong of ["0", "-1"]) {
    const change = { limits: { ...limits, maxDailyLossUsd: decimal(wrong) } };
    await expect(accounts.change(scope, account.id, change, NOW)).rejects.toThrow("positive");
  }
  const over = { limits: { ...limits, maxDrawdownPct: decimal("100.1") } };
  await expect(accounts.change(scope, account.id, over, NOW)).rejects.toThrow("range");
});

databaseTest("accounts are out of reach from another workspace", async ({ sql }) => {
  const { vault, accounts, scope, account } = await world(sql);
  const theirs = await testScope(sql, "theirs");
  const { id } = account;
  expect(await accounts.list(theirs)).toEqual([]);
  expect(await accounts.find(theirs, id)).toBeNull();
  expect(await accounts.useCredential(theirs, id, NOW)).toBeNull();
  expect(await accounts.formerCredentials(theirs, id)).toEqual([]);
  expect(await accounts.change(theirs, id, { name: "x" }, NOW)).toMatchObject({ ok: false });
  const next = credential(vault, "x");
  expect(await accounts.replaceCredential(theirs, id, next, NOW)).toMatchObject({ ok: false });
  const probe = { ...aReport(), symbol: "x", credentialId: account.credential!.id };
  expect(await accounts.saveProbe(theirs, id, probe)).toBe(false);
  expect(await accounts.remove(theirs, id, NOW)).toBe(false);
  expect(await accounts.find(scope, id)).toEqual(account);
});

databaseTest(
  "a vault with a key that is no longer the database's cannot store",
  async ({ sql }) => {
    const { accounts, scope, account } = await world(sql);
    const former = createVault(new Uint8Array(randomBytes(32)));
    const stale = credential(former, "stale");
    const create = await accounts.create(scope, { ...MAIN, name: "Other" }, stale, NOW);
    expect(create).toMatchObject({ reason: "key_changed" });
    const replace = await accounts.replaceCredential(scope, account.id, stale, NOW);
    expect(replace).toMatchObject({ reason: "key_changed" });
    expect(await accounts.list(scope)).toEqual([account]);
  },
);
