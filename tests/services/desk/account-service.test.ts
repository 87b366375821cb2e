// The accounts service over a real database: what is asked of the exchange before anything is stored, what
// is audited, and what is never told.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createKeyRotationRepository } from "../../../src/adapters/postgres/key-rotation-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { createVault } from "../../../src/adapters/vault/vault.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { ProbeReport } from "../../../src/ports/account-probe.ts";
import type { AccountLinks } from "../../../src/ports/account-store.ts";
import { refusalOf, testCredentials } from "../../../src/services/desk/account-probing.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import { resealCredentials } from "../../../src/services/desk/credential-seal.ts";
import { ACCOUNTS_MAX, type TradingAccounts } from "../../../src/services/desk/trading-accounts.ts";
import {
  aCheck,
  aReport,
  KEYS,
  TEST_KEY,
  testAccounts,
  testProbe,
} from "../../support/account-probe.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const WISH = { name: "Main", exchange: "woox", mode: "live", ...KEYS };
const clock = createClock();
let database: TestDatabase;
let probe: ReturnType<typeof testProbe>;
let linked: readonly string[];
let accounts: TradingAccounts;
let actor: Actor;

async function actorIn(name: string): Promise<Actor> {
  const scope = await testScope(database.sql, name);
  const user = { id: scope.userId, email: `${name}@example.org`, timeZone: "UTC" };
  return { scope, user: { ...user, createdAt: 0, disabledAt: null } };
}

beforeEach(async () => {
  database = await testDatabase();
  probe = testProbe();
  linked = [];
  const links: AccountLinks[] = [{ describe: async () => linked }];
  accounts = await testAccounts(database.sql, clock, { probe, links });
  actor = await actorIn("one");
}, 30_000);
afterEach(() => database.drop());

async function added(wish: Partial<typeof WISH> = {}) {
  const made = await accounts.create(actor, { ...WISH, ...wish });
  if (!made.ok) throw new Error(made.detail);
  return made.account;
}

async function actions(scope: Scope = actor.scope): Promise<string[]> {
  const entries = await createAuditRepository(database.sql).list(scope, { limit: 100 });
  const text = JSON.stringify(entries);
  expect(text).not.toContain(KEYS.apiKey);
  expect(text).not.toContain(KEYS.apiSecret);
  return entries.map(({ action }) => action).reverse();
}

const stored = () => database.sql`select 1 from credentials`;

test("an account is stored once the exchange accepts its keys, with what it answered", async () => {
  const account = await added({ apiKey: ` ${KEYS.apiKey}\n` });
  expect(account.credential?.maskedKey).toBe("kEy…StU");
  expect(account.probe).toMatchObject({ symbol: "BTC/USDT:USDT", mayWithdraw: false });
  const [asked] = probe.asked;
  expect(asked).toMatchObject({ exchangeId: "woox", mode: "live", symbol: "BTC/USDT:USDT" });
  expect(asked?.credentials.apiKey.reveal()).toBe(KEYS.apiKey);
  expect(asked?.credentials.passphrase).toBeNull();
  expect(JSON.stringify(asked)).not.toContain(KEYS.apiKey);
  expect(await actions()).toEqual(["account_created", "account_tested"]);
});

const failing = (name: "key" | "reachable", sentence: string): ProbeReport =>
  aReport({
    checks: [aCheck(name, { outcome: "fail", fault: "other", sentence })],
    mayWithdraw: null,
  });
const REFUSED: [what: string, report: ProbeReport, says: string][] = [
  ["may withdraw", aReport({ mayWithdraw: true }), "may withdraw"],
  [
    "fail the check for withdrawals",
    aReport({
      checks: [
        aCheck("key"),
        aCheck("withdraw_permission", { outcome: "fail", fault: "withdraw" }),
      ],
      mayWithdraw: null,
    }),
    "may withdraw",
  ],
  ["the exchange refuses", failing("key", "The key is unknown."), "The key is unknown."],
  ["nobody answers for", failing("reachable", "No answer in 20 s."), "No answer in 20 s."],
  ["the exchange says nothing about", aReport({ checks: [] }), "did not say"],
];

