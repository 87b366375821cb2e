// The accounts of a workspace at exchanges: add, test, limit, disable, delete, and the keys they sign with.
// Used by the accounts pages. Every change is audited; a secret leaves this file sealed or wrapped only.
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountProbe, Credentials, ProbeReport } from "../../ports/account-probe.ts";
import type {
  AccountChange,
  AccountId,
  AccountLinks,
  AccountStatus,
  AccountStore,
  CredentialInfo,
  NewCredential,
  TradingAccount,
} from "../../ports/account-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { Vault } from "../../ports/vault.ts";
import { type AccountExchange, findExchange } from "./account-exchanges.ts";
import { failedChecks, mayWithdraw, refusalOf, testCredentials } from "./account-probing.ts";
import {
  type AccountWish,
  checkKeys,
  checkLimits,
  checkName,
  checkPlace,
  checkSymbol,
  maskKey,
  type TypedKeys,
  type TypedLimits,
} from "./account-wish.ts";
import { type Actor, type FieldRefusal, noteAct, refuseField } from "./actor.ts";
import { openCredentials, sealCredentials } from "./credential-seal.ts";

/** Most accounts of a workspace. */
export const ACCOUNTS_MAX = 50;

/** What the service needs. */
export type TradingAccountsDeps = {
  readonly accounts: AccountStore;
  readonly vault: Vault;
  readonly probe: AccountProbe;
  /** Everybody who may hold on to an account; a linked one is not deleted. */
  readonly links: readonly AccountLinks[];
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
};

/** Refused because of what the exchange answered; nothing was stored. */
export type KeysRefusal = {
  readonly ok: false;
  readonly reason: "keys_refused";
  readonly detail: string;
  readonly report: ProbeReport;
};

/** Refused because of the state of things, as a sentence. */
export type StateRefusal = {
  readonly ok: false;
  readonly reason: "unknown_account" | "linked" | "busy" | "key_changed";
  readonly detail: string;
};

/** The outcome of a change. */
export type AccountOutcome =
  { readonly ok: true; readonly account: TradingAccount } | FieldRefusal | StateRefusal;

/** Accounts of a workspace; those of another do not exist for the caller. */
export type TradingAccounts = {
  /** By name. */
  list(scope: Scope): Promise<TradingAccount[]>;
  find(scope: Scope, id: AccountId): Promise<TradingAccount | null>;
  formerCredentials(scope: Scope, id: AccountId): Promise<CredentialInfo[]>;
  /** Asks the exchange first; keys it refuses, or that may withdraw, are never stored. */
  create(actor: Actor, wish: AccountWish): Promise<AccountOutcome | KeysRefusal>;
  rename(actor: Actor, id: AccountId, name: string): Promise<AccountOutcome>;
  setStatus(actor: Actor, id: AccountId, status: AccountStatus): Promise<AccountOutcome>;
  setBlock(actor: Actor, id: AccountId, blocks: boolean): Promise<AccountOutcome>;
  setLimits(actor: Actor, id: AccountId, typed: TypedLimits): Promise<AccountOutcome>;
  /** The former keys and their secrets are gone once this succeeds; until then they stay. */
  replaceKeys(actor: Actor, id: AccountId, typed: TypedKeys): Promise<AccountOutcome | KeysRefusal>;
  /** Asks the exchange and keeps the answer; keys that may withdraw block new entries. */
  test(actor: Actor, id: AccountId, symbol: string): Promise<AccountOutcome>;
  /** Soft: what points at the account keeps it; its secrets are removed. */
  remove(actor: Actor, id: AccountId): Promise<{ readonly ok: true } | StateRefusal>;
  /** The clock that ages are told by. */
  now(): EpochMs;
};

const UNKNOWN: StateRefusal = {
  ok: false,
  reason: "unknown_account",
  detail: "there is no such account",
};
const KEY_CHANGED: StateRefusal = {
  ok: false,
  reason: "key_changed",
  detail: "the master key was changed while Dragon was running: restart Dragon",
};
const BUSY: StateRefusal = {
  ok: false,
  reason: "busy",
  detail: "a test is already under way: wait for its end",
};

