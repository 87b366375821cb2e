// Before an account trades real money: a run of checks that is kept, and arming, which asks for a fresh run without a
// failure, the account's name typed, and a word on the copy of the master key. Called by the account page and by
// commands. Arming is the only place that lifts the freeze of live trading; disarming puts it back.
import { z } from "zod";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId, AccountStore, TradingAccount } from "../../ports/account-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Bot, BotStore } from "../../ports/bot-store.ts";
import type { ControlRows, ControlStore } from "../../ports/control-store.ts";
import type { Json, SettingsStore } from "../../ports/settings-store.ts";
import type { KeyId } from "../../ports/vault.ts";
import { judgePreflight, type PreflightVerdict } from "../../risk/preflight.ts";
import { PREFLIGHT_KEYS } from "../../risk/preflight-check.ts";
import { type Actor, noteAct } from "../desk/actor.ts";
import { includesRole } from "../desk/tokens.ts";
import { readArmed, writeArmed } from "./armed-mark.ts";
import { findOut, type PreflightSources } from "./preflight-facts.ts";

/** What the pre-flight works with. */
export type PreflightDeps = PreflightSources & {
  readonly accounts: Pick<AccountStore, "find" | "list">;
  readonly bots: Pick<BotStore, "list">;
  readonly settings: Pick<SettingsStore, "read" | "write" | "readInstance" | "writeInstance">;
  readonly control: Pick<ControlStore, "setStates">;
  readonly audit: Pick<AuditStore, "append">;
  /** The master key in use. */
  readonly keyId: KeyId;
};

/** A run as it is kept. */
export type PreflightRun = PreflightVerdict & {
  /** When it ended. */
  readonly at: EpochMs;
  /** What was checked, to be compared with what is to be armed. */
  readonly basis: string;
};

/** Why an account was not armed. */
export type ArmRefusal =
  | "unknown_account"
  | "not_allowed"
  | "not_live"
  | "wrong_name"
  | "key_backup_missing"
  | "never_checked"
  | "checked_too_long_ago"
  | "changed_since"
  | "check_failed";

/** Why an account was not disarmed. */
export type DisarmRefusal = "unknown_account" | "not_allowed" | "not_live" | "wrong_word";

/** What a person types to disarm. */
export const DISARM_WORD = "DISARM";

/** What a person says when arming. */
export type ArmWish = {
  readonly accountId: AccountId;
  /** The name of the account, typed. */
  readonly typedName: string;
  /** That the master key is kept away from this machine too. */
  readonly hasKeyBackup: boolean;
};

/** Checks and arms accounts. */
export type Preflight = {
  /** Makes every check and keeps the run; refused while the account is not there. @throws when aborted */
  run(
    scope: Scope,
    accountId: AccountId,
    signal: AbortSignal,
  ): Promise<Result<PreflightRun, "unknown_account">>;
  /** The last run; null without one. */
  last(scope: Scope, accountId: AccountId): Promise<PreflightRun | null>;
  /** Lets the account trade real money; audited. */
  arm(actor: Actor, wish: ArmWish): Promise<Result<ControlRows, ArmRefusal>>;
  /**
   * Freezes the account, and all live trading when no other account is armed, until a pre-flight arms it again;
   * audited.
   */
  disarm(
    actor: Actor,
    wish: { readonly accountId: AccountId; readonly typedWord: string },
  ): Promise<Result<ControlRows, DisarmRefusal>>;
};

/** A run may be this old when the account is armed. */
export const RUN_FRESH_MS = 10 * 60_000;
const KEY_BACKUP = "master_key_backup";

const storedRun = z.strictObject({
  format: z.literal(1),
  at: z.number(),
  basis: z.string(),
  level: z.enum(["pass", "warn", "fail"]),
  checks: z
    .array(
      z.strictObject({
        key: z.enum(PREFLIGHT_KEYS),
        level: z.enum(["pass", "warn", "fail"]),
        sentence: z.string(),
        remedy: z.string().nullable(),
      }),
    )
    .length(PREFLIGHT_KEYS.length),
});
const storedBackup = z.strictObject({ keyId: z.string(), at: z.number() });