for (const [what, report, says] of REFUSED) {
  test(`keys that ${what} are not stored, neither new nor in place of others`, async () => {
    const account = await added({ name: "Other" });
    probe.answer = async () => report;
    const refused = await accounts.create(actor, WISH);
    expect(refused).toMatchObject({ ok: false, reason: "keys_refused" });
    if (refused.ok) throw new Error("it was stored");
    expect(refused.detail).toContain(says);
    const replaced = await accounts.replaceKeys(actor, account.id, {
      ...KEYS,
      apiKey: "x".repeat(24),
    });
    expect(replaced).toMatchObject({ ok: false, reason: "keys_refused" });
    expect(await stored()).toHaveLength(1);
    expect(await accounts.list(actor.scope)).toEqual([account]);
    expect((await actions()).slice(2)).toEqual(["credentials_refused", "credentials_refused"]);
  });
}

const TYPED: [what: string, change: Partial<typeof WISH>, field: string, says: string][] = [
  ["no name", { name: " " }, "name", "0 characters; it must have 1 to 60"],
  ["a long name", { name: "x".repeat(61) }, "name", "61 characters"],
  ["an unknown exchange", { exchange: "mtgox" }, "exchange", '"mtgox" must be one of woox, '],
  ["an unknown mode", { mode: "yolo" }, "mode", '"yolo" must be one of live, paper, demo'],
  ["a demo elsewhere", { exchange: "okx", mode: "demo" }, "mode", "only there for WOO X"],
  ["no key", { apiKey: "" }, "apiKey", "the API key is missing"],
  ["a short secret", { apiSecret: "seven77" }, "apiSecret", "7 characters; it must have 8 to 512"],
  ["a key with a space", { apiKey: "abcdefgh ijklmnop" }, "apiKey", "copy it again"],
  ["a needless passphrase", { passphrase: "phrase-1" }, "passphrase", "WOO X uses no passphrase"],
  ["no passphrase", { exchange: "okx" }, "passphrase", "the passphrase is missing"],
  ["keys for paper", { mode: "paper" }, "form", "uses no keys"],
];

for (const [what, change, field, says] of TYPED) {
  test(`${what} is refused with a sentence before the exchange is asked`, async () => {
    const wish = { ...WISH, ...change };
    const refused = await accounts.create(actor, wish);
    expect(refused).toMatchObject({ ok: false, reason: "refused", field });
    if (refused.ok) throw new Error("it was stored");
    expect(refused.detail).toContain(says);
    if (wish.apiKey !== "") expect(refused.detail).not.toContain(wish.apiKey);
    expect(refused.detail).not.toContain(wish.apiSecret);
    expect(probe.asked).toHaveLength(0);
    expect(await accounts.list(actor.scope)).toEqual([]);
  });
}

test("a taken name stores no keys, and there is a most of accounts", async () => {
  await added();
  const twin = await accounts.create(actor, { ...WISH, name: "MAIN" });
  expect(twin).toMatchObject({ reason: "refused", field: "name" });
  expect(await stored()).toHaveLength(1);
  const repository = createAccountRepository(database.sql);
  for (let n = 1; n < ACCOUNTS_MAX; n++) {
    const paper = { name: `p${n}`, exchangeId: "woox", mode: "paper" } as const;
    await repository.create(actor.scope, paper, null, clock.now());
  }
  const over = await accounts.create(actor, { ...WISH, name: "one more" });
  expect(over).toMatchObject({ field: "name", detail: "there are 50 accounts, the most allowed" });
});

test("a paper account asks nobody and has no keys to test or replace", async () => {
  const none = { apiKey: "", apiSecret: "", passphrase: "" };
  const { id, credential } = await added({ mode: "paper", ...none });
  expect(credential).toBeNull();
  expect(await accounts.test(actor, id, "")).toMatchObject({ field: "form" });
  expect(await accounts.replaceKeys(actor, id, KEYS)).toMatchObject({ field: "form" });
  expect(probe.asked).toHaveLength(0);
});

test("a test opens the stored keys, keeps the answer and notes the use", async () => {
  const { id } = await added({ exchange: "okx", passphrase: "Phrase-1!" });
  probe.answer = async () =>
    aReport({ checks: [aCheck("key", { outcome: "fail", fault: "address", sentence: "No." })] });
  const tested = await accounts.test(actor, id, " eth/usdt:usdt ");
  if (!tested.ok) throw new Error(tested.detail);
  expect(tested.account.probe).toMatchObject({
    symbol: "ETH/USDT:USDT",
    checks: [{ sentence: "No." }],
  });
  expect(tested.account.credential?.lastUsedAt).not.toBeNull();
  expect(tested.account.blocksNewEntries).toBe(false);
  const asked = probe.asked.at(-1);
  expect(asked?.symbol).toBe("ETH/USDT:USDT");
  expect(asked?.credentials.apiSecret.reveal()).toBe(KEYS.apiSecret);
  expect(asked?.credentials.passphrase?.reveal()).toBe("Phrase-1!");
  const wrong = await accounts.test(actor, id, "ETH-PERP");
  expect(wrong).toMatchObject({ field: "symbol" });
});

