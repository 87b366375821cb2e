// API tokens of programs: made and revoked by their user, recognised at each request. Used by the
// account page and the API guard. A token is shown once; its hash alone is stored.
import type { AccessStore, ApiToken, ApiTokenId, Role, Scope } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Actor, type FieldRefusal, noteAct, refuseField } from "./actor.ts";
import { hashToken, newToken } from "./setup.ts";
import { TOKEN_DAYS_MAX } from "./users.ts";

export const TOKENS_PER_USER_MAX = 20;
export const TOKEN_NAME_CHARS_MAX = 60;
const TOKEN_START = "dragon_";
const PREFIX_CHARS = TOKEN_START.length + 6;
const DAY_MS = 86_400_000;

/** What a token may do at most; its user's role limits it further. */
export const SCOPE_ROLES: Readonly<Record<string, Role>> = {
  read: "viewer",
  trade: "trader",
  admin: "owner",
};

const RANK: Readonly<Record<Role, number>> = { viewer: 0, trader: 1, owner: 2 };

/** True when a role includes everything another one may do. */
export function includesRole(role: Role, least: Role): boolean {
  return RANK[role] >= RANK[least];
}

/** Scopes a user with this role may give to a token. */
export function scopesFor(role: Role): string[] {
  return Object.keys(SCOPE_ROLES).filter((scope) => includesRole(role, SCOPE_ROLES[scope] ?? role));
}

/** What a person asks for. */
export type TokenWish = {
  readonly name: string;
  readonly scope: string;
  readonly days: number;
};

/** What the tokens service needs. */
export type TokensDeps = {
  readonly access: AccessStore;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
};

/** The tokens of one user at a time. */
export type Tokens = {
  create(
    actor: Actor,
    wish: TokenWish,
  ): Promise<{ readonly ok: true; readonly token: string } | FieldRefusal>;
  /** Tokens of the actor that are neither revoked nor expired, oldest first. */
  list(actor: Actor): Promise<ApiToken[]>;
  /** False when the actor has no such open token. */
  revoke(actor: Actor, id: ApiTokenId): Promise<boolean>;
  /** The scope a program acts in, with the weaker of the user's role and the token's; or null. */
  recognise(token: string): Promise<{ readonly token: ApiToken; readonly scope: Scope } | null>;
};

/** Builds the tokens service. */
export function createTokens(deps: TokensDeps): Tokens {
  const { access, clock } = deps;
  const list = async ({ scope, user }: Actor) => {
    const at = clock.now();
    const isOpen = (token: ApiToken) =>
      token.revokedAt === null && (token.expiresAt === null || token.expiresAt > at);
    const all = await access.listApiTokens(scope);
    return all.filter((token) => token.userId === user.id && isOpen(token));
  };
  return {
    create: async (actor, wish) => create(deps, actor, wish, (await list(actor)).length),
    list,
    async revoke(actor, id) {
      const own = (await list(actor)).find((token) => token.id === id);
      if (!own || !(await access.revokeApiToken(actor.scope, id, clock.now()))) return false;
      const before = { name: own.name, scopes: [...own.scopes] };
      const object = `api_token:${id}`;
      await noteAct(deps, actor, { action: "api_token_revoked", object, before });
      return true;
    },
    async recognise(token) {
      const found = await access.useApiToken(hashToken(token), clock.now());
      if (!found) return null;
      const roles = found.token.scopes.flatMap((scope) => SCOPE_ROLES[scope] ?? []);
      const [strongest] = roles.sort((a, b) => RANK[b] - RANK[a]);
      if (!strongest) return null;
      const role = includesRole(found.scope.role, strongest) ? strongest : found.scope.role;
      return { token: found.token, scope: { ...found.scope, role } };
    },
  };
}

async function create(deps: TokensDeps, actor: Actor, wish: TokenWish, openCount: number) {
  const name = wish.name.trim();
  const { scope, user } = actor;
  const allowed = scopesFor(scope.role);
  if (name === "" || [...name].length > TOKEN_NAME_CHARS_MAX) {
    const shown = [...name].slice(0, 80).join("");
    return refuseField("name", `"${shown}" must have 1 to ${TOKEN_NAME_CHARS_MAX} characters`);
  }
  if (!allowed.includes(wish.scope)) {
    return refuseField(
      "scope",
      `"${wish.scope.slice(0, 20)}" must be one of ${allowed.join(", ")}`,
    );
  }
  if (!Number.isInteger(wish.days) || wish.days < 1 || wish.days > TOKEN_DAYS_MAX) {
    return refuseField("days", `"${wish.days}" must be a whole number from 1 to ${TOKEN_DAYS_MAX}`);
  }
  if (openCount >= TOKENS_PER_USER_MAX) {
    return refuseField("name", `you have ${openCount} tokens, allowed are ${TOKENS_PER_USER_MAX}`);
  }
  const at = deps.clock.now();
  const token = TOKEN_START + newToken();
  const expiresAt = at + wish.days * DAY_MS;
  const made = await deps.access.createApiToken(
    scope,
    {
      userId: user.id,
      name,
      scopes: [wish.scope],
      tokenHash: hashToken(token),
      prefix: token.slice(0, PREFIX_CHARS),
      expiresAt,
    },
    at,
  );
  if (!made.ok) return refuseField("name", `"${name}" is already the name of a token here`);
  const after = { name, scopes: [wish.scope], expiresAt };
  const object = `api_token:${made.value.id}`;
  await noteAct(deps, actor, { action: "api_token_created", object, after });
  return { ok: true, token } as const;
}
