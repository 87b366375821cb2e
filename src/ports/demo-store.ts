// Where demo accounts are, over all workspaces: a question of the program itself, hence without a scope.
// Interface only.
import type { WorkspaceId } from "./access-store.ts";

/** Demo accounts of the installation. */
export type DemoStore = {
  /** Workspaces that have a demo account. */
  workspaces(): Promise<readonly WorkspaceId[]>;
};
