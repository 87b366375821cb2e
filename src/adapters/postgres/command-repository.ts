// Commands of people to running bots on PostgreSQL. Built by the composition root and tests: pages ask, the
// holder of the account's lease takes what waits, each once, and finishes it. What is asked is noted in the audit
// log and wakes the worker in the same transaction; what nobody took in time never happens later, and what was
// begun is never begun again.
import { assert, ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CommandId, CommandStore, StoredCommand } from "../../ports/command-store.ts";
import type { LeaseGuard } from "../../ports/trading-store.ts";
import { createAuditRepository } from "./audit-repository.ts";
import { wake } from "./bus.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { at, firstOrNull, jsonb, one } from "./rows.ts";
import { guarded } from "./trading-leases.ts";

/** Commands of one account that wait at the same time. */
const WAITING_MAX = 20;
/** A command that nobody took, or nobody finished, for so long is over. */
const WAIT_MAX_MS = 60_000;
const RECENT_MAX = 100;
const TOO_LATE = "No worker took it within 60 seconds; nothing was done.";
const NO_END = "A worker took it and never told what came of it: look at the orders.";

type Asked = Parameters<CommandStore["ask"]>[1];
type AskRefusal = "unknown_account" | "unknown_bot" | "too_many";

/** The command store on a migrated database. */
export function createCommandRepository(sql: Sql): CommandStore {
  return {
    ask: (scope, asked, now) => sql.begin((tx) => ask(tx, scope, asked, now)),
    waiting: async (scope, guard, now) => {
      // Asked all the time by every account: without a command it must lock and write nothing.
      const isOpen = await hasOpen(sql, scope, guard.accountId);
      return isOpen ? await sql.begin((tx) => waiting(tx, scope, guard, now)) : [];
    },
    finish: (scope, guard, id, end, now) =>
      sql.begin((tx) => finish(tx, scope, guard, { ...end, id, at: now })),
    recent: async (scope, { accountId, botId, limit }) => {
      const fits = Number.isInteger(limit) && limit >= 1 && limit <= RECENT_MAX;
      assert(fits, `limit: ${limit} must be a whole number from 1 to ${RECENT_MAX}`);
      return await sql<StoredCommand[]>`
        select ${columns(sql)} from commands
        where account_id = ${accountId} and workspace_id = ${scope.workspaceId}
          ${botId === null ? sql`` : sql`and bot_id = ${botId}`}
        order by id desc limit ${limit}`;
    },
  };
}

function columns(sql: Query) {
  return sql`id, account_id, bot_id, command, actor, at, done_at, outcome, is_refused`;
}

async function ask(
  tx: Transaction,
  scope: Scope,
  { accountId, botId, command, actor }: Asked,
  now: EpochMs,
): Promise<Result<StoredCommand, AskRefusal>> {
  const { workspaceId } = scope;
  // Askers of one account wait for each other, because each counts first.
  const { count } = await tx`
    select 1 from accounts
    where id = ${accountId} and workspace_id = ${workspaceId} and status <> 'deleted'
    for no key update`;
  if (count === 0) return refuse("unknown_account", "there is no such account");
  if (botId !== null) {
    const bots = await tx`
      select 1 from bots
      where id = ${botId} and account_id = ${accountId} and workspace_id = ${workspaceId}
        and deleted_at is null`;
    if (bots.count === 0) return refuse("unknown_bot", "the account has no such bot");
  }
  const { open } = one(
    await tx<{ open: number }[]>`
      select count(*) as open from commands
      where account_id = ${accountId} and done_at is null
        and at > ${at(now - WAIT_MAX_MS)}`,
  );
  if (open >= WAITING_MAX) {
    return refuse("too_many", `${open} commands of the account wait already`);
  }
  const asked = one(
    await tx<StoredCommand[]>`
      insert into commands (workspace_id, account_id, bot_id, command, actor, at)
      values (${workspaceId}, ${accountId}, ${botId}, ${jsonb(tx, command)}, ${actor}, ${at(now)})
      returning ${columns(tx)}`,
  );
  const object = botId === null ? `account:${accountId}` : `bot:${botId}`;
  const after = { id: asked.id, command };
  const note = { actorId: scope.userId, actor, action: "command_asked", object };
  await createAuditRepository(within(tx)).append(scope, { ...note, before: null, after }, now);
  if (botId === null) await wake(tx, "accounts", String(accountId));
  else await wake(tx, "bots", String(botId));
  return ok(asked);
}

/** A transaction as a pool: what is begun on it becomes a savepoint. */
function within(tx: Transaction): Sql {
  return Object.assign(tx, { begin: tx.savepoint }) as unknown as Sql;
}

async function hasOpen(
  sql: Sql,
  { workspaceId }: Scope,
  accountId: StoredCommand["accountId"],
): Promise<boolean> {
  const { count } = await sql`
    select 1 from commands
    where account_id = ${accountId} and workspace_id = ${workspaceId} and done_at is null
    limit 1`;
  return count === 1;
}

async function waiting(
  tx: Transaction,
  scope: Scope,
  guard: LeaseGuard,
  now: EpochMs,
): Promise<readonly StoredCommand[]> {
  const account = await guarded(tx, scope, guard);
  if (!account) return [];
  await tx`
    update commands set done_at = ${at(now)}, is_refused = true,
      outcome = case when taken_at is null then ${TOO_LATE} else ${NO_END} end
    where account_id = ${account.accountId} and done_at is null
      and coalesce(taken_at, at) <= ${at(now - WAIT_MAX_MS)}`;
  const taken = await tx<StoredCommand[]>`
    update commands set taken_at = ${at(now)}
    where account_id = ${account.accountId} and done_at is null and taken_at is null
    returning ${columns(tx)}`;
  return [...taken].sort((a, b) => a.id - b.id);
}

type End = Parameters<CommandStore["finish"]>[3] & { readonly id: CommandId; readonly at: EpochMs };

async function finish(
  tx: Transaction,
  scope: Scope,
  guard: LeaseGuard,
  { id, outcome, isRefused, at: now }: End,
): Promise<boolean> {
  const account = await guarded(tx, scope, guard);
  if (!account) return false;
  const done = firstOrNull(
    await tx<{ id: CommandId }[]>`
      update commands set done_at = ${at(now)}, outcome = ${outcome}, is_refused = ${isRefused}
      where id = ${id} and account_id = ${account.accountId} and done_at is null
      returning id`,
  );
  return done !== null;
}