test("keys that turn out to withdraw block entries until they are replaced", async () => {
  const { id } = await added();
  probe.answer = async () => aReport({ mayWithdraw: true });
  expect(await accounts.test(actor, id, "")).toMatchObject({ account: { blocksNewEntries: true } });
  expect(await accounts.setBlock(actor, id, false)).toMatchObject({ ok: false, field: "block" });
  probe.answer = async () => aReport();
  const replaced = await accounts.replaceKeys(actor, id, {
    ...KEYS,
    apiKey: "another-key-of-24-chars!",
  });
  expect(replaced).toMatchObject({ account: { credential: { maskedKey: "ano…rs!" } } });
  expect(await accounts.setBlock(actor, id, false)).toMatchObject({
    account: { blocksNewEntries: false },
  });
  expect((await actions()).slice(2)).toEqual([
    ...["account_tested", "account_blocked", "credentials_replaced", "account_tested"],
    "account_unblocked",
  ]);
});

test("an answer about keys that were replaced meanwhile blocks nothing", async () => {
  const { id } = await added();
  const repository = createAccountRepository(database.sql);
  probe.answer = async () => {
    await database.sql`update credentials set revoked_at = now(), sealed_api_key = null,
      sealed_api_secret = null`;
    return aReport({ mayWithdraw: true });
  };
  await accounts.test(actor, id, "");
  expect(await repository.find(actor.scope, id)).toMatchObject({
    ...{ blocksNewEntries: false, credential: null },
  });
});

test("an exchange that takes too long is one that does not answer", async () => {
  const probe = { probe: () => new Promise<ProbeReport>(() => undefined) };
  const secret = { reveal: () => "0123456789", toString: () => "", toJSON: () => "" };
  const credentials = { apiKey: secret, apiSecret: secret, passphrase: null, uid: null };
  const request = { exchangeId: "woox", mode: "live", credentials, symbol: "BTC/USDT" } as const;
  const report = await testCredentials(probe, request, clock, 20);
  expect(report.checks).toMatchObject([{ name: "reachable", fault: "unreachable" }]);
  expect(refusalOf(report)).toContain("within 0.02 s");
});

test("keys are accepted where the exchange tells no rights but answers signed questions", () => {
  const skipped = aCheck("key", { outcome: "skipped", sentence: "It does not tell." });
  const checks = [aCheck("reachable"), skipped, aCheck("balances")];
  expect(refusalOf(aReport({ checks, mayWithdraw: null }))).toBeUndefined();
  const failed = aCheck("balances", { outcome: "fail", fault: "key", sentence: "No." });
  expect(refusalOf(aReport({ checks: [skipped, failed], mayWithdraw: null }))).toBe("No.");
});

test("after a change of the master key nothing is stored or opened before a restart", async () => {
  const { id } = await added();
  const nextKey = new Uint8Array(32).map((_, n) => n * 3 + 2);
  const next = createVault(nextKey);
  const both = createVault(nextKey, [TEST_KEY]);
  const rotated = await createKeyRotationRepository(database.sql).rotate(
    {
      fromKeyId: createVault(TEST_KEY).keyId,
      toKeyId: next.keyId,
      check: next.seal("dragon master key", "key-check"),
      reseal: (row) => resealCredentials(both, row),
      verify: () => undefined,
    },
    clock.now(),
  );
  expect(rotated).toEqual({ ok: true, value: 1 });
  const says = { ok: false, reason: "key_changed", detail: expect.stringContaining("restart") };
  expect(await accounts.test(actor, id, "")).toMatchObject(says);
  expect(await accounts.create(actor, { ...WISH, name: "Two" })).toMatchObject(says);
  expect(await accounts.replaceKeys(actor, id, KEYS)).toMatchObject(says);
  accounts = await testAccounts(database.sql, clock, { probe, vault: next });
  expect((await accounts.test(actor, id, "")).ok).toBe(true);
  expect(probe.asked.at(-1)?.credentials.apiKey.reveal()).toBe(KEYS.apiKey);
});

test("a second test waits for the first one's end", async () => {
  const { id } = await added();
  const answer = Promise.withResolvers<ProbeReport>();
  probe.answer = () => answer.promise;
  const first = accounts.test(actor, id, "");
  expect(await accounts.test(actor, id, "")).toMatchObject({ ok: false, reason: "busy" });
  answer.resolve(aReport());
  expect((await first).ok).toBe(true);
  expect((await accounts.test(actor, id, "")).ok).toBe(true);
});

