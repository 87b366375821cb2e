// The audit log: who did what, when, to which object. Interfaces only. Entries are only added; each
// carries the hash of the one before it in its workspace, so a removed or changed entry shows.
import type { EpochMs } from "../model/time.ts";
import type { Id, Scope, UserId } from "./access-store.ts";
import type { Json } from "./settings-store.ts";

export type AuditId = Id<"audit">;

/** What is written down. */
export type NewAuditEntry = {
  /** Null when no user did it. */
  readonly actorId: UserId | null;
  /** E-mail of the user at that time, or `command line`, `system`. */
  readonly actor: string;
  /** What happened, in snake_case, e.g. `owner_created`. */
  readonly action: string;
  /** What it happened to, e.g. `user:12` or `setting:time_zone`. */
  readonly object: string;
  readonly before: Json;
  readonly after: Json;
};

/** One entry of a chain. */
export type AuditEntry = NewAuditEntry & {
  readonly id: AuditId;
  readonly at: EpochMs;
  /** Hash of the entry before it; 64 zeros for the first. */
  readonly prevHash: string;
  readonly hash: string;
};

/** A page of a list, newest first. */
export type AuditPage = {
  /** Only entries older than this one. */
  readonly beforeId?: AuditId;
  /** 1..200 */
  readonly limit: number;
};

/** The outcome of recomputing a chain. */
export type AuditVerdict =
  | { readonly intact: true; readonly entries: number }
  | { readonly intact: false; readonly entries: number; readonly brokenAt: AuditId };

/** Append-only log: one chain per workspace and one for the instance. */
export type AuditStore = {
  append(scope: Scope, entry: NewAuditEntry, at: EpochMs): Promise<AuditEntry>;
  appendInstance(entry: NewAuditEntry, at: EpochMs): Promise<AuditEntry>;
  list(scope: Scope, page: AuditPage): Promise<AuditEntry[]>;
  listInstance(page: AuditPage): Promise<AuditEntry[]>;
  verify(scope: Scope): Promise<AuditVerdict>;
  verifyInstance(): Promise<AuditVerdict>;
};
