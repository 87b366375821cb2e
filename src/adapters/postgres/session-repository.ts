// Browser sessions by the hash of their token. Part of access-repository.ts. Whether a session is
// valid is decided here, in one query, so that no caller can forget a condition.
import type { EpochMs } from "../../model/time.ts";
import type {
  NewSession,
  Role,
  Session,
  SessionId,
  SessionStore,
  TokenHash,
  User,
  UserId,
  Workspace,
} from "../../ports/access-store.ts";
import type { Query, Sql } from "./connect.ts";
import { at, firstOrNull } from "./rows.ts";

/** A page that asks often writes at most once in this time. */
const TOUCH_EVERY_MS = 60_000;

type SessionRow = {
  readonly id: SessionId;
  readonly createdAt: EpochMs;
  readonly lastSeenAt: EpochMs;
  readonly idleExpiresAt: EpochMs;
  readonly expiresAt: EpochMs;
  readonly client: string;
  readonly role: Role;
  readonly userId: UserId;
  readonly email: string;
  readonly timeZone: string;
  readonly userCreatedAt: EpochMs;
  readonly workspaceId: Workspace["id"];
  readonly workspaceName: string;
};

/** The part of the access store about sessions. */
export function createSessionRepository(sql: Sql): SessionStore {
  return {
    createSession: (session, now) => createSession(sql, session, now),
    useSession: (hash, idleExpiresAt, now) => useSession(sql, hash, idleExpiresAt, now),
    listSessions: async (userId, now) => {
      const rows = await sql<SessionRow[]>`
        ${openSessions(sql, now)} and sessions.user_id = ${userId} order by sessions.id`;
      return rows.map(toSession);
    },
    revokeSession: async (userId, id, now) => {
      const { count } = await sql`
        update sessions set revoked_at = ${at(now)}
        where id = ${id} and user_id = ${userId} and revoked_at is null`;
      return count === 1;
    },
    revokeSessions: async (userId, now) => {
      const { count } = await sql`
        update sessions set revoked_at = ${at(now)}
        where user_id = ${userId} and revoked_at is null`;
      return count;
    },
    pruneSessions: async (endedBefore) => {
      const { count } = await sql`
        delete from sessions
        where idle_expires_at < ${at(endedBefore)} or revoked_at < ${at(endedBefore)}`;
      return count;
    },
  };
}

/** Every valid session with its user and workspace; the caller adds a condition with `and`. */
function openSessions(sql: Query, now: EpochMs) {
  return sql`
    select sessions.id, sessions.created_at, sessions.last_seen_at, sessions.idle_expires_at,
      sessions.expires_at, sessions.client, memberships.role, users.id as user_id, users.email,
      users.time_zone, users.created_at as user_created_at, workspaces.id as workspace_id,
      workspaces.name as workspace_name
    from sessions
    join memberships using (workspace_id, user_id)
    join users on users.id = sessions.user_id
    join workspaces on workspaces.id = sessions.workspace_id
    where sessions.revoked_at is null and sessions.idle_expires_at > ${at(now)}
      and sessions.expires_at > ${at(now)} and users.disabled_at is null`;
}

function toSession(row: SessionRow): Session {
  const user: User = {
    id: row.userId,
    email: row.email,
    timeZone: row.timeZone,
    createdAt: row.userCreatedAt,
    disabledAt: null,
  };
  return {
    id: row.id,
    user,
    workspace: { id: row.workspaceId, name: row.workspaceName },
    role: row.role,
    createdAt: row.createdAt,
    lastSeenAt: row.lastSeenAt,
    idleExpiresAt: row.idleExpiresAt,
    expiresAt: row.expiresAt,
    client: row.client,
  };
}

async function createSession(sql: Sql, session: NewSession, now: EpochMs): Promise<Session | null> {
  await sql`
    insert into sessions (workspace_id, user_id, token_hash, client, created_at, last_seen_at,
      idle_expires_at, expires_at)
    select workspace_id, user_id, ${session.tokenHash}, ${session.client}, ${at(now)}, ${at(now)},
      least(${at(session.idleExpiresAt)}, ${at(session.expiresAt)}), ${at(session.expiresAt)}
    from memberships
    where workspace_id = ${session.workspaceId} and user_id = ${session.userId}`;
  return findSession(sql, session.tokenHash, now);
}

async function findSession(
  sql: Query,
  tokenHash: TokenHash,
  now: EpochMs,
): Promise<Session | null> {
  const row = firstOrNull(
    await sql<SessionRow[]>`
      ${openSessions(sql, now)} and sessions.token_hash = ${tokenHash}`,
  );
  return row && toSession(row);
}

async function useSession(
  sql: Sql,
  tokenHash: TokenHash,
  idleExpiresAt: EpochMs,
  now: EpochMs,
): Promise<Session | null> {
  const session = await findSession(sql, tokenHash, now);
  if (!session) return null;
  const idleEnd = Math.min(idleExpiresAt, session.expiresAt);
  const isFresh = now - session.lastSeenAt < TOUCH_EVERY_MS;
  if (isFresh || idleEnd <= session.idleExpiresAt) return session;
  const { count } = await sql`
    update sessions set last_seen_at = ${at(now)}, idle_expires_at = ${at(idleEnd)}
    where id = ${session.id} and revoked_at is null`;
  return count === 1 ? { ...session, lastSeenAt: now, idleExpiresAt: idleEnd } : null;
}
