// What a person set up for themselves: columns of a list, last inputs of a form. Interfaces only.
// Nothing that anybody else depends on belongs here.
import type { EpochMs } from "../model/time.ts";
import type { Scope } from "./access-store.ts";
import type { Json } from "./settings-store.ts";

/** Preferences of the asking user in the asking workspace, by key (`runs.columns`). */
export type PreferenceStore = {
  /**
   * Null when nothing was kept.
   * @throws InvariantError without a user
   */
  read(scope: Scope, key: string): Promise<Json>;
  /**
   * Keeps a document of at most 64 KiB; null forgets it.
   * @throws InvariantError without a user
   */
  write(scope: Scope, key: string, value: Json, at: EpochMs): Promise<void>;
};
