// Who may do what: workspaces, users, memberships, sessions, API tokens and setup links. Interfaces
// only; src/adapters/postgres implements them. Secrets never pass here, only their SHA-256 hashes.
import type { Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";

declare const idBrand: unique symbol;

/** A row identity; the brand keeps ids of different tables apart. */
export type Id<Name extends string> = number & { readonly [idBrand]: Name };

export type WorkspaceId = Id<"workspace">;
export type UserId = Id<"user">;
export type SessionId = Id<"session">;
export type ApiTokenId = Id<"api_token">;

/** Owners manage users and settings, traders manage bots, viewers only look. */
export type Role = "owner" | "trader" | "viewer";

/** On whose behalf a store is asked; every row outside the workspace is invisible. */
export type Scope = {
  readonly workspaceId: WorkspaceId;
  /** Null for the command line and for the program itself. */
  readonly userId: UserId | null;
  readonly role: Role;
};

/** A group of people and everything they own together. */
export type Workspace = { readonly id: WorkspaceId; readonly name: string };

/** A person; disabled users keep their rows but cannot enter. */
export type User = {
  readonly id: UserId;
  readonly email: string;
  /** IANA name, e.g. `Europe/Vienna`. */
  readonly timeZone: string;
  readonly createdAt: EpochMs;
  readonly disabledAt: EpochMs | null;
};

/** A user as a member of one workspace. */
export type Member = User & { readonly role: Role };

/** SHA-256 of an opaque token as 64 lower-case hex digits. */
export type TokenHash = string;

/** What a new user brings; the hash is the complete Argon2id text. */
export type NewUser = {
  readonly email: string;
  readonly passwordHash: string;
  readonly timeZone: string;
};

/** The state of a one-time setup link. */
export type SetupLinkState = "open" | "used" | "expired" | "unknown";

/** Why the first owner was not created. */
export type OwnerRefusal =
  "owner_exists" | "email_taken" | "setup_link_used" | "setup_link_expired" | "setup_link_unknown";

/** The outcome of creating the first owner. */
export type CreatedOwner = { readonly user: User; readonly workspace: Workspace };

/** People and their places. */
export type UserStore = {
  /** The first workspace; made when there is none yet, so that research works before set-up. */
  defaultWorkspace(at: EpochMs): Promise<Workspace>;
  /** A further workspace without members. */
  createWorkspace(name: string, at: EpochMs): Promise<Workspace>;
  hasOwner(): Promise<boolean>;
  /** Stores a new setup link and closes every earlier one. */
  createSetupLink(
    link: { readonly tokenHash: TokenHash; readonly expiresAt: EpochMs },
    at: EpochMs,
  ): Promise<void>;
  setupLinkState(tokenHash: TokenHash, at: EpochMs): Promise<SetupLinkState>;
  /**
   * Creates the first owner in the default workspace, once per instance; consumes the setup link.
   * @param setupTokenHash null only on the command line of the machine itself
   */
  createOwner(
    owner: NewUser & { readonly setupTokenHash: TokenHash | null },
    at: EpochMs,
  ): Promise<Result<CreatedOwner, OwnerRefusal>>;
  /** Adds a new user to the workspace. */
  createUser(
    scope: Scope,
    user: NewUser & { readonly role: Role },
    at: EpochMs,
  ): Promise<Result<Member, "email_taken">>;
  /** Adds an existing user to the workspace or changes the role; the last owner keeps it. */
  setRole(
    scope: Scope,
    userId: UserId,
    role: Role,
    at: EpochMs,
  ): Promise<Result<Role, "last_owner" | "unknown_user">>;
  /** Removes a member together with the sessions and tokens held in this workspace. */
  removeMember(
    scope: Scope,
    userId: UserId,
  ): Promise<Result<UserId, "last_owner" | "unknown_user">>;
  listMembers(scope: Scope): Promise<Member[]>;
  /** The password hash is null for a user who cannot log in with a password. */
  findLogin(email: string): Promise<{ user: User; passwordHash: string | null } | null>;
  /** The workspaces a user belongs to, oldest first. */
  membershipsOf(userId: UserId): Promise<(Workspace & { readonly role: Role })[]>;
  /** Replaces the password and revokes every session; false when there is no such user. */
  setPassword(userId: UserId, passwordHash: string, at: EpochMs): Promise<boolean>;
  setTimeZone(userId: UserId, timeZone: string, at: EpochMs): Promise<boolean>;
  /** A disabled user cannot enter; the only active owner of a workspace stays enabled. */
  setDisabled(
    userId: UserId,
    isDisabled: boolean,
    at: EpochMs,
  ): Promise<Result<UserId, "last_owner" | "unknown_user">>;
};

/** A browser session that is valid now. */
export type Session = {
  readonly id: SessionId;
  readonly user: User;
  readonly workspace: Workspace;
  readonly role: Role;
  readonly createdAt: EpochMs;
  readonly lastSeenAt: EpochMs;
  /** Ends here when not used before. */
  readonly idleExpiresAt: EpochMs;
  /** Ends here in any case. */
  readonly expiresAt: EpochMs;
  /** The browser as it named itself. */
  readonly client: string;
};

/** What a new session needs. */
export type NewSession = {
  readonly userId: UserId;
  readonly workspaceId: WorkspaceId;
  readonly tokenHash: TokenHash;
  readonly idleExpiresAt: EpochMs;
  readonly expiresAt: EpochMs;
  readonly client: string;
};

/** Browser sessions. */
export type SessionStore = {
  /** Null when the user is no member of the workspace or is disabled. */
  createSession(session: NewSession, at: EpochMs): Promise<Session | null>;
  /**
   * Finds a valid session and moves its idle end to `idleExpiresAt` (at most the absolute end).
   * Null when it is unknown, expired, revoked, or its user is disabled or no member any more.
   */
  useSession(tokenHash: TokenHash, idleExpiresAt: EpochMs, at: EpochMs): Promise<Session | null>;
  listSessions(userId: UserId, at: EpochMs): Promise<Session[]>;
  /** False when the user has no such open session. */
  revokeSession(userId: UserId, id: SessionId, at: EpochMs): Promise<boolean>;
  /** @returns how many were open */
  revokeSessions(userId: UserId, at: EpochMs): Promise<number>;
  /** Deletes sessions that ended before the instant. */
  pruneSessions(endedBefore: EpochMs): Promise<number>;
};

/** A program's key; the token itself is shown once and never stored. */
export type ApiToken = {
  readonly id: ApiTokenId;
  readonly userId: UserId;
  readonly name: string;
  readonly scopes: readonly string[];
  /** The first characters, so that people can tell tokens apart. */
  readonly prefix: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs | null;
  readonly lastUsedAt: EpochMs | null;
  readonly revokedAt: EpochMs | null;
};

/** What a new token needs. */
export type NewApiToken = {
  readonly userId: UserId;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly tokenHash: TokenHash;
  readonly prefix: string;
  readonly expiresAt: EpochMs | null;
};

/** API tokens of a workspace. */
export type TokenStore = {
  createApiToken(
    scope: Scope,
    token: NewApiToken,
    at: EpochMs,
  ): Promise<Result<ApiToken, "name_taken" | "not_a_member">>;
  /** Finds a valid token and notes its use; null when unknown, ended or its user is out. */
  useApiToken(
    tokenHash: TokenHash,
    at: EpochMs,
  ): Promise<{ readonly token: ApiToken; readonly scope: Scope } | null>;
  listApiTokens(scope: Scope): Promise<ApiToken[]>;
  /** False when the workspace has no such open token. */
  revokeApiToken(scope: Scope, id: ApiTokenId, at: EpochMs): Promise<boolean>;
};

/** Everything about access in one store. */
export type AccessStore = UserStore & SessionStore & TokenStore;