const keyOf = (accountId: AccountId) => `preflight.${accountId}`;

/** Pre-flight of live accounts. */
export function createPreflight(deps: PreflightDeps): Preflight {
  const { accounts, bots, settings, clock } = deps;
  return {
    async run(scope, accountId, signal) {
      const account = await accounts.find(scope, accountId);
      if (account === null) return refuse("unknown_account", "there is no such account");
      const mine = await bots.list(scope, accountId);
      const keyBackupAt = await readKeyBackup(deps);
      const subject = { scope, account, bots: mine, keyBackupAt };
      const verdict = judgePreflight(await findOut(deps, subject, signal));
      const run: PreflightRun = { ...verdict, at: clock.now(), basis: basisOf(account, mine) };
      const value = { format: 1, ...run } as unknown as Json;
      const written = await settings.write(scope, { key: keyOf(accountId), value }, run.at);
      if (!written.ok) throw new Error(`the pre-flight was not kept: ${written.detail}`);
      return ok(run);
    },
    last: (scope, accountId) => readRun(deps, scope, accountId),
    arm: (actor, wish) => arm(deps, actor, wish),
    disarm: (actor, wish) => disarm(deps, actor, wish),
  };
}

async function arm(
  deps: PreflightDeps,
  actor: Actor,
  wish: ArmWish,
): Promise<Result<ControlRows, ArmRefusal>> {
  const { scope, user } = actor;
  const { accountId } = wish;
  const account = await deps.accounts.find(scope, accountId);
  if (account === null) return refuse("unknown_account", "there is no such account");
  if (!includesRole(scope.role, "owner")) {
    return refuse("not_allowed", "only an owner lets an account trade real money");
  }
  if (account.mode !== "live") {
    return refuse("not_live", `${account.name} trades no real money and needs no arming`);
  }
  if (wish.typedName.trim() !== account.name) {
    return refuse("wrong_name", `type the name of the account, ${account.name}, to arm it`);
  }
  if (!wish.hasKeyBackup) {
    const detail = "without a copy of the master key a broken disk locks the account's keys away";
    return refuse("key_backup_missing", detail);
  }
  const run = await usableRun(deps, scope, account);
  if (!run.ok) return run;
  await keepKeyBackup(deps, actor);
  const warnings = run.value.checks.filter(({ level }) => level === "warn").map(({ key }) => key);
  await noteAct(deps, actor, {
    action: "live_armed",
    object: `account:${accountId}`,
    after: { checkedAt: run.value.at, warnings, hasKeyBackup: true },
  });
  const reason = `${account.name} was armed after its pre-flight`;
  const change = { state: "active", reason, actor: user.email } as const;
  const rows = await deps.control.setStates(
    scope,
    [
      { ...change, scope: { kind: "account", accountId } },
      { ...change, scope: { kind: "live" } },
    ],
    deps.clock.now(),
  );
  const at = deps.clock.now();
  await writeArmed(deps.settings, scope, accountId, { mark: { at, by: user.email }, at });
  return ok(rows);
}

