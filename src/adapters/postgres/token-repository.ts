// API tokens of programs by their hash. Part of access-repository.ts; the token itself never
// comes here.
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type {
  ApiToken,
  NewApiToken,
  Role,
  Scope,
  TokenHash,
  TokenStore,
} from "../../ports/access-store.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { at, firstOrNull } from "./rows.ts";

/** A program that asks often writes its last use at most once in this time. */
const TOUCH_EVERY_MS = 60_000;

/** The part of the access store about API tokens. */
export function createTokenRepository(sql: Sql): TokenStore {
  return {
    createApiToken: (scope, token, now) => sql.begin((tx) => createApiToken(tx, scope, token, now)),
    useApiToken: (hash, now) => useApiToken(sql, hash, now),
    listApiTokens: async (scope) =>
      await sql<ApiToken[]>`
      select ${tokenColumns(sql)} from api_tokens
      where workspace_id = ${scope.workspaceId} order by id`,
    revokeApiToken: async (scope, id, now) => {
      const { count } = await sql`
        update api_tokens set revoked_at = ${at(now)}
        where id = ${id} and workspace_id = ${scope.workspaceId} and revoked_at is null`;
      return count === 1;
    },
  };
}

function tokenColumns(sql: Query) {
  return sql`api_tokens.id, api_tokens.user_id, api_tokens.name, api_tokens.scopes,
    api_tokens.prefix, api_tokens.created_at, api_tokens.expires_at, api_tokens.last_used_at,
    api_tokens.revoked_at`;
}

async function createApiToken(
  tx: Transaction,
  scope: Scope,
  token: NewApiToken,
  now: EpochMs,
): Promise<Result<ApiToken, "name_taken" | "not_a_member">> {
  const [member] = await tx`
    select from memberships
    where workspace_id = ${scope.workspaceId} and user_id = ${token.userId} for key share`;
  if (!member) return refuse("not_a_member", "the user does not belong to this workspace");
  const made = firstOrNull(
    await tx<ApiToken[]>`
      insert into api_tokens (workspace_id, user_id, name, scopes, token_hash, prefix, created_at,
        expires_at)
      values (${scope.workspaceId}, ${token.userId}, ${token.name}, ${[...token.scopes]},
        ${token.tokenHash}, ${token.prefix}, ${at(now)}, ${at(token.expiresAt)})
      on conflict (workspace_id, lower(name)) where revoked_at is null do nothing
      returning ${tokenColumns(tx)}`,
  );
  return made ? ok(made) : refuse("name_taken", `a token named ${token.name} exists already`);
}

type UsedToken = ApiToken & { readonly workspaceId: Scope["workspaceId"]; readonly role: Role };

async function useApiToken(
  sql: Sql,
  tokenHash: TokenHash,
  now: EpochMs,
): Promise<{ readonly token: ApiToken; readonly scope: Scope } | null> {
  const row = firstOrNull(
    await sql<UsedToken[]>`
      select ${tokenColumns(sql)}, api_tokens.workspace_id, memberships.role
      from api_tokens
      join memberships using (workspace_id, user_id)
      join users on users.id = api_tokens.user_id
      where api_tokens.token_hash = ${tokenHash} and api_tokens.revoked_at is null
        and (api_tokens.expires_at is null or api_tokens.expires_at > ${at(now)})
        and users.disabled_at is null`,
  );
  if (!row) return null;
  const { workspaceId, role, ...found } = row;
  const token = await noteUse(sql, found, now);
  return token && { token, scope: { workspaceId, userId: token.userId, role } };
}

async function noteUse(sql: Sql, token: ApiToken, now: EpochMs): Promise<ApiToken | null> {
  if (token.lastUsedAt !== null && now - token.lastUsedAt < TOUCH_EVERY_MS) return token;
  const { count } = await sql`
    update api_tokens set last_used_at = ${at(now)}
    where id = ${token.id} and revoked_at is null`;
  return count === 1 ? { ...token, lastUsedAt: now } : null;
}
