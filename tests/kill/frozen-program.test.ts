// Two real programs on one account: the first freezes with an order on its way, the second takes over when the
// lease ran out, and the first wakes up again. Judged by what the exchange accepted under which lease.
import { expect } from "bun:test";
import { parseClientOrderId } from "../../src/model/client-order-id.ts";
import { testIf } from "../support/needs.ts";
import { comesToRest, openWorld, watchCommits, type World } from "./kill-world.ts";
import { MASTER_KEY } from "./live-account.ts";

const TIMEOUT_MS = 240_000;
const LEASE = { ttlMs: 12_000, renewEveryMs: 3_000 };
const TAKEOVER_MS = 5_000;
const FIRST_TICK_MS = 30_000;
const REST_LIMIT_MS = 90_000;
const TRADE_LIMIT_MS = 90_000;
/** The second one trades alone for so long, and then beside the first one that woke up. */
const AFTER_MS = 10_000;

async function leaseOf({ database: { sql }, accountIds }: World) {
  const [row] = await sql<{ token: number; holder: string; stampS: number }[]>`
    select token, holder, stamp_s from account_leases where account_id = ${accountIds[0] ?? 0}`;
  if (!row) throw new Error("nobody ever took the account");
  return row;
}

testIf(
  ["minutes", "gcc"],
  "a program that was frozen writes nothing under the lease that another one took over",
  async () => {
    const world = await openWorld({
      ...{ seed: 21, speed: 1, accounts: 1, botsPerAccount: 8, volatilityPpm: 6000, lease: LEASE },
      masterKey: MASTER_KEY,
    });
    try {
      const commits = await watchCommits(world);
      const first = world.startLive();
      await first.next("tick", FIRST_TICK_MS);
      const second = world.startLive();
      await world.until("orders were accepted", TRADE_LIMIT_MS, async () => {
        const { accepted } = await world.facts();
        return accepted.length > 3;
      });
      const old = await leaseOf(world);
      expect(await commits.next(TRADE_LIMIT_MS)).toBe(true);
      first.signal("SIGSTOP");
      const frozenMs = performance.now();
      await world.until("the other one took over", 10 * LEASE.ttlMs, async () => {
        return (await leaseOf(world)).token > old.token;
      });
      const takeoverMs = performance.now() - frozenMs;
      const taken = await leaseOf(world);
      const takenAt = world.now();
      console.log(
        `takeover after ${(takeoverMs / 1000).toFixed(1)} s of a ${LEASE.ttlMs} ms lease`,
      );
      await second.next("tick", FIRST_TICK_MS);
      await Bun.sleep(AFTER_MS);
      const before = first.lines.length;
      first.signal("SIGCONT");
      await Bun.sleep(AFTER_MS);
      const woken = first.lines.slice(before).map(({ line, method, path }) => [line, method, path]);
      console.log("said after it woke", JSON.stringify(woken));
      const late = (await world.facts()).accepted.filter(([at, id]) => {
        const parts = parseClientOrderId(id);
        return at >= takenAt && (parts === null || parts.stampS < taken.stampS);
      });
      expect(late).toEqual([]);
      expect(taken.holder).not.toBe(old.holder);
      expect(takeoverMs).toBeLessThanOrEqual(LEASE.ttlMs + TAKEOVER_MS);
      await comesToRest(world, REST_LIMIT_MS);
      await world.stopLive(first);
      await world.stopLive(second);
      expect(await world.differences()).toEqual([]);
    } finally {
      await world.close();
    }
  },
  TIMEOUT_MS,
);