async function disarm(
  deps: PreflightDeps,
  actor: Actor,
  { accountId, typedWord }: Parameters<Preflight["disarm"]>[1],
): Promise<Result<ControlRows, DisarmRefusal>> {
  const { scope, user } = actor;
  const account = await deps.accounts.find(scope, accountId);
  if (account === null) return refuse("unknown_account", "there is no such account");
  if (!includesRole(scope.role, "trader")) {
    return refuse("not_allowed", "switching live trading off needs the rights of a trader");
  }
  if (account.mode !== "live") {
    return refuse("not_live", `${account.name} trades no real money and is never armed`);
  }
  if (typedWord.trim() !== DISARM_WORD) {
    return refuse("wrong_word", `type ${DISARM_WORD} in capital letters; nothing is changed`);
  }
  const isLast = !(await hasOtherArmed(deps, scope, accountId));
  await noteAct(deps, actor, {
    action: "live_disarmed",
    object: `account:${accountId}`,
    after: { isLast },
  });
  const reason = `${account.name} was disarmed`;
  const change = { state: "frozen", reason, actor: user.email } as const;
  const own = { ...change, scope: { kind: "account", accountId } } as const;
  const all = isLast ? [{ ...change, scope: { kind: "live" } } as const] : [];
  const at = deps.clock.now();
  const rows = await deps.control.setStates(scope, [own, ...all], at);
  await writeArmed(deps.settings, scope, accountId, { mark: null, at });
  return ok(rows);
}

/** Freezing all live trading would take the exits of another account that is armed. */
async function hasOtherArmed(
  { accounts, settings }: PreflightDeps,
  scope: Scope,
  accountId: AccountId,
): Promise<boolean> {
  for (const { id, mode } of await accounts.list(scope)) {
    if (mode !== "live" || id === accountId) continue;
    if ((await readArmed(settings, scope, id)) !== null) return true;
  }
  return false;
}

/** The last run, when it is fresh, about the account as it is, and without a failure. */
async function usableRun(
  deps: PreflightDeps,
  scope: Scope,
  account: TradingAccount,
): Promise<Result<PreflightRun, ArmRefusal>> {
  const run = await readRun(deps, scope, account.id);
  if (run === null) return refuse("never_checked", "run the pre-flight first");
  const ageMs = deps.clock.now() - run.at;
  if (ageMs > RUN_FRESH_MS || ageMs < 0) {
    const minutes = Math.floor(Math.abs(ageMs) / 60_000);
    return refuse("checked_too_long_ago", `the pre-flight is ${minutes} minutes off; run it again`);
  }
  if (run.basis !== basisOf(account, await deps.bots.list(scope, account.id))) {
    const detail = "keys, limits or bots were changed since the pre-flight; run it again";
    return refuse("changed_since", detail);
  }
  const failed = run.checks.filter(({ level }) => level === "fail");
  const [first] = failed;
  if (first === undefined) return ok(run);
  return refuse("check_failed", `${failed.length} checks failed. ${first.sentence}`);
}

/** What a run says something about: keys, limits, and every bot with the version of its configuration. */
function basisOf({ credential, limits, status }: TradingAccount, bots: readonly Bot[]): string {
  const versions = bots.map(({ id, configVersion }) => `${id}:${configVersion}`).sort();
  return JSON.stringify({ credential: credential?.id ?? null, limits, status, bots: versions });
}

/** What is stored and cannot be read counts as never checked. */
async function readRun(
  { settings }: PreflightDeps,
  scope: Scope,
  accountId: AccountId,
): Promise<PreflightRun | null> {
  const stored = await settings.read(scope, keyOf(accountId));
  const parsed = storedRun.safeParse(stored?.value);
  if (!parsed.success) return null;
  const { at, basis, level, checks } = parsed.data;
  return { at, basis, level, checks };
}

/** When somebody said it of the key in use; a changed key needs a new copy. */
async function readKeyBackup({ settings, keyId }: PreflightDeps): Promise<EpochMs | null> {
  const stored = await settings.readInstance(KEY_BACKUP);
  const parsed = storedBackup.safeParse(stored?.value);
  return parsed.success && parsed.data.keyId === keyId ? parsed.data.at : null;
}

async function keepKeyBackup(
  { settings, keyId, clock }: PreflightDeps,
  { user }: Actor,
): Promise<void> {
  const at = clock.now();
  const change = { key: KEY_BACKUP, value: { keyId, at } };
  const written = await settings.writeInstance(change, user.id, at);
  if (!written.ok) throw new Error(`the word on the master key was not kept: ${written.detail}`);
}
