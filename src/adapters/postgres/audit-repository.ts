// The audit log on PostgreSQL: entries are appended to a hash chain per workspace (and one for the
// instance). Built by main.ts and tests. The database itself refuses changes and deletions.
import { createHash } from "node:crypto";
import { assert } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { WorkspaceId } from "../../ports/access-store.ts";
import type {
  AuditEntry,
  AuditPage,
  AuditStore,
  AuditVerdict,
  NewAuditEntry,
} from "../../ports/audit-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { at, firstOrNull, jsonb, one } from "./rows.ts";

/** First half of the lock that makes appends to one chain take turns; the second is the chain. */
const CHAIN_LOCK = 723_184;
const INSTANCE = 0;
const GENESIS = "0".repeat(64);
const PAGE_MAX = 200;
const VERIFY_BATCH = 500;

type Chain = WorkspaceId | typeof INSTANCE;

/** The audit store on a migrated database. */
export function createAuditRepository(sql: Sql): AuditStore {
  return {
    append: (scope, entry, now) =>
      sql.begin((tx) => appendAudit(tx, scope.workspaceId, entry, now)),
    appendInstance: (entry, now) => sql.begin((tx) => appendAudit(tx, INSTANCE, entry, now)),
    list: (scope, page) => list(sql, scope.workspaceId, page),
    listInstance: (page) => list(sql, INSTANCE, page),
    verify: (scope) => verify(sql, scope.workspaceId),
    verifyInstance: () => verify(sql, INSTANCE),
  };
}

function columns(sql: Query) {
  return sql`id, at, actor_id, actor, action, object, before, after, prev_hash, hash`;
}

/**
 * Appends an entry inside a transaction, so that it is there exactly when the change is. Entries of one
 * chain wait for each other until that transaction ends.
 */
export async function appendAudit(
  tx: Transaction,
  chain: Chain,
  entry: NewAuditEntry,
  now: EpochMs,
): Promise<AuditEntry> {
  await tx`select pg_advisory_xact_lock(${CHAIN_LOCK}, ${chain})`;
  const last = firstOrNull(
    await tx<{ hash: string }[]>`
      select hash from audit_log where coalesce(workspace_id, 0) = ${chain}
      order by id desc limit 1`,
  );
  const prevHash = last?.hash ?? GENESIS;
  const hash = hashOf(chain, { ...entry, at: now, prevHash });
  return one(
    await tx<AuditEntry[]>`
      insert into audit_log (workspace_id, at, actor_id, actor, action, object, before, after,
        prev_hash, hash)
      values (${chain === INSTANCE ? null : chain}, ${at(now)}, ${entry.actorId}, ${entry.actor},
        ${entry.action}, ${entry.object}, ${jsonb(tx, entry.before)}, ${jsonb(tx, entry.after)},
        ${prevHash}, ${hash})
      returning ${columns(tx)}`,
  );
}

async function list(sql: Sql, chain: Chain, page: AuditPage): Promise<AuditEntry[]> {
  assert(page.limit >= 1 && page.limit <= PAGE_MAX, `limit ${page.limit} is not 1..${PAGE_MAX}`);
  const older = page.beforeId === undefined ? sql`` : sql`and id < ${page.beforeId}`;
  return await sql<AuditEntry[]>`
    select ${columns(sql)} from audit_log
    where coalesce(workspace_id, 0) = ${chain} ${older}
    order by id desc limit ${page.limit}`;
}

async function verify(sql: Sql, chain: Chain): Promise<AuditVerdict> {
  let entries = 0;
  let prevHash = GENESIS;
  let lastId = 0;
  for (;;) {
    const batch = await sql<AuditEntry[]>`
      select ${columns(sql)} from audit_log
      where coalesce(workspace_id, 0) = ${chain} and id > ${lastId}
      order by id limit ${VERIFY_BATCH}`;
    for (const entry of batch) {
      const isIntact = entry.prevHash === prevHash && entry.hash === hashOf(chain, entry);
      if (!isIntact) return { intact: false, entries, brokenAt: entry.id };
      entries += 1;
      prevHash = entry.hash;
      lastId = entry.id;
    }
    if (batch.length < VERIFY_BATCH) return { intact: true, entries };
  }
}

type Hashed = NewAuditEntry & { readonly at: EpochMs; readonly prevHash: string };

function hashOf(chain: Chain, entry: Hashed): string {
  const { at: time, actorId, actor, action, object, before, after, prevHash } = entry;
  const text = canonical([prevHash, chain, time, actorId, actor, action, object, before, after]);
  return createHash("sha256").update(text).digest("hex");
}

/** JSON with sorted keys: jsonb keeps neither the order of keys nor the spelling of numbers. */
function canonical(value: Json): string {
  if (isList(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  const parts = keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${parts.join(",")}}`;
}

// Array.isArray alone does not narrow a readonly array.
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
