// Settings that change while the program runs, of the whole instance or of one workspace.
// Interfaces only. A change keeps the value before it, so that it can be taken back.
import type { Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { Scope, UserId } from "./access-store.ts";

/** Any JSON document. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One stored setting. */
export type Setting = {
  readonly key: string;
  readonly value: Json;
  /** The value before the last change; null at revision 1. */
  readonly previous: Json;
  /** 1 at the first write, one more at each change. */
  readonly revision: number;
  readonly updatedBy: UserId | null;
  readonly updatedAt: EpochMs;
};

/** One change. */
export type SettingChange = {
  readonly key: string;
  readonly value: Json;
  /**
   * Refuses the change unless the stored revision is this one; 0 means "not stored yet".
   * Without it the last writer wins.
   */
  readonly expectedRevision?: number;
};

/** The outcome of a change. */
export type SettingOutcome = Result<Setting, "revision_changed">;

/** Settings by key. */
export type SettingsStore = {
  readInstance(key: string): Promise<Setting | null>;
  listInstance(): Promise<Setting[]>;
  writeInstance(
    change: SettingChange,
    updatedBy: UserId | null,
    at: EpochMs,
  ): Promise<SettingOutcome>;
  read(scope: Scope, key: string): Promise<Setting | null>;
  list(scope: Scope): Promise<Setting[]>;
  write(scope: Scope, change: SettingChange, at: EpochMs): Promise<SettingOutcome>;
};
