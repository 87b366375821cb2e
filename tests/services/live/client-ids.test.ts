// Client order ids under a lease: one sequence per bot and stamp, and a fresh stamp when it is used up.
import { expect, test } from "bun:test";
import { parseClientOrderId } from "../../../src/model/client-order-id.ts";
import type { BotId } from "../../../src/ports/bot-store.ts";
import { type ClientIds, createClientIds } from "../../../src/services/live/client-ids.ts";
import type { LiveDeps } from "../../../src/services/live/live-types.ts";

/** Stamps rise by one; null once the lease is lost. */
function idsOf(stamps: { held: number; isLost: boolean }): ClientIds {
  const lease: Pick<LiveDeps["lease"], "stampS" | "freshStamp"> = {
    stampS: () => stamps.held,
    freshStamp: () => Promise.resolve(stamps.isLost ? null : ++stamps.held),
  };
  return createClientIds({ account: { instance: 7 }, lease });
}

const [one, two] = [1 as BotId, 2 as BotId];
const parts = async (ids: ClientIds, bot: BotId) =>
  parseClientOrderId((await ids.next(bot)) ?? "none");

test("every bot has a sequence of its own", async () => {
  const ids = idsOf({ held: 100, isLost: false });
  expect(await parts(ids, one)).toEqual({ stampS: 100, instance: 7, bot: 1, sequence: 0 });
  expect(await parts(ids, two)).toEqual({ stampS: 100, instance: 7, bot: 2, sequence: 0 });
  expect(await parts(ids, one)).toMatchObject({ sequence: 1 });
});

test("a sequence that is used up goes on under a fresh stamp, and nothing repeats", async () => {
  const ids = idsOf({ held: 100, isLost: false });
  const seen = new Set<string | null>();
  for (let n = 0; n < 10_002; n++) seen.add(await ids.next(one));
  expect(seen.size).toBe(10_002);
  expect(await parts(ids, one)).toMatchObject({ stampS: 101, sequence: 2 });
  expect(await parts(ids, two)).toMatchObject({ stampS: 101, sequence: 0 });
});

test("without the lease there is no further id", async () => {
  const stamps = { held: 100, isLost: false };
  const ids = idsOf(stamps);
  for (let n = 0; n < 10_000; n++) await ids.next(one);
  stamps.isLost = true;
  expect(await ids.next(one)).toBeNull();
  expect(await ids.renew()).toBe(false);
});

test("a lease that was taken again begins its own stamp", async () => {
  const stamps = { held: 100, isLost: false };
  const ids = idsOf(stamps);
  await ids.next(one);
  stamps.held = 200;
  expect(await parts(ids, one)).toMatchObject({ stampS: 200, sequence: 0 });
});