test("what a probe throws or says tells no secret", async () => {
  const { id } = await added();
  const leak = `GET https://x/?key=${KEYS.apiKey}&sign=${encodeURIComponent(KEYS.apiSecret)}`;
  probe.answer = async () => aReport({ checks: [aCheck("key", { sentence: leak })] });
  const tested = await accounts.test(actor, id, "");
  expect(JSON.stringify(tested)).toContain("GET https://x/?key=[secret]&sign=[secret]");
  expect(JSON.stringify(tested)).not.toContain(KEYS.apiKey);
  probe.answer = async () => {
    throw new Error(leak, { cause: leak });
  };
  const failed = accounts.test(actor, id, "");
  await expect(failed).rejects.toThrow("failed unexpectedly: GET https://x/?key=[secret]");
  const thrown = await failed.catch((error: unknown) => error);
  expect(Bun.inspect(thrown)).not.toContain(KEYS.apiKey);
  // A failed test does not stay under way.
  probe.answer = async () => aReport();
  expect((await accounts.test(actor, id, "")).ok).toBe(true);
});

const LIMITS = {
  maxDailyLossUsd: "100.50",
  maxTotalLossUsd: "1000",
  maxDrawdownPct: "12.5",
  maxSymbolExposureUsd: "",
  maxGrossExposureUsd: " 5000 ",
};

test("limits are read exactly, an empty one is none, and one wrong one refuses all", async () => {
  const { id } = await added();
  const changed = await accounts.setLimits(actor, id, LIMITS);
  const limits = {
    maxDailyLossUsd: "100.5",
    maxTotalLossUsd: "1000",
    maxDrawdownPct: "12.5",
    maxSymbolExposureUsd: null,
    maxGrossExposureUsd: "5000",
  };
  if (!changed.ok) throw new Error(changed.detail);
  expect<unknown>(changed.account.limits).toEqual(limits);
  for (const wrong of ["0", "-1", "abc", "1e3", "1,000", "1000000000001", "NaN", "0.000000001"]) {
    const refused = await accounts.setLimits(actor, id, { ...LIMITS, maxTotalLossUsd: wrong });
    expect(refused).toMatchObject({ ok: false, field: "maxTotalLossUsd" });
  }
  const steep = await accounts.setLimits(actor, id, { ...LIMITS, maxDrawdownPct: "100.01" });
  expect(steep).toMatchObject({ field: "maxDrawdownPct" });
  expect((await accounts.find(actor.scope, id))?.limits).toEqual(changed.account.limits);
});

test("names, states and deletion are audited, and a linked account stays", async () => {
  const { id } = await added();
  await accounts.rename(actor, id, "  Second   name ");
  expect(await accounts.setStatus(actor, id, "disabled")).toMatchObject({
    account: { name: "Second name", status: "disabled" },
  });
  await accounts.setStatus(actor, id, "active");
  linked = ["2 bots", "1 desk"];
  expect(await accounts.remove(actor, id)).toEqual({
    ok: false,
    reason: "linked",
    detail: "the account is used by 2 bots, 1 desk: unlink or delete that first",
  });
  expect(await accounts.find(actor.scope, id)).not.toBeNull();
  linked = [];
  expect(await accounts.remove(actor, id)).toEqual({ ok: true });
  expect(await accounts.remove(actor, id)).toMatchObject({ reason: "unknown_account" });
  expect((await actions()).slice(2)).toEqual([
    ...["account_renamed", "account_disabled", "account_enabled", "account_deleted"],
  ]);
});

test("nothing of an account can be seen or changed from another workspace", async () => {
  const { id } = await added();
  const other = await actorIn("two");
  const before = JSON.stringify(await database.sql`select * from accounts, credentials`);
  const tries = [
    accounts.rename(other, id, "mine"),
    accounts.setStatus(other, id, "disabled"),
    accounts.setBlock(other, id, true),
    accounts.setLimits(other, id, LIMITS),
    accounts.replaceKeys(other, id, KEYS),
    accounts.test(other, id, ""),
    accounts.remove(other, id),
  ];
  for (const tried of await Promise.all(tries)) {
    expect(tried).toMatchObject({ ok: false });
  }
  expect(await accounts.find(other.scope, id)).toBeNull();
  expect(JSON.stringify(await database.sql`select * from accounts, credentials`)).toBe(before);
  expect(await actions(other.scope)).toEqual([]);
  expect(probe.asked).toHaveLength(1);
});
