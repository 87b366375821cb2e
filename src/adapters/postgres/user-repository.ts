// Workspaces, users, memberships and the first owner. Part of access-repository.ts; it stores
// password hashes as it gets them and decides nothing about rights.
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type {
  CreatedOwner,
  Member,
  NewUser,
  OwnerRefusal,
  Role,
  Scope,
  SetupLinkState,
  TokenHash,
  User,
  UserId,
  UserStore,
  Workspace,
} from "../../ports/access-store.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { at, firstOrNull, one } from "./rows.ts";

/** Held while the default workspace or the first owner is made: two at once take turns. */
const SETUP_LOCK = 7_231_846_502;

const DEFAULT_WORKSPACE = "Default";

/** Columns of a User from a table called `users`. */
export function userColumns(sql: Query) {
  return sql`users.id, users.email, users.time_zone, users.created_at, users.disabled_at`;
}

/** The part of the access store about people. */
export function createUserRepository(sql: Sql): UserStore {
  return {
    defaultWorkspace: (now) => defaultWorkspace(sql, now),
    createWorkspace: (name, now) => insertWorkspace(sql, name, now),
    hasOwner: () => hasOwner(sql),
    createSetupLink: (link, now) => createSetupLink(sql, link, now),
    setupLinkState: (hash, now) => setupLinkState(sql, hash, now),
    createOwner: (owner, now) => sql.begin((tx) => createOwner(tx, owner, now)),
    createUser: (scope, user, now) => sql.begin((tx) => createUser(tx, scope, user, now)),
    setRole: (scope, userId, role, now) => sql.begin((tx) => setRole(tx, scope, userId, role, now)),
    removeMember: (scope, userId) => sql.begin((tx) => removeMember(tx, scope, userId)),
    listMembers: async (scope) =>
      await sql<Member[]>`
      select ${userColumns(sql)}, memberships.role
      from memberships join users on users.id = memberships.user_id
      where memberships.workspace_id = ${scope.workspaceId}
      order by users.id`,
    findLogin: (email) => findLogin(sql, email),
    membershipsOf: async (userId) =>
      await sql<(Workspace & { role: Role })[]>`
      select workspaces.id, workspaces.name, memberships.role
      from memberships join workspaces on workspaces.id = memberships.workspace_id
      where memberships.user_id = ${userId}
      order by workspaces.id`,
    setPassword: (userId, hash, now) => sql.begin((tx) => setPassword(tx, userId, hash, now)),
    setTimeZone: async (userId, timeZone, now) => {
      const { count } = await sql`
        update users set time_zone = ${timeZone}, updated_at = ${at(now)} where id = ${userId}`;
      return count === 1;
    },
    setDisabled: (userId, isDisabled, now) =>
      sql.begin((tx) => setDisabled(tx, userId, isDisabled, now)),
  };
}

async function defaultWorkspace(sql: Sql, now: EpochMs): Promise<Workspace> {
  const found = await firstWorkspace(sql);
  return found ?? (await sql.begin((tx) => ensureWorkspace(tx, now)));
}

async function ensureWorkspace(tx: Transaction, now: EpochMs): Promise<Workspace> {
  await tx`select pg_advisory_xact_lock(${SETUP_LOCK})`;
  return (await firstWorkspace(tx)) ?? (await insertWorkspace(tx, DEFAULT_WORKSPACE, now));
}

async function firstWorkspace(sql: Query): Promise<Workspace | null> {
  return firstOrNull(await sql<Workspace[]>`select id, name from workspaces order by id limit 1`);
}

async function insertWorkspace(sql: Query, name: string, now: EpochMs): Promise<Workspace> {
  return one(
    await sql<Workspace[]>`
      insert into workspaces (name, created_at) values (${name}, ${at(now)}) returning id, name`,
  );
}

async function hasOwner(sql: Query): Promise<boolean> {
  const { found } = one(
    await sql<{ found: boolean }[]>`
      select exists (select from memberships where role = 'owner') as found`,
  );
  return found;
}

async function createSetupLink(
  sql: Sql,
  link: { readonly tokenHash: TokenHash; readonly expiresAt: EpochMs },
  now: EpochMs,
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`
      update setup_links set replaced_at = ${at(now)}
      where used_at is null and replaced_at is null`;
    await tx`
      insert into setup_links (token_hash, created_at, expires_at)
      values (${link.tokenHash}, ${at(now)}, ${at(link.expiresAt)})`;
  });
}

async function setupLinkState(
  sql: Query,
  tokenHash: TokenHash,
  now: EpochMs,
): Promise<SetupLinkState> {
  const link = firstOrNull(
    await sql<{ usedAt: EpochMs | null; replacedAt: EpochMs | null; expiresAt: EpochMs }[]>`
      select used_at, replaced_at, expires_at from setup_links where token_hash = ${tokenHash}`,
  );
  if (!link) return "unknown";
  if (link.usedAt !== null) return "used";
  return link.replacedAt !== null || link.expiresAt <= now ? "expired" : "open";
}

const LINK_REFUSALS = {
  used: refuse("setup_link_used", "this setup link was already used"),
  expired: refuse("setup_link_expired", "this setup link has expired; a new start prints one"),
  unknown: refuse("setup_link_unknown", "this setup link is not known"),
};

