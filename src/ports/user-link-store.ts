// One-time links with which a user sets a password. Interfaces only; src/adapters/postgres
// implements them on the table of set-up links. Only the SHA-256 hash of a link passes here.
import type { Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { Scope, TokenHash, User, UserId, WorkspaceId } from "./access-store.ts";

/** An open link and the user it was made for; the workspace is the oldest the user belongs to. */
export type UserLink = { readonly user: User; readonly workspaceId: WorkspaceId };

/** Why a link does nothing. */
export type UserLinkRefusal = "unknown" | "used" | "expired";

/** Links of users. */
export type UserLinkStore = {
  /** Stores a link for a member of the workspace and closes every earlier one; false when none. */
  createUserLink(
    scope: Scope,
    link: { readonly userId: UserId; readonly tokenHash: TokenHash; readonly expiresAt: EpochMs },
    at: EpochMs,
  ): Promise<boolean>;
  /** Finds a link; one of a disabled user or of nobody's workspace is unknown. */
  findUserLink(tokenHash: TokenHash, at: EpochMs): Promise<Result<UserLink, UserLinkRefusal>>;
  /** Consumes the link, replaces the password and revokes every session of its user. */
  consumeUserLink(
    tokenHash: TokenHash,
    passwordHash: string,
    at: EpochMs,
  ): Promise<Result<UserLink, UserLinkRefusal>>;
  /** When the open link of each member ends. */
  listUserLinks(scope: Scope, at: EpochMs): Promise<ReadonlyMap<UserId, EpochMs>>;
};
