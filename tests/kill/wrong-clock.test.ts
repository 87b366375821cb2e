// The real program on a machine whose clock is wrong: fast, slow, hours off and set back while it trades. The
// exchange's time is right all along; every closed candle may lead to one decision, and none to two.
import { expect } from "bun:test";
import { MINUTE_MS } from "../../src/model/time.ts";
import type { LiveOrder } from "../support/live-process.ts";
import { comesToRest, openWorld, type World } from "./kill-world.ts";
import { testIf } from "../support/needs.ts";

const SPEED = 8;
const HOUR_MS = 3_600_000;
/** How far the clock is off, one after the other. */
const SHIFTS_MS = [0, 30_000, -30_000, 0, HOUR_MS, 0, -HOUR_MS, HOUR_MS];
/** Real time of each; at least one candle closes. */
const EACH_MS = 8500;
const FIRST_TICK_MS = 30_000;
const BACK_MS = 60_000;
const REST_LIMIT_MS = 90_000;
const TIMEOUT_MS = 300_000;

type Entry = { readonly owner: string; readonly decidedAt: number };

const entriesOf = ({ database: { sql } }: World) => sql<Entry[]>`
  select owner, decided_at from order_intents where purpose = 'entry' order by id`;

testIf(
  "minutes",
  "each closed candle is decided once, whatever the machine's clock says",
  async () => {
    const world = await openWorld({
      ...{ seed: 41, speed: SPEED, accounts: 1, botsPerAccount: 5, volatilityPpm: 3000 },
    });
    try {
      const program = world.startLive();
      await program.next("tick", FIRST_TICK_MS);
      for (const ms of SHIFTS_MS) {
        program.tell({ tell: "shift", ms } satisfies LiveOrder);
        await Bun.sleep(EACH_MS);
        const future = (await entriesOf(world)).filter(({ decidedAt }) => decidedAt > world.now());
        expect(future).toEqual([]);
      }
      program.tell({ tell: "shift", ms: 0 } satisfies LiveOrder);
      const backAt = world.now();
      await world.until("it decides again once the clock is right", BACK_MS, async () => {
        return (await entriesOf(world)).some(({ decidedAt }) => decidedAt > backAt);
      });
      const entries = await entriesOf(world);
      const decided = entries.map(({ owner, decidedAt }) => `${owner} ${decidedAt}`);
      expect(new Set(decided).size).toBe(decided.length);
      expect(entries.filter(({ decidedAt }) => decidedAt % MINUTE_MS !== 0)).toEqual([]);
      await comesToRest(world, REST_LIMIT_MS);
      await world.stopLive(program);
      expect(await world.differences()).toEqual([]);
    } finally {
      await world.close();
    }
  },
  TIMEOUT_MS,
);
