// Durable events of accounts and bots on PostgreSQL. Used by bot-repository.ts and, for the events of a
// step, by trading-intents.ts. Events are only added; how loud one is follows from its kind.
import { EVENT_KINDS } from "../../model/event-kinds.ts";
import { assert } from "../../model/result.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { BotStore, EventQuery, NewEvent, StoredEvent } from "../../ports/bot-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { AccountKey } from "./bot-states.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { jsonb } from "./rows.ts";
import { guarded } from "./trading-leases.ts";

const EVENTS_MAX = 500;

/** The part of the store that keeps events. */
export function createBotEvents(sql: Sql): Pick<BotStore, "appendEvents" | "events"> {
  return {
    appendEvents: (scope, guard, events) =>
      sql.begin(async (tx) => {
        const account = await guarded(tx, scope, guard);
        if (!account) return false;
        await insertEvents(tx, account, events);
        return true;
      }),
    events: (scope, query) => list(sql, scope, query),
  };
}

/** Adds events to an account of the workspace; an account elsewhere gets none. */
export async function insertEvents(
  tx: Transaction,
  { workspaceId, accountId }: AccountKey,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await tx`
    insert into events (workspace_id, account_id, bot_id, kind, severity, sentence, fields, at)
    select a.workspace_id, a.id, x.bot_id, x.kind, x.severity, x.sentence, x.fields, x.at
    from jsonb_to_recordset(${jsonb(tx, eventsJson(events))}) as x (
      position integer, bot_id bigint, kind text, severity text, sentence text, fields jsonb,
      at timestamptz)
    join accounts a on a.id = ${accountId} and a.workspace_id = ${workspaceId}
    order by x.position`;
}

function eventsJson(events: readonly NewEvent[]): Json {
  return events.map(({ botId, kind, sentence, fields, at }, position) => ({
    position,
    bot_id: botId,
    kind,
    severity: EVENT_KINDS[kind].severity,
    sentence,
    fields: { ...fields },
    at: new Date(at).toISOString(),
  }));
}

async function list(sql: Query, scope: Scope, query: EventQuery): Promise<readonly StoredEvent[]> {
  const { accountId, botId, severities, beforeId, limit } = query;
  const fits = Number.isInteger(limit) && limit >= 1 && limit <= EVENTS_MAX;
  assert(fits, `limit: ${limit} must be a whole number from 1 to ${EVENTS_MAX}`);
  return await sql<StoredEvent[]>`
    select id, account_id, bot_id, kind, severity, sentence, fields, at from events
    where workspace_id = ${scope.workspaceId}
      ${accountId === null ? sql`` : sql`and account_id = ${accountId}`}
      ${botId === null ? sql`` : sql`and bot_id = ${botId}`}
      ${severities === null ? sql`` : sql`and severity = any(${[...severities]}::text[])`}
      ${beforeId === null ? sql`` : sql`and id < ${beforeId}`}
    order by id desc limit ${limit}`;
}
