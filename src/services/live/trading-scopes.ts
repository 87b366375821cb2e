// What a trading state can apply to, in words: keys for forms and settings, names for people, and which bots it
// covers. Used by emergency.ts and its pages; it decides nothing.
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

/** The state of a scope alone; without a row it is active. */
export function ownState(states: readonly ScopeState[], scope: TradingScope): ScopeState | null {
  return states.find((row) => scopeKey(row.scope) === scopeKey(scope)) ?? null;
}

/** The strictest state that covers a bot, and the row that says so; null when all are active. */
export function coveringState(states: readonly ScopeState[], bot: Covered): ScopeState | null {
  const rows = states.filter((row) => covers(row.scope, bot) && row.state !== "active");
  const state: TradingState = strictest(rows.map((row) => row.state));
  return rows.find((row) => row.state === state) ?? null;
}

/** Live trading that nobody ever switched on is no emergency. */
export function isNeverOn({ scope, state, actor }: ScopeState): boolean {
  return scope.kind === "live" && state === "frozen" && actor === "dragon";
}
