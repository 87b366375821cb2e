// The real program falls silent with the exchange's dead-man switch wound up: the exchange takes the resting entries
// back by itself, and when the program wakes up, what protects its positions comes before anything else.
import { expect } from "bun:test";
import { testIf } from "../support/needs.ts";
import { comesToRest, openWorld, type World } from "./kill-world.ts";
import { MASTER_KEY } from "./live-account.ts";

const SPEED = 6;
const FIRES_AFTER_MS = 60_000;
const TRADE_LIMIT_MS = 60_000;
const BACK_MS = 60_000;
const REST_LIMIT_MS = 90_000;
const TIMEOUT_MS = 300_000;

/** Purposes of what was sent after an instant, in the order of sending. */
async function sentSince({ database: { sql } }: World, at: number): Promise<string[]> {
  const rows = await sql<{ purpose: string }[]>`
    select purpose from order_intents where sent_at > ${new Date(at)} order by sent_at, id`;
  return rows.map(({ purpose }) => purpose);
}

testIf(
  ["minutes", "gcc"],
  "a frozen program's entries leave by themselves, and its stops come back first",
  async () => {
    const world = await openWorld({
      ...{ seed: 51, speed: SPEED, accounts: 1, botsPerAccount: 3, volatilityPpm: 400 },
      ...{ hasDeadMan: true, masterKey: MASTER_KEY },
    });
    try {
      const program = world.startLive();
      await world.until("positions are held and guarded", TRADE_LIMIT_MS, async () => {
        const { openLegs, workingOrders } = await world.facts();
        return openLegs >= 2 && workingOrders >= 2 * openLegs;
      });
      program.signal("SIGSTOP");
      await world.until("the exchange took every order back", FIRES_AFTER_MS, async () => {
        return (await world.facts()).workingOrders === 0;
      });
      const { openLegs } = await world.facts();
      const wokenAt = world.now();
      program.signal("SIGCONT");
      await world.until("what is held is guarded again", BACK_MS, async () => {
        const facts = await world.facts();
        return facts.workingOrders >= facts.openLegs && facts.workingOrders > 0;
      });
      const purposes = await sentSince(world, wokenAt);
      expect(openLegs).toBeGreaterThan(0);
      expect(purposes[0]).toBe("protective_stop");
      await comesToRest(world, REST_LIMIT_MS);
      await world.stopLive(program);
      expect(await world.differences()).toEqual([]);
    } finally {
      await world.close();
    }
  },
  TIMEOUT_MS,
);
