// Where lives of the program are lived: its world, how it is started and how it is asked to end. Two stages: the
// trading side from source, many times faster than real; and Dragon itself as people run it, in real time, on its
// own bundled PostgreSQL. Opened by kill-harness.ts.
import { openDatabase } from "../../src/adapters/postgres/database.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { demoConfig } from "../../src/strategy/dca-atr/demo-config.ts";
import { seededDataDir } from "../support/held-database.ts";
import { silentLog } from "../support/silent-log.ts";
import type { ExchangeDoor } from "./exchange-door.ts";
import { openWorld, type World } from "./kill-world.ts";
import { type LedDragon, startDragon } from "./led-program.ts";
import { MASTER_KEY } from "./live-account.ts";

/** A program that is going to be killed. */
export type Mortal = {
  kill(): Promise<void>;
  /** Asks it to end, and waits. */
  stop(): Promise<void>;
  /** Resolves when it is gone, however it went. */
  readonly ended: Promise<unknown>;
  /** What it wrote last. */
  said(): string;
};

/** A place to live, trade and be killed in. */
export type Stage = {
  readonly world: World;
  readonly door: ExchangeDoor;
  /** Starts a program; it is not asked whether it trades yet. */
  start(): Mortal;
  close(): Promise<void>;
};

/** Opens a stage of its own for a seed. */
export type OpenStage = (seed: number) => Promise<Stage>;

const SPEED = 6;
/** Enters at every close of a minute, and has long ladders: whatever way prices go, there is an order to send. */
const STRATEGY = parseConfig({
  ...demoConfig(),
  general: { ...demoConfig().general, max_entries: 30 },
  rsi: { ...demoConfig().rsi, buy_level: 99, sell_level: 100 },
  exits: { ...demoConfig().exits, tp_pct: 5, sl_pct: 15 },
  dca: { base_deviation_pct: 0.15, deviation_multiplier: 1, volume_multiplier: 1 },
}) as unknown as Json;
/** Several accounts: what an exchange lets one ask in a minute is little for so many starts. */
const TRADED = {
  ...{ accounts: 5, botsPerAccount: 1, markets: 5, volatilityPpm: 2000, strategy: STRATEGY },
} as const;
/** A key that Dragon takes: one of a single repeated byte would be a placeholder. */
const DRAGON_KEY = Uint8Array.from({ length: 32 }, (_, n) => n + 1);

/** The trading side from source. */
export async function openSourceStage(seed: number): Promise<Stage> {
  const world = await openWorld({ ...TRADED, seed, speed: SPEED, masterKey: MASTER_KEY });
  return {
    ...{ world, door: doorOf(world), close: world.close },
    start() {
      const program = world.startLive();
      return {
        ended: program.ended,
        said: program.errors,
        stop: () => world.stopLive(program),
        async kill() {
          program.signal("SIGKILL");
          await program.ended;
        },
      };
    },
  };
}

/** Dragon itself, as `command` starts it. */
export function dragonStage(command: readonly string[]): OpenStage {
  return async (seed) => {
    const dataDir = await seededDataDir();
    const opened = await openDatabase({ dataDir, as: "command", log: silentLog });
    const { sql, target } = opened;
    await migrate(sql);
    const database = { sql, target, name: "dragon", drop: () => opened.close() };
    const world = await openWorld({
      ...{ ...TRADED, seed, speed: 1, isOnTime: true, database, masterKey: DRAGON_KEY },
    });
    const door = doorOf(world);
    const alive = new Set<LedDragon>();
    return {
      ...{ world, door },
      start() {
        const dragon = startDragon({ command, dataDir, port: door.port, masterKey: DRAGON_KEY });
        alive.add(dragon);
        void dragon.ended.then(() => alive.delete(dragon));
        return {
          ended: dragon.ended,
          said: dragon.output,
          kill: () => dragon.end("SIGKILL"),
          stop: () => dragon.end("SIGTERM"),
        };
      },
      async close() {
        for (const dragon of alive) await dragon.end("SIGKILL");
        await world.close();
        await database.drop();
      },
    };
  };
}

function doorOf({ door }: World): ExchangeDoor {
  if (door === null) throw new Error("the world has no door to its exchange");
  return door;
}
