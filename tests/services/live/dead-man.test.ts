// The exchange's own switch: wound up in time, off before a planned stop, and what follows when it has fired.
import { expect, test } from "bun:test";
import type { Broker, WriteAnswer } from "../../../src/ports/broker.ts";
import { createDeadMan } from "../../../src/services/live/dead-man.ts";
import { type FlattenWorld, ONE, openFlattenWorld } from "./flatten-world.ts";

const { signal } = new AbortController();

async function inWorld(
  around: (broker: Broker) => Partial<Broker>,
  work: (world: FlattenWorld) => Promise<void>,
): Promise<void> {
  const world = await openFlattenWorld({ seed: 1, around });
  try {
    await work(world);
  } finally {
    world.close();
  }
}

/** Lets time pass in ticks of three seconds. @returns whether it fired */
async function tickFor(world: FlattenWorld, man: ReturnType<typeof createDeadMan>, ms: number) {
  let hasFired = false;
  for (let passed = 0; passed < ms; passed += 3000) {
    if (await world.driven(man.tick(signal))) hasFired = true;
    await world.clock.runUntil(world.clock.now() + 3000);
  }
  return hasFired;
}

const resting = { kind: "limit", priceTicks: 500_000, qtyLots: 10 } as const;
const kinds = ({ events }: FlattenWorld) => events.map(({ kind }) => kind);

test("while it is wound up nothing is cancelled; once nobody does, everything is", async () => {
  await inWorld(
    () => ({}),
    async (world) => {
      await world.order(ONE, resting);
      const man = createDeadMan(world.live);
      expect(await tickFor(world, man, 300_000)).toBe(false);
      expect(world.openAtExchange()).toHaveLength(1);
      expect(kinds(world).filter((kind) => kind === "dead_man_armed")).toHaveLength(1);
      // The process is frozen.
      await world.clock.runUntil(world.clock.now() + 61_000);
      world.exchange.advance();
      expect(world.openAtExchange()).toHaveLength(0);
    },
  );
});

test("on return nothing may be opened before protection was looked after", async () => {
  await inWorld(
    () => ({}),
    async (world) => {
      const man = createDeadMan(world.live);
      await tickFor(world, man, 30_000);
      expect(man.block()).toBe(null);
      await world.clock.runUntil(world.clock.now() + 61_000);
      expect(await world.driven(man.tick(signal))).toBe(true);
      expect(man.block()).toContain("protection comes first");
      expect(await world.driven(man.tick(signal))).toBe(false);
      expect(man.block()).not.toBe(null);
      man.protectedAgain();
      expect(man.block()).toBe(null);
      expect(kinds(world).filter((kind) => kind === "dead_man_armed")).toHaveLength(2);
    },
  );
});

test("after a planned stop it does not fire", async () => {
  await inWorld(
    () => ({}),
    async (world) => {
      await world.order(ONE, resting);
      const man = createDeadMan(world.live);
      await tickFor(world, man, 30_000);
      expect(await world.driven(man.off())).toBe(true);
      await world.clock.runUntil(world.clock.now() + 120_000);
      world.exchange.advance();
      expect(world.openAtExchange()).toHaveLength(1);
    },
  );
});

test("off is asked for again, and not said while the exchange does not say it", async () => {
  const lost: WriteAnswer<null> = { outcome: "unverified", cause: "timeout", sentence: "lost" };
  let offs = 0;
  let answersFrom = 3;
  await inWorld(
    (broker) => ({
      setDeadMan: (ms, options) =>
        ms === 0 && ++offs < answersFrom ? Promise.resolve(lost) : broker.setDeadMan(ms, options),
    }),
    async (world) => {
      const man = createDeadMan(world.live);
      await tickFor(world, man, 6000);
      expect(await world.driven(man.off())).toBe(true);
      [offs, answersFrom] = [0, 100];
      await tickFor(world, man, 30_000);
      expect(await world.driven(man.off())).toBe(false);
      expect(offs).toBe(3);
    },
  );
});

test("a lost sign of life is sent again soon enough", async () => {
  let n = 0;
  await inWorld(
    (broker) => ({
      // Two of three get lost.
      setDeadMan: (ms, options) =>
        ++n % 3 === 0
          ? broker.setDeadMan(ms, options)
          : Promise.resolve({ outcome: "unverified", cause: "timeout", sentence: "lost" }),
    }),
    async (world) => {
      await world.order(ONE, resting);
      const man = createDeadMan(world.live);
      expect(await tickFor(world, man, 300_000)).toBe(false);
      expect(world.openAtExchange()).toHaveLength(1);
    },
  );
});

test("an exchange without it is told once, and nothing is asked of it", async () => {
  await inWorld(
    (broker) => ({
      capabilities: { ...broker.capabilities, deadMan: false },
      setDeadMan: () => Promise.reject(new Error("it was asked")),
    }),
    async (world) => {
      const man = createDeadMan(world.live);
      await tickFor(world, man, 60_000);
      expect(kinds(world)).toEqual(["dead_man_unavailable"]);
      expect(await man.off()).toBe(true);
    },
  );
});

test("with a lease about to end it is left to whoever comes next", async () => {
  let asked = 0;
  await inWorld(
    (broker) => ({
      setDeadMan: (ms, options) => {
        asked += 1;
        return broker.setDeadMan(ms, options);
      },
    }),
    async (world) => {
      const man = createDeadMan(world.live);
      world.hands.leaseMs = 4000;
      await tickFor(world, man, 60_000);
      expect(asked).toBe(0);
    },
  );
});
