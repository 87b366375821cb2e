// The durable state of bots on PostgreSQL: read by whoever begins to run a bot, moved on by the step of
// a bot inside the write-ahead commit of trading-intents.ts. Nobody else writes it.
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { BotId, BotState } from "../../ports/bot-store.ts";
import type { StepRecord } from "../../ports/trading-store.ts";
import type { Query, Transaction } from "./connect.ts";
import { at, firstOrNull, jsonb } from "./rows.ts";
import type { GuardedAccount } from "./trading-leases.ts";

/** Names an account in a write that is not proven to be allowed yet. */
export type AccountKey = Pick<GuardedAccount, "workspaceId" | "accountId">;

/** The state of a bot; null before its first step and for deleted bots. */
export async function readState(sql: Query, scope: Scope, id: BotId): Promise<BotState | null> {
  return firstOrNull(
    await sql<BotState[]>`
      select s.bot_id, s.version, s.body, s.updated_at
      from bot_states s join bots b on b.id = s.bot_id
      where s.bot_id = ${id} and s.workspace_id = ${scope.workspaceId} and b.deleted_at is null`,
  );
}

/**
 * Stores the state that follows the one a step began with.
 * @returns false when another one is stored by now, or the account has no such bot
 */
export async function moveState(
  tx: Transaction,
  { workspaceId, accountId }: AccountKey,
  { botId, seenVersion, state }: StepRecord,
  now: EpochMs,
): Promise<boolean> {
  if (seenVersion > 0) {
    const { count } = await tx`
      update bot_states s set version = s.version + 1, body = ${jsonb(tx, state)},
        updated_at = ${at(now)}
      from bots b
      where s.bot_id = ${botId} and s.account_id = ${accountId}
        and s.workspace_id = ${workspaceId} and s.version = ${seenVersion}
        and b.id = s.bot_id and b.deleted_at is null`;
    return count === 1;
  }
  const { count } = await tx`
    insert into bot_states (bot_id, workspace_id, account_id, version, body, updated_at)
    select b.id, b.workspace_id, b.account_id, 1, ${jsonb(tx, state)}, ${at(now)}
    from bots b
    where b.id = ${botId} and b.account_id = ${accountId} and b.workspace_id = ${workspaceId}
      and b.deleted_at is null
    on conflict (bot_id) do nothing`;
  return count === 1;
}
