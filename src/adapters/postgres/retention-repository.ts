// Old rows on PostgreSQL, removed a few at a time. Built by the composition root and tests. Every statement
// names the one table it empties; orders, fills, ledger entries and the audit log are none of them.
import type { WorkspaceId } from "../../ports/access-store.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type { RetentionStore } from "../../ports/retention-store.ts";
import type { Sql } from "./connect.ts";
import { at, one } from "./rows.ts";

/** The retention store on a migrated database. */
export function createRetentionRepository(sql: Sql): RetentionStore {
  return {
    ...eventRows(sql),
    ...sampleRows(sql),
    workspaces: async () => {
      const rows = await sql<{ id: WorkspaceId }[]>`select id from workspaces order by id`;
      return rows.map(({ id }) => id);
    },
    accounts: async ({ workspaceId }) => {
      const rows = await sql<{ id: AccountId }[]>`
        select id from accounts where workspace_id = ${workspaceId} order by id`;
      return rows.map(({ id }) => id);
    },
    removeCommands: async ({ workspaceId }, before, limit) => {
      const { count } = await sql`
        delete from commands where id in (
          select id from commands
          where workspace_id = ${workspaceId} and done_at < ${at(before)} order by id limit ${limit})`;
      return count;
    },
    removeSnapshots: async ({ workspaceId }, removedBefore, limit) => {
      const { count } = await sql`
        delete from snapshots where id in (
          select s.id from snapshots s
          join bots b on b.id = s.bot_id and b.deleted_at < ${at(removedBefore)}
          where s.workspace_id = ${workspaceId} order by s.id limit ${limit})`;
      return count;
    },
  };
}

function eventRows(
  sql: Sql,
): Pick<RetentionStore, "removeEvents" | "removeOldestEvents" | "eventSize"> {
  return {
    removeEvents: async ({ workspaceId }, before, limit) => {
      const { count } = await sql`
        delete from events where id in (
          select id from events
          where workspace_id = ${workspaceId} and at < ${at(before)} order by at limit ${limit})`;
      return count;
    },
    removeOldestEvents: async ({ workspaceId }, limit) => {
      const { count } = await sql`
        delete from events where id in (
          select id from events where workspace_id = ${workspaceId} order by id limit ${limit})`;
      return count;
    },
    eventSize: async ({ workspaceId }) =>
      one(
        await sql<{ bytes: number; rows: number }[]>`
          select coalesce(sum(pg_column_size(events)), 0)::bigint as bytes, count(*) as rows
          from events where workspace_id = ${workspaceId}`,
      ),
  };
}

function sampleRows(sql: Sql): Pick<RetentionStore, "removeSamples" | "thinSamples"> {
  return {
    removeSamples: async ({ workspaceId }, accountId, before, limit) => {
      const { count } = await sql`
        delete from equity_samples where ctid = any(array(
          select ctid from equity_samples
          where account_id = ${accountId} and workspace_id = ${workspaceId} and at < ${at(before)}
          limit ${limit}))`;
      return count;
    },
    thinSamples: async ({ workspaceId }, accountId, before, limit) => {
      const { count } = await sql`
        delete from equity_samples where ctid = any(array(
          select row from (
            select ctid as row, at, lag(at) over (partition by bot_id order by at) as earlier
            from equity_samples
            where account_id = ${accountId} and workspace_id = ${workspaceId}
              and at < ${at(before)}) samples
          where date_bin('1 hour', at, 'epoch') = date_bin('1 hour', earlier, 'epoch')
          limit ${limit}))`;
      return count;
    },
  };
}
