// Users from the machine's own command line: create, new password, API token. Every change is
// audited. Whoever can run these commands already holds the data folder, so no login is asked.
import { InputError } from "../../model/result.ts";
import type { AccessStore, Role, Scope, User } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Json } from "../../ports/settings-store.ts";
import { hashPassword } from "./passwords.ts";
import { emailProblem, hashToken, newToken, timeZoneProblem } from "./setup.ts";

export const ROLES: readonly Role[] = ["owner", "trader", "viewer"];
export const TOKEN_SCOPES: readonly string[] = ["read", "trade", "admin"];
export const TOKEN_DAYS_MAX = 3650;

/** What the users service needs. */
export type UsersDeps = {
  readonly access: AccessStore;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
};

/** User administration in the default workspace. */
export type Users = {
  /** @throws InputError when e-mail, password or zone is refused or the e-mail is taken */
  createUser(user: {
    email: string;
    password: string;
    role: Role;
    timeZone: string;
  }): Promise<User>;
  /** Ends every session of the user. @throws InputError when unknown or the password is refused */
  resetPassword(email: string, password: string): Promise<User>;
  /** The token is returned once and never stored. @throws InputError when refused */
  createToken(token: {
    email: string;
    name: string;
    scopes: readonly string[];
    days: number | undefined;
  }): Promise<{ token: string; prefix: string; expiresAt: number | null }>;
};

const TOKEN_START = "dragon_";
const DAY_MS = 86_400_000;

/** Builds the users service. */
export function createUsers(deps: UsersDeps): Users {
  const { access, clock } = deps;
  return {
    async createUser({ email: typed, password, role, timeZone }) {
      const email = typed.trim();
      throwWhen(emailProblem(email) ?? timeZoneProblem(timeZone));
      const passwordHash = await hashPassword(password, email);
      const at = clock.now();
      const scope = await localScope(deps);
      const made = await access.createUser(scope, { email, passwordHash, timeZone, role }, at);
      if (!made.ok) throw new InputError(`email: "${email}" already belongs to a user`);
      await note(deps, scope, "user_created", `user:${made.value.id}`, { email, role, timeZone });
      return made.value;
    },
    async resetPassword(email, password) {
      const { user, scope } = await findUser(deps, email);
      const passwordHash = await hashPassword(password, user.email);
      await access.setPassword(user.id, passwordHash, clock.now());
      await note(deps, scope, "password_reset", `user:${user.id}`, { email: user.email });
      return user;
    },
    async createToken({ email, name, scopes, days }) {
      const { user, scope } = await findUser(deps, email);
      checkToken(name, scopes);
      const token = TOKEN_START + newToken();
      const prefix = token.slice(0, TOKEN_START.length + 6);
      const at = clock.now();
      const expiresAt = days === undefined ? null : at + days * DAY_MS;
      const made = await access.createApiToken(
        scope,
        { userId: user.id, name, scopes, tokenHash: hashToken(token), prefix, expiresAt },
        at,
      );
      if (!made.ok) throw new InputError(tokenRefusal(made.reason, name, user.email));
      const after = { email: user.email, name, scopes: [...scopes], expiresAt };
      await note(deps, scope, "api_token_created", `api_token:${made.value.id}`, after);
      return { token, prefix, expiresAt };
    },
  };
}

function throwWhen(problem: string | undefined): void {
  if (problem !== undefined) throw new InputError(problem);
}

async function localScope({ access, clock }: UsersDeps): Promise<Scope> {
  const workspace = await access.defaultWorkspace(clock.now());
  return { workspaceId: workspace.id, userId: null, role: "owner" };
}

async function findUser(deps: UsersDeps, email: string): Promise<{ user: User; scope: Scope }> {
  const login = await deps.access.findLogin(email.trim());
  if (!login) throw new InputError(`email: there is no user "${email.trim()}"`);
  const [first] = await deps.access.membershipsOf(login.user.id);
  const scope = first
    ? ({ workspaceId: first.id, userId: null, role: "owner" } as const)
    : await localScope(deps);
  return { user: login.user, scope };
}

function checkToken(name: string, scopes: readonly string[]): void {
  if (name.trim() === "" || name.length > 60) {
    throw new InputError(`--name: "${name.slice(0, 80)}" must have 1 to 60 characters`);
  }
  const wrong = scopes.find((scope) => !TOKEN_SCOPES.includes(scope));
  if (wrong !== undefined || scopes.length === 0) {
    throw new InputError(
      `--scopes: "${wrong ?? ""}" must be one or more of ${TOKEN_SCOPES.join(", ")}`,
    );
  }
}

function tokenRefusal(reason: "name_taken" | "not_a_member", name: string, email: string): string {
  if (reason === "name_taken") return `--name: "${name}" is already the name of a token`;
  return `email: "${email}" is a member of no workspace`;
}

async function note(
  deps: UsersDeps,
  scope: Scope,
  action: string,
  object: string,
  after: Json,
): Promise<void> {
  const entry = { actorId: null, actor: "command line", action, object, before: null, after };
  await deps.audit.append(scope, entry, deps.clock.now());
}
