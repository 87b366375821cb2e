// One-time links of users on the table setup_links: `used_by` names the user from the start, which
// tells them from the link of the first owner. Built by storage.ts and tests.
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope, TokenHash, User, UserId, WorkspaceId } from "../../ports/access-store.ts";
import type { UserLink, UserLinkRefusal, UserLinkStore } from "../../ports/user-link-store.ts";
import type { Query, Sql } from "./connect.ts";
import { at, firstOrNull } from "./rows.ts";
import { userColumns } from "./user-repository.ts";

type LinkRow = User & {
  readonly usedAt: EpochMs | null;
  readonly replacedAt: EpochMs | null;
  readonly expiresAt: EpochMs;
  readonly workspaceId: WorkspaceId | null;
};

const UNKNOWN = refuse("unknown", "this link is not known");
const USED = refuse("used", "this link was already used");
const EXPIRED = refuse("expired", "this link has expired or was replaced by a newer one");

/** The links of users on a migrated database. */
export function createLinkRepository(sql: Sql): UserLinkStore {
  return {
    createUserLink: (scope, link, now) =>
      sql.begin(async (tx) => {
        // The lock lets two links for one user take turns, so that only one stays open.
        const [member] = await tx`
          select from memberships
          where workspace_id = ${scope.workspaceId} and user_id = ${link.userId} for update`;
        if (!member) return false;
        await tx`
          update setup_links set replaced_at = ${at(now)}
          where used_by = ${link.userId} and used_at is null and replaced_at is null`;
        await tx`
          insert into setup_links (token_hash, created_at, expires_at, used_by)
          values (${link.tokenHash}, ${at(now)}, ${at(link.expiresAt)}, ${link.userId})`;
        return true;
      }),
    findUserLink: async (tokenHash, now) => verdict(await findLink(sql, tokenHash), now),
    consumeUserLink: (tokenHash, passwordHash, now) =>
      sql.begin(async (tx) => {
        await tx`select from setup_links where token_hash = ${tokenHash} for update`;
        const found = verdict(await findLink(tx, tokenHash), now);
        if (!found.ok) return found;
        const { id } = found.value.user;
        await tx`update setup_links set used_at = ${at(now)} where token_hash = ${tokenHash}`;
        await tx`
          update users set password_hash = ${passwordHash}, updated_at = ${at(now)}
          where id = ${id}`;
        await tx`
          update sessions set revoked_at = ${at(now)} where user_id = ${id} and revoked_at is null`;
        return found;
      }),
    listUserLinks: (scope, now) => listUserLinks(sql, scope, now),
  };
}

async function findLink(sql: Query, tokenHash: TokenHash): Promise<LinkRow | null> {
  return firstOrNull(
    await sql<LinkRow[]>`
      select ${userColumns(sql)}, setup_links.used_at, setup_links.replaced_at,
        setup_links.expires_at,
        (select min(workspace_id) from memberships where user_id = users.id) as workspace_id
      from setup_links join users on users.id = setup_links.used_by
      where setup_links.token_hash = ${tokenHash} and users.disabled_at is null`,
  );
}

function verdict(row: LinkRow | null, now: EpochMs): Result<UserLink, UserLinkRefusal> {
  if (!row || row.workspaceId === null) return UNKNOWN;
  const { usedAt, replacedAt, expiresAt, workspaceId, ...user } = row;
  if (usedAt !== null) return USED;
  return replacedAt !== null || expiresAt <= now ? EXPIRED : ok({ user, workspaceId });
}

async function listUserLinks(
  sql: Sql,
  scope: Scope,
  now: EpochMs,
): Promise<ReadonlyMap<UserId, EpochMs>> {
  const rows = await sql<{ userId: UserId; expiresAt: EpochMs }[]>`
    select setup_links.used_by as user_id, setup_links.expires_at
    from setup_links join memberships on memberships.user_id = setup_links.used_by
    where memberships.workspace_id = ${scope.workspaceId} and setup_links.used_at is null
      and setup_links.replaced_at is null and setup_links.expires_at > ${at(now)}`;
  return new Map(rows.map((row) => [row.userId, row.expiresAt]));
}
