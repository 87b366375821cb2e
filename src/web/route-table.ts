// Every address of Dragon in one flat list: method, path, least role, whether it changes something.
// Mounted by app.tsx; tests walk it.
import type { WebDeps } from "./deps.ts";
import type { Refuse } from "./problems.tsx";
import type { Route } from "./route.ts";
import { accountRoutes } from "./routes/account.tsx";
import { apiRoutes } from "./routes/api.ts";
import { healthRoutes } from "./routes/health.ts";
import { helpRoutes } from "./routes/help.tsx";
import { homeRoutes } from "./routes/home.tsx";
import { loginRoutes } from "./routes/login.tsx";
import { sampleRoutes } from "./routes/sample.ts";
import { searchRoutes } from "./routes/search.tsx";
import { setupRoutes } from "./routes/setup.tsx";
import { staticRoutes } from "./routes/static-files.ts";
import { userRoutes } from "./routes/users.tsx";

/** All routes. */
export function routeTable(deps: WebDeps, refuse: Refuse): readonly Route[] {
  return [
    ...healthRoutes(deps),
    ...staticRoutes(deps),
    ...searchRoutes(),
    ...sampleRoutes(deps),
    ...homeRoutes(deps),
    ...setupRoutes(deps),
    ...loginRoutes(deps),
    ...accountRoutes(deps, refuse),
    ...userRoutes(deps, refuse),
    ...helpRoutes(deps, refuse),
    ...apiRoutes(deps),
  ];
}