/** Builds the service. */
export function createTradingAccounts(deps: TradingAccountsDeps): TradingAccounts {
  const { accounts } = deps;
  const alone = oneAtATime();
  const change = (actor: Actor, id: AccountId, happening: Change) =>
    changeAccount(deps, actor, id, happening);
  return {
    list: (scope) => accounts.list(scope),
    find: (scope, id) => accounts.find(scope, id),
    formerCredentials: (scope, id) => accounts.formerCredentials(scope, id),
    create: (actor, wish) =>
      alone(`workspace:${actor.scope.workspaceId}`, () => create(deps, actor, wish)),
    async rename(actor, id, typed) {
      const name = checkName(typed);
      if (!name.ok) return name;
      return change(actor, id, { action: "account_renamed", change: { name: name.value } });
    },
    setStatus: (actor, id, status) =>
      change(actor, id, {
        action: status === "active" ? "account_enabled" : "account_disabled",
        change: { status },
      }),
    async setBlock(actor, id, blocksNewEntries) {
      if (blocksNewEntries) {
        return change(actor, id, { action: "account_blocked", change: { blocksNewEntries } });
      }
      const account = await accounts.find(actor.scope, id);
      if (account?.probe && mayWithdraw(account.probe)) {
        return refuseField("block", "the keys may withdraw: replace them first");
      }
      return change(actor, id, { action: "account_unblocked", change: { blocksNewEntries } });
    },
    async setLimits(actor, id, typed) {
      const limits = checkLimits(typed);
      if (!limits.ok) return limits;
      const action = "account_limits_changed";
      return change(actor, id, { action, change: { limits: limits.value } });
    },
    replaceKeys: (actor, id, typed) =>
      alone(`account:${id}`, () => replaceKeys(deps, actor, id, typed)),
    test: (actor, id, symbol) => alone(`account:${id}`, () => test(deps, actor, id, symbol)),
    remove: (actor, id) => remove(deps, actor, id),
    now: () => deps.clock.now(),
  };
}

/** Runs a step unless one of the same name runs: exchanges count requests, and a click is quick. */
function oneAtATime() {
  const running = new Set<string>();
  return async <T>(name: string, step: () => Promise<T>): Promise<T | StateRefusal> => {
    if (running.has(name)) return BUSY;
    running.add(name);
    try {
      return await step();
    } finally {
      running.delete(name);
    }
  };
}

type Change = { readonly action: string; readonly change: AccountChange };

async function changeAccount(
  { accounts, audit, clock }: TradingAccountsDeps,
  actor: Actor,
  id: AccountId,
  { action, change }: Change,
): Promise<AccountOutcome> {
  const known = await accounts.find(actor.scope, id);
  if (!known) return UNKNOWN;
  const changed = await accounts.change(actor.scope, id, change, clock.now());
  if (!changed.ok) {
    return changed.reason === "unknown_account" ? UNKNOWN : refuseField("name", changed.detail);
  }
  const before = shownParts(known, change);
  const after = shownParts(changed.value, change);
  await noteAct({ audit, clock }, actor, { action, object: `account:${id}`, before, after });
  return { ok: true, account: changed.value };
}

/** The parts of an account that a change touched, for the audit log. */
function shownParts(account: TradingAccount, change: AccountChange): Json {
  const { name, status, blocksNewEntries, limits } = account;
  return {
    ...(change.name === undefined ? {} : { name }),
    ...(change.status === undefined ? {} : { status }),
    ...(change.blocksNewEntries === undefined ? {} : { blocksNewEntries }),
    ...(change.limits === undefined ? {} : { limits }),
  };
}

async function create(
  deps: TradingAccountsDeps,
  actor: Actor,
  wish: AccountWish,
): Promise<AccountOutcome | KeysRefusal> {
  const { accounts, clock } = deps;
  const place = checkPlace(wish);
  if (!place.ok) return place;
  const name = checkName(wish.name);
  if (!name.ok) return name;
  const keys = checkKeys(deps.vault, place.value, wish);
  if (!keys.ok) return keys;
  const present = await accounts.list(actor.scope);
  if (present.length >= ACCOUNTS_MAX) {
    return refuseField("name", `there are ${present.length} accounts, the most allowed`);
  }
  const { exchange, mode } = place.value;
  const report = keys.value && (await ask(deps, { exchange, mode }, keys.value));
  const refused =
    report && (await refuseKeys(deps, actor, "account:new", { exchange, mode }, report));
  if (refused) return refused;
  const account = { name: name.value, exchangeId: exchange.id, mode };
  const credential = keys.value && newCredential(deps.vault, keys.value);
  const made = await accounts.create(actor.scope, account, credential, clock.now());
  if (!made.ok) {
    const { reason, detail } = made;
    return reason === "name_taken" ? refuseField("name", detail) : { ok: false, reason, detail };
  }
  const { id } = made.value;
  const after = { ...account, key: made.value.credential?.maskedKey ?? null };
  await noteAct(deps, actor, { action: "account_created", object: `account:${id}`, after });
  return report ? keep(deps, actor, made.value, exchange.testSymbol, report) : shown(made.value);
}

function shown(account: TradingAccount): AccountOutcome {
  return { ok: true, account };
}

type Place = { readonly exchange: AccountExchange; readonly mode: TradingAccount["mode"] };

function ask(
  { probe, clock }: TradingAccountsDeps,
  { exchange, mode }: Place,
  credentials: Credentials,
  symbol = exchange.testSymbol,
): Promise<ProbeReport> {
  return testCredentials(probe, { exchangeId: exchange.id, mode, credentials, symbol }, clock);
}