async function createOwner(
  tx: Transaction,
  owner: NewUser & { readonly setupTokenHash: TokenHash | null },
  now: EpochMs,
): Promise<Result<CreatedOwner, OwnerRefusal>> {
  await tx`select pg_advisory_xact_lock(${SETUP_LOCK})`;
  if (await hasOwner(tx)) return refuse("owner_exists", "this Dragon already has an owner");
  if (owner.setupTokenHash !== null) {
    const state = await setupLinkState(tx, owner.setupTokenHash, now);
    if (state !== "open") return LINK_REFUSALS[state];
  }
  const user = await insertUser(tx, owner, now);
  if (!user) return refuse("email_taken", `the e-mail ${owner.email} is already in use`);
  const workspace = await ensureWorkspace(tx, now);
  await insertMembership(tx, { workspaceId: workspace.id, userId: user.id, role: "owner" }, now);
  await tx`
    update setup_links set used_at = ${at(now)}, used_by = ${user.id}
    where token_hash = ${owner.setupTokenHash}`;
  // No other link may be open once there is an owner.
  await tx`
    update setup_links set replaced_at = ${at(now)} where used_at is null and replaced_at is null`;
  return ok({ user, workspace });
}

async function insertUser(tx: Transaction, user: NewUser, now: EpochMs): Promise<User | null> {
  return firstOrNull(
    await tx<User[]>`
      insert into users (email, password_hash, time_zone, created_at, updated_at)
      values (${user.email}, ${user.passwordHash}, ${user.timeZone}, ${at(now)}, ${at(now)})
      on conflict (lower(email)) do nothing
      returning ${userColumns(tx)}`,
  );
}

async function insertMembership(
  tx: Transaction,
  member: { workspaceId: Workspace["id"]; userId: UserId; role: Role },
  now: EpochMs,
): Promise<void> {
  await tx`
    insert into memberships (workspace_id, user_id, role, created_at)
    values (${member.workspaceId}, ${member.userId}, ${member.role}, ${at(now)})
    on conflict (workspace_id, user_id) do update set role = excluded.role`;
}

async function createUser(
  tx: Transaction,
  scope: Scope,
  user: NewUser & { readonly role: Role },
  now: EpochMs,
): Promise<Result<Member, "email_taken">> {
  const made = await insertUser(tx, user, now);
  if (!made) return refuse("email_taken", `the e-mail ${user.email} is already in use`);
  const { workspaceId } = scope;
  await insertMembership(tx, { workspaceId, userId: made.id, role: user.role }, now);
  return ok({ ...made, role: user.role });
}

const LAST_OWNER = refuse("last_owner", "a workspace needs an owner: name another one first");
const UNKNOWN_USER = refuse("unknown_user", "there is no such user");

/** True when the workspace would have no active owner without this user; locks its memberships. */
async function isLastOwner(
  tx: Transaction,
  workspaceId: Workspace["id"],
  userId: UserId,
): Promise<boolean> {
  await tx`select from memberships where workspace_id = ${workspaceId} order by user_id for update`;
  const owners = await tx<{ id: UserId }[]>`
    select users.id from memberships join users on users.id = memberships.user_id
    where workspace_id = ${workspaceId} and role = 'owner' and users.disabled_at is null`;
  return owners.length === 1 && owners[0]?.id === userId;
}

async function setRole(
  tx: Transaction,
  scope: Scope,
  userId: UserId,
  role: Role,
  now: EpochMs,
): Promise<Result<Role, "last_owner" | "unknown_user">> {
  if (role !== "owner" && (await isLastOwner(tx, scope.workspaceId, userId))) return LAST_OWNER;
  const [known] = await tx`select from users where id = ${userId}`;
  if (!known) return UNKNOWN_USER;
  await insertMembership(tx, { workspaceId: scope.workspaceId, userId, role }, now);
  return ok(role);
}

async function removeMember(
  tx: Transaction,
  scope: Scope,
  userId: UserId,
): Promise<Result<UserId, "last_owner" | "unknown_user">> {
  if (await isLastOwner(tx, scope.workspaceId, userId)) return LAST_OWNER;
  const { count } = await tx`
    delete from memberships where workspace_id = ${scope.workspaceId} and user_id = ${userId}`;
  return count === 1 ? ok(userId) : UNKNOWN_USER;
}

async function findLogin(
  sql: Sql,
  email: string,
): Promise<{ user: User; passwordHash: string | null } | null> {
  const row = firstOrNull(
    await sql<(User & { passwordHash: string | null })[]>`
      select ${userColumns(sql)}, users.password_hash from users
      where lower(email) = lower(${email})`,
  );
  if (!row) return null;
  const { passwordHash, ...user } = row;
  return { user, passwordHash };
}

async function setPassword(
  tx: Transaction,
  userId: UserId,
  passwordHash: string,
  now: EpochMs,
): Promise<boolean> {
  const { count } = await tx`
    update users set password_hash = ${passwordHash}, updated_at = ${at(now)}
    where id = ${userId}`;
  await tx`
    update sessions set revoked_at = ${at(now)}
    where user_id = ${userId} and revoked_at is null`;
  return count === 1;
}

async function setDisabled(
  tx: Transaction,
  userId: UserId,
  isDisabled: boolean,
  now: EpochMs,
): Promise<Result<UserId, "last_owner" | "unknown_user">> {
  if (isDisabled) {
    const owned = await tx<{ workspaceId: Workspace["id"] }[]>`
      select workspace_id from memberships where user_id = ${userId} and role = 'owner'
      order by workspace_id`;
    for (const { workspaceId } of owned) {
      if (await isLastOwner(tx, workspaceId, userId)) return LAST_OWNER;
    }
  }
  const { count } = await tx`
    update users set disabled_at = ${at(isDisabled ? now : null)}, updated_at = ${at(now)}
    where id = ${userId}`;
  if (isDisabled) {
    await tx`
      update sessions set revoked_at = ${at(now)}
      where user_id = ${userId} and revoked_at is null`;
  }
  return count === 1 ? ok(userId) : UNKNOWN_USER;
}
