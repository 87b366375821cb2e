// Opens Dragon's database, bundled or external, and closes it again. Called by the composition
// root; it neither migrates nor reads the environment.
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../ports/log.ts";
import { type ConnectTarget, connect, describeTarget, type Sql } from "./connect.ts";
import { type EmbeddedOptions, isTransient, startEmbedded } from "./embedded.ts";
import { DatabaseError, errorCode, errorText } from "./errors.ts";
import { prepareDataDir } from "./folders.ts";
import { one } from "./rows.ts";
import { claimDataDir, shareServer } from "./sharing.ts";

/** How to open the database. */
export type DatabaseOptions = Pick<EmbeddedOptions, "binaries" | "runAs" | "runtimeDir"> & {
  /** External PostgreSQL; the bundled one when absent. */
  readonly databaseUrl?: string | undefined;
  readonly dataDir: string;
  /** `serve` has the data folder for itself; the others share the server. */
  readonly as: "serve" | "worker" | "command";
  readonly log: Log;
};

/** An open database. */
export type Database = {
  readonly sql: Sql;
  readonly kind: "embedded" | "external";
  readonly target: ConnectTarget;
  /** Ends the connections; stops the bundled server when nobody else uses it. */
  close(): Promise<void>;
};

const POOL_SIZE = { serve: 10, worker: 6, command: 4 } as const;
const VERSION_MIN = 140_000;
const RECOVERY_MS = 60_000;
const CLOSE_TIMEOUT_S = 5;

/**
 * Opens the database under the sharing rules of the data folder.
 * @throws DatabaseError with one sentence for the operator
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const claim = options.as === "serve" ? await claimDataDir(prepareDataDir(options.dataDir)) : null;
  try {
    const database =
      options.databaseUrl === undefined
        ? await openEmbedded(options)
        : await openExternal(options.databaseUrl, options);
    return {
      ...database,
      close: async () => {
        try {
          await database.close();
        } finally {
          claim?.release();
        }
      },
    };
  } catch (error) {
    claim?.release();
    throw error;
  }
}

async function openEmbedded(options: DatabaseOptions): Promise<Database> {
  const dataDir = prepareDataDir(options.dataDir);
  const share = await shareServer(dataDir, () => startEmbedded({ ...options, dataDir }));
  const { target } = share.server;
  const sql = connect(target, { max: POOL_SIZE[options.as] });
  return {
    sql,
    kind: "embedded",
    target,
    close: async () => {
      await sql.end({ timeout: CLOSE_TIMEOUT_S });
      const isStopped = await share.leave();
      options.log.debug(isStopped ? "PostgreSQL stopped" : "PostgreSQL goes on for others");
    },
  };
}

async function openExternal(url: string, options: DatabaseOptions): Promise<Database> {
  const target: ConnectTarget = { kind: "url", url };
  const sql = connect(target, { max: POOL_SIZE[options.as] });
  try {
    await checkVersion(sql, target);
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
  return {
    sql,
    kind: "external",
    target,
    close: () => sql.end({ timeout: CLOSE_TIMEOUT_S }),
  };
}

async function checkVersion(sql: Sql, target: ConnectTarget): Promise<void> {
  const { number, name } = await readVersion(sql, target);
  if (number >= VERSION_MIN) return;
  throw new DatabaseError(
    `the PostgreSQL ${describeTarget(target)} is version ${name}; Dragon needs 14 or newer`,
  );
}

type ServerVersion = { readonly number: number; readonly name: string };

/** The version; waits while the server recovers from a crash. */
async function readVersion(sql: Sql, target: ConnectTarget): Promise<ServerVersion> {
  const endAt = performance.now() + RECOVERY_MS;
  for (;;) {
    try {
      return one(
        await sql<ServerVersion[]>`
          select current_setting('server_version_num')::integer as number,
            current_setting('server_version') as name`,
      );
    } catch (error) {
      if (errorCode(error) === "57P03" && performance.now() < endAt) {
        await sleep(200);
        continue;
      }
      const hint = isTransient(error) ? "is it running, and " : "";
      throw new DatabaseError(
        `the PostgreSQL ${describeTarget(target)} cannot be used (${reason(error)}): ` +
          `${hint}is DRAGON_DATABASE_URL right?`,
        { cause: error },
      );
    }
  }
}

/** PostgreSQL's own sentence, or the system's code; never the address with its password. */
function reason(error: unknown): string {
  const code = errorCode(error);
  return /^[0-9A-Z]{5}$/.test(code) || code === "" ? errorText(error) : code;
}
