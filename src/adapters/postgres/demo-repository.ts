// Which workspaces have a demo account, on PostgreSQL. Built by src/demo.ts. It only reads.
import type { WorkspaceId } from "../../ports/access-store.ts";
import type { DemoStore } from "../../ports/demo-store.ts";
import type { Sql } from "./connect.ts";

/** The store on a migrated database. */
export function createDemoRepository(sql: Sql): DemoStore {
  return {
    async workspaces() {
      const rows = await sql<{ workspaceId: WorkspaceId }[]>`
        select distinct workspace_id from accounts
        where mode = 'demo' and status <> 'deleted'`;
      return rows.map(({ workspaceId }) => workspaceId);
    },
  };
}