async function refuseKeys(
  deps: TradingAccountsDeps,
  actor: Actor,
  object: string,
  { exchange, mode }: Place,
  report: ProbeReport,
): Promise<KeysRefusal | undefined> {
  const detail = refusalOf(report);
  if (detail === undefined) return undefined;
  const after = {
    exchangeId: exchange.id,
    mode,
    failed: failedChecks(report),
    mayWithdraw: mayWithdraw(report),
  };
  await noteAct(deps, actor, { action: "credentials_refused", object, after });
  return { ok: false, reason: "keys_refused", detail, report };
}

function newCredential(vault: Vault, clear: Credentials): NewCredential {
  return {
    keyId: vault.keyId,
    maskedKey: maskKey(clear.apiKey.reveal()),
    seal: (row) => sealCredentials(vault, row, clear),
  };
}

/** Keeps what the exchange answered; keys that may withdraw block new entries. */
async function keep(
  deps: TradingAccountsDeps,
  actor: Actor,
  { id, credential, blocksNewEntries }: TradingAccount,
  symbol: string,
  report: ProbeReport,
): Promise<AccountOutcome> {
  const { accounts } = deps;
  if (!credential) return UNKNOWN;
  const probe = { ...report, credentialId: credential.id, symbol };
  const isKept = await accounts.saveProbe(actor.scope, id, probe);
  const after = { symbol, failed: failedChecks(report), mayWithdraw: report.mayWithdraw };
  await noteAct(deps, actor, { action: "account_tested", object: `account:${id}`, after });
  if (isKept && mayWithdraw(report) && !blocksNewEntries) {
    const change = { blocksNewEntries: true };
    return changeAccount(deps, actor, id, { action: "account_blocked", change });
  }
  const kept = await accounts.find(actor.scope, id);
  return kept ? shown(kept) : UNKNOWN;
}

function placeOf({ exchangeId, mode }: TradingAccount): Place | undefined {
  const exchange = findExchange(exchangeId);
  return exchange && { exchange, mode };
}

async function replaceKeys(
  deps: TradingAccountsDeps,
  actor: Actor,
  id: AccountId,
  typed: TypedKeys,
): Promise<AccountOutcome | KeysRefusal> {
  const { accounts, clock, vault } = deps;
  const account = await accounts.find(actor.scope, id);
  const place = account && placeOf(account);
  if (!account || !place) return UNKNOWN;
  const keys = checkKeys(vault, place, typed);
  if (!keys.ok) return keys;
  if (!keys.value) return refuseField("form", "a paper account uses no keys");
  const report = await ask(deps, place, keys.value);
  const refused = await refuseKeys(deps, actor, `account:${id}`, place, report);
  if (refused) return refused;
  const credential = newCredential(vault, keys.value);
  const changed = await accounts.replaceCredential(actor.scope, id, credential, clock.now());
  if (!changed.ok) return changed.reason === "unknown_account" ? UNKNOWN : changed;
  await noteAct(deps, actor, {
    action: "credentials_replaced",
    object: `account:${id}`,
    before: { key: account.credential?.maskedKey ?? null },
    after: { key: changed.value.credential?.maskedKey ?? null },
  });
  return keep(deps, actor, changed.value, place.exchange.testSymbol, report);
}

async function test(
  deps: TradingAccountsDeps,
  actor: Actor,
  id: AccountId,
  typed: string,
): Promise<AccountOutcome> {
  const { accounts, clock, vault } = deps;
  const account = await accounts.find(actor.scope, id);
  const place = account && placeOf(account);
  if (!account || !place) return UNKNOWN;
  const symbol = checkSymbol(typed, place.exchange);
  if (!symbol.ok) return symbol;
  const sealed = await accounts.useCredential(actor.scope, id, clock.now());
  if (!sealed) return refuseField("form", "a paper account has no keys to test");
  if (sealed.keyId !== vault.keyId) return KEY_CHANGED;
  const report = await ask(deps, place, openCredentials(vault, sealed), symbol.value);
  // The answer is about the credentials that were asked with, also when they are replaced by now.
  const asked = account.credential && { ...account.credential, id: sealed.id };
  return keep(deps, actor, { ...account, credential: asked }, symbol.value, report);
}

async function remove(
  { accounts, links, audit, clock }: TradingAccountsDeps,
  actor: Actor,
  id: AccountId,
): Promise<{ readonly ok: true } | StateRefusal> {
  const account = await accounts.find(actor.scope, id);
  if (!account) return UNKNOWN;
  const linked = (await Promise.all(links.map((each) => each.describe(actor.scope, id)))).flat();
  if (linked.length > 0) {
    const detail = `the account is used by ${linked.join(", ")}: unlink or delete that first`;
    return { ok: false, reason: "linked", detail };
  }
  if (!(await accounts.remove(actor.scope, id, clock.now()))) return UNKNOWN;
  const { name, exchangeId, mode } = account;
  const before = { name, exchangeId, mode, key: account.credential?.maskedKey ?? null };
  await noteAct({ audit, clock }, actor, {
    action: "account_deleted",
    object: `account:${id}`,
    before,
  });
  return { ok: true };
}
