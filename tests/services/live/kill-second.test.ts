// A kill reaches the wire within a second: orders are sent one after the other as fast as they go, on real rows, while
// the states are read as a worker reads them; after the kill commits and a second has passed, none leaves any more.
import { expect, test } from "bun:test";
import { createBus } from "../../../src/adapters/postgres/bus.ts";
import { createControlRepository } from "../../../src/adapters/postgres/control-repository.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import type { Bus } from "../../../src/ports/bus.ts";
import { createControl } from "../../../src/services/live/control.ts";
import { createOrderDispatcher } from "../../../src/services/live/order-dispatcher.ts";
import { actorIn, emergencySide, tradingRows } from "../../support/emergency-case.ts";
import { silentLog } from "../../support/silent-log.ts";
import { testDatabase, testScope } from "../../support/test-database.ts";
import { stopLabs } from "../../venue/lab.ts";
import { openWorld } from "./dispatch-world.ts";

const DEAF: Bus = {
  notify: () => Promise.resolve(),
  listen: () => Promise.reject(new Error("nobody wakes anybody")),
};

for (const [how, isDeaf] of [
  ["woken by the database", false],
  ["by the net poll alone", true],
] as const) {
  test(`no entry leaves later than a second after a kill, ${how}`, async () => {
    const database = await testDatabase();
    const stopped = new AbortController();
    let running: Promise<void> = Promise.resolve();
    try {
      const { sql } = database;
      const clock = createClock();
      const scope = await testScope(sql, "ann");
      const store = createTradingRepository(sql, nextStatus);
      const bot = await tradingRows(sql, scope, clock).bot("One");
      const sentAtMs: number[] = [];
      const world = await openWorld({
        store: { store, scope, id: bot.accountId },
        around: (broker) => ({
          place: (order, options) => {
            sentAtMs.push(clock.monotonicMs());
            return broker.place(order, options);
          },
        }),
      });
      const control = createControl({
        store: createControlRepository(sql),
        ...{ bus: isDeaf ? DEAF : createBus(sql), clock, log: silentLog },
      });
      running = control.start(stopped.signal);
      await control.refresh();
      const { live, resolver } = world;
      const dispatcher = createOrderDispatcher({ ...live, clock, cells: control, resolver });
      let n = 0;
      const order = () =>
        world.order({ key: `entry ${++n}`, priceTicks: 150, qtyLots: 2 }, { botId: bot.id });
      const batch = { cancel: [], park: [], send: [], step: null, isFlatten: false };
      const trading = (async () => {
        while (!stopped.signal.aborted) {
          await dispatcher.dispatch({ ...batch, place: [order()] });
          await clock.sleep(2);
        }
      })();
      while (sentAtMs.length < 5) await clock.sleep(10);
      const { emergency } = emergencySide(sql, clock);
      const wish = { scope: "global", level: "stop", reason: "", confirm: "" };
      expect(await emergency.kill(actorIn(scope, "trader"), wish)).toMatchObject({ ok: true });
      const killedAtMs = clock.monotonicMs();
      const committed = n;
      await clock.sleep(2000);
      stopped.abort();
      await trading;
      expect(sentAtMs.filter((at) => at > killedAtMs + 1000)).toEqual([]);
      // It was tried all the time.
      expect(n).toBeGreaterThan(committed + 5);
    } finally {
      stopped.abort();
      await running;
      stopLabs();
      await database.drop();
    }
  }, 60_000);
}
