// Composition of `dragon doctor`: gives the doctor service its probes. Called by main.ts. Probes
// look; they never create a folder, a key or a schema.
import { existsSync } from "node:fs";
import { foldersOf } from "./adapters/postgres/folders.ts";
import { schemaState } from "./adapters/postgres/migrate.ts";
import { serverFacts } from "./adapters/postgres/server-facts.ts";
import {
  availableMemoryBytes,
  folderFacts,
  libraryFacts,
  portState,
} from "./adapters/system/machine.ts";
import { compareMasterKey, findMasterKey } from "./adapters/vault/master-key.ts";
import { type Config, type Environment, parseMasterKey, unknownVariables } from "./config.ts";
import type { Clock } from "./ports/clock.ts";
import type { DatabaseFacts, DoctorProbes } from "./services/desk/doctor.ts";
import { type Storage, deskStores } from "./storage.ts";

/** What the probes look at. */
export type ProbeDeps = {
  config(): Config;
  readonly env: Environment;
  storage(): Promise<Storage>;
  readonly clock: Clock;
};

/** Builds the probes. */
export function createDoctorProbes({ config, env, storage, clock }: ProbeDeps): DoctorProbes {
  const keyDeps = () => ({
    dataDir: config().dataDir,
    fromEnvironment: config().masterKey(),
    parse: parseMasterKey,
  });
  return {
    async config() {
      config();
      return { unknown: unknownVariables(env) };
    },
    folder: async () => folderFacts(config().dataDir),
    async database() {
      const { databaseUrl, dataDir } = config();
      // Opening the bundled database for the first time would create it.
      const isFresh = databaseUrl === undefined && !existsSync(foldersOf(dataDir).cluster);
      if (isFresh) return undefined;
      const key = keyOrNothing(keyDeps());
      return databaseFacts(await storage(), clock, key);
    },
    async key() {
      const found = findMasterKey(keyDeps());
      if (!found || found.from === "created") return undefined;
      return { from: found.from, path: found.path };
    },
    async port() {
      const { host, port } = config();
      return { address: `${host}:${port}`, state: await portState(host, port) };
    },
    memory: async () => ({ availableBytes: availableMemoryBytes() }),
    libraries: async () => ({ needed: config().databaseUrl === undefined, ...libraryFacts() }),
  };
}

function keyOrNothing(deps: Parameters<typeof findMasterKey>[0]): Uint8Array | undefined {
  try {
    return findMasterKey(deps)?.bytes;
  } catch {
    // A refused key file is reported by the key probe itself.
    return undefined;
  }
}

async function databaseFacts(
  storage: Storage,
  clock: Clock,
  key: Uint8Array | undefined,
): Promise<DatabaseFacts> {
  const database = await storage.openRaw("command");
  try {
    const schema = await schemaState(database.sql);
    const { version, at } = await serverFacts(database.sql);
    const clockOffsetMs = at - clock.now();
    const isReady = schema.current >= 2;
    const { settings } = deskStores(database);
    const keyState = isReady ? await compareMasterKey(key, settings) : "no-check";
    return { kind: database.kind, version, schema, clockOffsetMs, key: keyState };
  } finally {
    await database.close();
  }
}
