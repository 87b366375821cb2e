// The database goes away under the real program and comes back: it lives on, sends nothing meanwhile, goes on by
// itself, and what happened at the exchange in between is booked as if it had been there.
import { expect } from "bun:test";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { startEmbedded } from "../../src/adapters/postgres/embedded.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { silentLog } from "../support/silent-log.ts";
import { seededDataDir } from "../support/held-database.ts";
import { testIf } from "../support/needs.ts";
import { comesToRest, openWorld } from "./kill-world.ts";
import { MASTER_KEY } from "./live-account.ts";

const OUTAGE_MS = 60_000;
const SPEED = 4;
/** A request that had left before is answered by then. */
const IN_FLIGHT_MS = 2000;
const BACK_MS = 30_000;
const REST_LIMIT_MS = 90_000;
const TRADE_LIMIT_MS = 60_000;
const TIMEOUT_MS = 300_000;

testIf(
  ["minutes", "gcc"],
  `a database stopped for ${OUTAGE_MS / 1000} s costs no order and no record`,
  async () => {
    const dataDir = await seededDataDir();
    let server = await startEmbedded({ dataDir, log: silentLog });
    const sql = connect(server.target, { max: 6 });
    await migrate(sql);
    const database = { sql, target: server.target, name: "postgres", drop: async () => undefined };
    const world = await openWorld({
      ...{ seed: 31, speed: SPEED, accounts: 1, botsPerAccount: 8, volatilityPpm: 4000, database },
      masterKey: MASTER_KEY,
    });
    try {
      const program = world.startLive();
      await world.until("positions are held and guarded", TRADE_LIMIT_MS, async () => {
        const { trades, openLegs, workingOrders } = await world.facts();
        return trades > 5 && openLegs >= 2 && workingOrders >= 3 * openLegs;
      });
      await server.stop();
      await Bun.sleep(IN_FLIGHT_MS);
      const before = await world.facts();
      await Bun.sleep(OUTAGE_MS - IN_FLIGHT_MS);
      const after = await world.facts();
      expect(program.isAlive()).toBe(true);
      expect(after.accepted.slice(before.accepted.length)).toEqual([]);
      server = await startEmbedded({ dataDir, log: silentLog });
      const backMs = performance.now();
      await world.until("it sends orders again", BACK_MS + TRADE_LIMIT_MS, async () => {
        return (await world.facts()).accepted.length > after.accepted.length;
      });
      const filled = after.trades - before.trades;
      console.log(
        `${filled} fills meanwhile; next order ${Math.round(performance.now() - backMs)} ms after`,
      );
      await comesToRest(world, REST_LIMIT_MS);
      await world.stopLive(program);
      expect(await world.differences()).toEqual([]);
      expect((await world.facts()).twice).toEqual([]);
    } finally {
      await world.close();
      await sql.end({ timeout: 1 });
      await server.stop();
    }
  },
  TIMEOUT_MS,
);
