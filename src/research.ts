// Composition of the research side: threads, candles, runs and what their pages ask, over an open database.
// Called by serve.ts and tests; `resume` belongs after the web server listens, `stop` before the database
// closes.
import { createAuditRepository } from "./adapters/postgres/audit-repository.ts";
import { createBus } from "./adapters/postgres/bus.ts";
import { createCandleRepository } from "./adapters/postgres/candle-repository.ts";
import type { Sql } from "./adapters/postgres/connect.ts";
import { createInstrumentRepository } from "./adapters/postgres/instrument-repository.ts";
import { createJobsRepository } from "./adapters/postgres/jobs-repository.ts";
import { createPeriodRepository } from "./adapters/postgres/period-repository.ts";
import { createPreferenceRepository } from "./adapters/postgres/preference-repository.ts";
import { createRunRepository } from "./adapters/postgres/run-repository.ts";
import { createWorkerPool, type WorkerPoolOptions } from "./adapters/system/worker-pool.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { MarketData } from "./ports/market-data.ts";
import { createBacktestDesk } from "./services/research/backtest-desk.ts";
import { createCandleCache } from "./services/research/candle-cache.ts";
import { createCandles } from "./services/research/candles.ts";
import { createCompute } from "./services/research/compute.ts";
import { createMarkets } from "./services/research/markets.ts";
import { createPeriods } from "./services/research/periods.ts";
import type { RunHands } from "./services/research/run-claims.ts";
import { createRunList } from "./services/research/run-list.ts";
import { createRuns } from "./services/research/runs.ts";
import { createSampleMarket } from "./services/research/sample-market.ts";
import type { WebDeps } from "./web/deps.ts";

/** What the research side is built from. */
export type ResearchDeps = {
  readonly sql: Sql;
  /** The program of a worker thread; main.ts knows where it lies. */
  readonly workerUrl: URL;
  readonly market: MarketData;
  readonly clock: Clock;
  readonly log: Log;
  /** Who claims runs here, and whether any are computed in this process. */
  readonly hands: RunHands;
  /** Number and patience of the threads, when not the standard ones. */
  readonly pool?: Pick<WorkerPoolOptions, "threads" | "idleMs" | "graceMs">;
};

/** Services behind the research pages. */
export type ResearchServices = Pick<
  WebDeps,
  "sample" | "candles" | "backtestDesk" | "markets" | "periods" | "runs" | "runList"
>;

/** The research side; no thread runs before the first run or chart. */
export type Research = ResearchServices & {
  /** Begins to work on runs that wait, whoever asked for them and whoever left them. */
  resume(): Promise<void>;
  /** Puts what is under way back into the queue for others and ends the threads. */
  stop(): Promise<void>;
};

/** Builds the research side. */
export function createResearch(deps: ResearchDeps): Research {
  const { sql, workerUrl, market, clock, log } = deps;
  const pool = createWorkerPool({ ...deps.pool, url: workerUrl, log: log.child("workers") });
  const audit = createAuditRepository(sql);
  const candles = createCandleRepository(sql);
  const instruments = createInstrumentRepository(sql);
  const preferences = createPreferenceRepository(sql);
  const runStore = createRunRepository(sql);
  const runs = createRuns({
    store: runStore,
    jobs: createJobsRepository(sql),
    bus: createBus(sql),
    hands: deps.hands,
    candles,
    cache: createCandleCache(candles),
    compute: createCompute(pool),
    instruments,
    audit,
    market,
    clock,
    log: log.child("runs"),
  });
  const candlePages = createCandles({
    store: candles,
    market,
    audit,
    clock,
    log: log.child("candles"),
  });
  return {
    sample: createSampleMarket({ audit, clock, candles, instruments }),
    candles: candlePages,
    backtestDesk: createBacktestDesk({ candles, preferences, clock }),
    markets: createMarkets({ instruments, marketData: market, clock }),
    periods: createPeriods({ periods: createPeriodRepository(sql), audit, clock }),
    runs: runs.runs,
    runList: createRunList({ store: runStore, preferences, clock }),
    resume: () => runs.resume(),
    async stop() {
      await candlePages.stop();
      await runs.stop();
      await pool.close();
    },
  };
}
