// Every address of Dragon in one flat list: method, path, least role, whether it changes something.
// Mounted by app.tsx; tests walk it.
import type { WebDeps } from "./deps.ts";
import type { Refuse } from "./problems.tsx";
import type { Route } from "./route.ts";
import { accountLiveRoutes } from "./routes/account-live.tsx";
import { accountRoutes } from "./routes/account.tsx";
import { accountsRoutes } from "./routes/accounts.tsx";
import { alarmRoutes } from "./routes/alarms.tsx";
import { apiRoutes } from "./routes/api.ts";
import { backtestPeriodRoutes } from "./routes/backtest-periods.tsx";
import { backtestRulesRoutes } from "./routes/backtest-rules.tsx";
import { backtestRoutes } from "./routes/backtest.tsx";
import { botNewRoutes } from "./routes/bot-new.tsx";
import { botRoutes } from "./routes/bot.tsx";
import { botsRoutes } from "./routes/bots.tsx";
import { candleSeriesRoutes } from "./routes/candle-series.tsx";
import { candleRoutes } from "./routes/candles.tsx";
import { demoRoutes } from "./routes/demo.tsx";
import { healthRoutes } from "./routes/health.ts";
import { helpRoutes } from "./routes/help.tsx";
import { homeRoutes } from "./routes/home.tsx";
import { jobsRoutes } from "./routes/jobs.tsx";
import { loginRoutes } from "./routes/login.tsx";
import { runRoutes } from "./routes/run.tsx";
import { runsRoutes } from "./routes/runs.tsx";
import { sampleRoutes } from "./routes/sample.ts";
import { searchRoutes } from "./routes/search.tsx";
import { setupRoutes } from "./routes/setup.tsx";
import { staticRoutes } from "./routes/static-files.ts";
import { tradingRoutes } from "./routes/trading.tsx";
import { userRoutes } from "./routes/users.tsx";

/** All routes. */
export function routeTable(deps: WebDeps, refuse: Refuse): readonly Route[] {
  return [
    ...healthRoutes(deps),
    ...staticRoutes(deps),
    ...searchRoutes(),
    ...sampleRoutes(deps),
    ...homeRoutes(deps),
    ...demoRoutes(deps),
    ...setupRoutes(deps),
    ...loginRoutes(deps),
    ...accountRoutes(deps, refuse),
    ...accountsRoutes(deps, refuse),
    ...accountLiveRoutes(deps, refuse),
    ...botsRoutes(deps, refuse),
    ...botNewRoutes(deps, refuse),
    ...botRoutes(deps, refuse),
    ...tradingRoutes(deps, refuse),
    ...alarmRoutes(deps, refuse),
    ...userRoutes(deps, refuse),
    ...candleRoutes(deps, refuse),
    ...candleSeriesRoutes(deps, refuse),
    ...runsRoutes(deps, refuse),
    ...runRoutes(deps, refuse),
    ...backtestRoutes(deps, refuse),
    ...backtestRulesRoutes(deps),
    ...backtestPeriodRoutes(deps, refuse),
    ...jobsRoutes(deps, refuse),
    ...helpRoutes(deps, refuse),
    ...apiRoutes(deps),
  ];
}
