// The database of a simulation as the processes see it: the stores in memory behind connections that take
// time, are lost in the middle of a commit and may be gone for a minute. Every process opens its own
// connection; the stores themselves only ever hold what was committed.
import { between, createRandom } from "../../src/venue/random.ts";
import type { SimClock } from "./sim-clock.ts";

/** The database and the strings to pull. */
export type SimDatabase = {
  /** A store over a connection of its own; members named in `plain` are no round trips. */
  connect<Store extends object>(store: Store, plain?: readonly string[]): Store;
  /** Unreachable from now on for a while. */
  goDown(forMs: number): void;
  /** When it is there again. */
  downUntil(): number;
};

/** What a process hears when the database is not there. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** How long a process waits until it knows that nobody is there. */
const NOBODY_MS = 200;
const ROUND_TRIP_MS = { min: 0, max: 4 };

/** A database that is there. */
export function createSimDatabase(clock: SimClock, seed: number): SimDatabase {
  const random = createRandom(seed, "database");
  let downUntil = Number.NEGATIVE_INFINITY;
  let outages = 0;
  const isDown = () => clock.now() < downUntil;

  async function roundTrip(carryOut: () => unknown): Promise<unknown> {
    const half = () => clock.sleep(between(random, ROUND_TRIP_MS.min, ROUND_TRIP_MS.max) / 2);
    await half();
    if (isDown()) {
      await clock.sleep(NOBODY_MS);
      throw new ConnectionLost("the database is not there");
    }
    const before = outages;
    const answer = await carryOut();
    await half();
    // It was committed, and nobody will ever hear so.
    if (outages !== before) throw new ConnectionLost("the connection was lost before the answer");
    return answer;
  }

  return {
    connect<Store extends object>(store: Store, plain: readonly string[] = []): Store {
      const members = Object.entries(store).map(([member, value]: [string, unknown]) => {
        if (typeof value !== "function" || plain.includes(member)) return [member, value];
        const call = (...given: unknown[]) => roundTrip(() => Reflect.apply(value, store, given));
        return [member, call];
      });
      return Object.fromEntries(members);
    },
    goDown(forMs) {
      downUntil = Math.max(downUntil, clock.now() + forMs);
      outages += 1;
    },
    downUntil: () => downUntil,
  };
}
