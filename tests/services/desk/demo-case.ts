// A workspace with the demo's whole surroundings: real rows, the real exchange in its thread, the real worker
// and the real research side. Used by the tests of the demo.
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { composeDemo } from "../../../src/demo.ts";
import { createDemoKeeper } from "../../../src/demo-exchange.ts";
import { composeLive } from "../../../src/live.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { testAccounts } from "../../support/account-probe.ts";
import { actorOf, testResearch } from "../../support/research-case.ts";
import { silentLog, testDatabase, testScope } from "../../support/test-database.ts";

const VENUE_URL = new URL("../../../src/venue.worker.ts", import.meta.url);
const LEASE = { ttlMs: 20_000, renewEveryMs: 5000 };

/** What `openDemoCase` gives. */
export type DemoCase = Awaited<ReturnType<typeof openDemoCase>>;

/** Everything but a demo; the exchange does not run yet. @param hasWorker whether anybody drives bots */
export async function openDemoCase(hasWorker: boolean) {
  const database = await testDatabase();
  const { sql, target } = database;
  const scope = await testScope(sql, "ann");
  const actor = await actorOf(sql, scope);
  const clock = createClock();
  const log = silentLog;
  let opened = 0;
  const settings = createSettingsRepository(sql);
  const keeper = createDemoKeeper({ settings, url: VENUE_URL, clock, log });
  const { loopbackUrls } = keeper;
  const market = createMarketData({ clock, log, loopbackUrls });
  const research = testResearch(sql, { clock, market, pool: { threads: 1 } });
  const tradingAccounts = await testAccounts(sql, clock);
  const live = composeLive({
    ...{ sql, target, clock, log, loopbackUrls, lease: LEASE },
    ...{ key: new Uint8Array(32).fill(7), instance: 7, name: "worker-1" },
    demo: () => keeper.open(),
  });
  if (hasWorker) live.start();
  let isBroken = false;
  const desk = (by: Clock) =>
    composeDemo({
      ...{ sql, research, tradingAccounts, clock: by, log },
      keeper: {
        async open() {
          opened += 1;
          if (isBroken) throw new Error("the demo exchange: no port is free");
          return keeper.open();
        },
      },
    }).demo;
  return {
    ...{ sql, scope, actor, live, clock, demo: desk(clock) },
    /** The same demo by another clock. */
    desk,
    /** From now on the exchange starts, or does not. */
    breakExchange(broken: boolean) {
      isBroken = broken;
    },
    /** How often the exchange was asked to run. */
    opened: () => opened,
    /** Waits until it is so. @throws after the limit */
    async until(what: string, isSo: () => Promise<boolean>, limitMs = 120_000) {
      const endMs = performance.now() + limitMs;
      while (!(await isSo())) {
        if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
        await Bun.sleep(200);
      }
    },
    async close() {
      await live.stop();
      await keeper.stop();
      await research.stop();
      await database.drop();
    },
  };
}
