// Addresses for programs: JSON with snake_case names and ISO 8601 instants. They only read.
import type { WebDeps } from "../deps.ts";
import { api, type Route } from "../route.ts";

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** Routes of `/api`. */
export function apiRoutes({ members }: WebDeps): Route[] {
  return [
    api("/api/me", "viewer", (c, { scope, via }) =>
      c.json({
        user_id: scope.userId,
        workspace_id: scope.workspaceId,
        role: scope.role,
        via,
      }),
    ),
    api("/api/users", "owner", async (c, { scope }) => {
      const list = await members.list({ scope });
      return c.json({
        users: list.map(({ id, email, role, timeZone, createdAt, disabledAt }) => ({
          id,
          email,
          role,
          time_zone: timeZone,
          created_at: iso(createdAt),
          disabled_at: iso(disabledAt),
        })),
      });
    }),
  ];
}
