// What a trading state can apply to, in words: keys for forms and settings, names for people, which bots it covers, and
// which states only say that real money was not switched on. Used by emergency.ts and its pages; decides nothing.
import type { AccountId, TradingAccount } from "../../ports/account-store.ts";
import type { Bot, BotId } from "../../ports/bot-store.ts";
import type { ScopeState, TradingScope } from "../../ports/control-store.ts";
import { strictest, type TradingState } from "../../risk/trading-state.ts";

/** Everything of a workspace a scope can name. */
export type ScopePeople = {
  readonly accounts: readonly Pick<TradingAccount, "id" | "name" | "mode" | "status">[];
  readonly bots: readonly Pick<Bot, "id" | "name" | "accountId" | "mode">[];
};

/** Key of a scope: `global`, `live`, `account:3`, `bot:12`. */
export function scopeKey(scope: TradingScope): string {
  if (scope.kind === "account") return `account:${scope.accountId}`;
  return scope.kind === "bot" ? `bot:${scope.botId}` : scope.kind;
}

/** The scope of a key that names something of the workspace; null otherwise. */
export function scopeOfKey(key: string, { accounts, bots }: ScopePeople): TradingScope | null {
  if (key === "global" || key === "live") return { kind: key };
  const [, kind, digits] = /^(account|bot):(\d{1,15})$/.exec(key) ?? [];
  const id = Number(digits);
  if (kind === "account" && accounts.some((account) => account.id === id)) {
    return { kind, accountId: id as AccountId };
  }
  const isBot = kind === "bot" && bots.some((bot) => bot.id === id);
  return isBot ? { kind, botId: id as BotId } : null;
}

/** What people call a scope. */
export function scopeName(scope: TradingScope, { accounts, bots }: ScopePeople): string {
  if (scope.kind === "global") return "Everything";
  if (scope.kind === "live") return "Live trading";
  if (scope.kind === "account") {
    const account = accounts.find(({ id }) => id === scope.accountId);
    return account ? `Account ${account.name}` : "A deleted account";
  }
  const bot = bots.find(({ id }) => id === scope.botId);
  return bot ? `Bot ${bot.name}` : "A deleted bot";
}

type Covered = Pick<Bot, "id" | "accountId" | "mode">;

/** Whether a scope covers a bot. */
export function covers(scope: TradingScope, bot: Covered): boolean {
  switch (scope.kind) {
    case "global":
      return true;
    case "live":
      return bot.mode === "live";
    case "account":
      return scope.accountId === bot.accountId;
    default:
      return scope.botId === bot.id;
  }
}

/** The state of a scope as a person has to know it. */
export type KnownState = ScopeState & {
  /** Real money that only a pre-flight switches on: of an account nobody armed, or of all when none is. */
  readonly isUnarmed: boolean;
};

type LiveAccount = Pick<TradingAccount, "id" | "name" | "mode" | "status" | "createdAt">;

/**
 * Every state that counts: rows of what is there, and the freeze of live accounts without a row, which
 * workers go by although nobody wrote it down.
 * @param armed live accounts with the mark of who armed them
 */
export function knownStates(
  states: readonly ScopeState[],
  people: Omit<ScopePeople, "accounts"> & { readonly accounts: readonly LiveAccount[] },
  armed: ReadonlySet<AccountId>,
): readonly KnownState[] {
  const live = people.accounts.filter(({ mode }) => mode === "live");
  const isUnarmed = (scope: TradingScope) =>
    scope.kind === "live"
      ? armed.size === 0
      : scope.kind === "account" && live.some(({ id }) => id === scope.accountId && !armed.has(id));
  const rows = states
    .filter(({ scope }) => scopeOfKey(scopeKey(scope), people) !== null)
    .map((row) => ({ ...row, isUnarmed: isUnarmed(row.scope) }));
  const unwritten = live.map(({ id: accountId, createdAt: changedAt }): KnownState => {
    const scope = { kind: "account", accountId } as const;
    const reason = "the account was never armed";
    return { scope, state: "frozen", reason, actor: "dragon", changedAt, isUnarmed: true };
  });
  return [...rows, ...unwritten.filter(({ scope }) => ownState(rows, scope) === null)];
}

/** The state of a scope alone; without one it is active. */
export function ownState<State extends ScopeState>(
  states: readonly State[],
  scope: TradingScope,
): State | null {
  return states.find((row) => scopeKey(row.scope) === scopeKey(scope)) ?? null;
}

/** The strictest state that covers a bot, and the row that says so; null when all are active. */
export function coveringState(states: readonly ScopeState[], bot: Covered): ScopeState | null {
  const rows = states.filter((row) => covers(row.scope, bot) && row.state !== "active");
  const state: TradingState = strictest(rows.map((row) => row.state));
  return rows.find((row) => row.state === state) ?? null;
}

/** Real money that was never switched on, or was switched off again: nobody stopped it, it is no emergency. */
export function isNeverOn({ state, isUnarmed }: Pick<KnownState, "state" | "isUnarmed">): boolean {
  return isUnarmed && state === "frozen";
}
