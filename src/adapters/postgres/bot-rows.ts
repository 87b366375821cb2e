// How bots travel between rows and the model, and what every change of one leaves behind: an entry of
// the audit log and a wake-up for the workers, in the transaction of the change. Used by bot-repository.ts.
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { NewAuditEntry } from "../../ports/audit-store.ts";
import type { Bot, BotId } from "../../ports/bot-store.ts";
import { appendAudit } from "./audit-repository.ts";
import { wake } from "./bus.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { firstOrNull } from "./rows.ts";

/** The bots of a workspace that were not deleted. @param tail further conditions and the order */
export async function selectBots(
  sql: Query,
  scope: Scope,
  tail: ReturnType<Sql>,
): Promise<readonly Bot[]> {
  return await sql<Bot[]>`
    select b.id, b.account_id, a.name as account_name, a.mode, a.exchange_id, b.name, b.symbol,
      b.timeframe_min, b.strategy_name, b.strategy_version, c.config, b.config_version, b.run_id,
      b.status, b.desired_status, b.desired_action, b.last_error, b.created_at, b.updated_at
    from bots b
    join accounts a on a.id = b.account_id
    join bot_configs c on c.bot_id = b.id and c.version = b.config_version
    where b.workspace_id = ${scope.workspaceId} and b.deleted_at is null ${tail}`;
}

/** A bot; null when there is none. */
export async function findBot(sql: Query, scope: Scope, id: BotId): Promise<Bot | null> {
  return firstOrNull(await selectBots(sql, scope, sql`and b.id = ${id}`));
}

/** A bot that nobody else changes until the transaction ends. */
export async function lockBot(tx: Transaction, scope: Scope, id: BotId): Promise<Bot | null> {
  // Two statements: what is read together with a lock may be older than the lock.
  await tx`
    select 1 from bots where id = ${id} and workspace_id = ${scope.workspaceId} for no key update`;
  return await findBot(tx, scope, id);
}

/** What the audit log keeps of a change. */
export type BotChange = Pick<NewAuditEntry, "action" | "before" | "after">;

/** Notes a change of a bot and wakes the workers. @param actor looked up when null */
export async function noteChange(
  tx: Transaction,
  scope: Scope,
  id: BotId,
  change: BotChange,
  actor: string | null,
  now: EpochMs,
): Promise<void> {
  await noteWithin(tx, scope, { ...change, actor, object: `bot:${id}` }, now);
  await wake(tx, "bots", String(id));
}

/** An entry of the audit log; the actor is looked up when null. */
export type AuditNote = BotChange &
  Pick<NewAuditEntry, "object"> & { readonly actor: string | null };

/** Appends an entry in the transaction of what it tells. */
export async function noteWithin(
  tx: Transaction,
  scope: Scope,
  { actor, ...note }: AuditNote,
  now: EpochMs,
): Promise<void> {
  const named = actor ?? (await actorOf(tx, scope));
  const entry = { ...note, actorId: scope.userId, actor: named };
  await appendAudit(tx, scope.workspaceId, entry, now);
}

async function actorOf(tx: Transaction, { userId }: Scope): Promise<string> {
  if (userId === null) return "system";
  const user = firstOrNull(
    await tx<{ email: string }[]>`select email from users where id = ${userId}`,
  );
  return user?.email ?? "system";
}
