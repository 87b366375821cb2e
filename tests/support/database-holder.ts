// A program of its own that holds a database open, so that tests can kill it, signal its group and
// run it as another user. Started by tests through held-database.ts; ends when told on its input.
import { openDatabase } from "../../src/adapters/postgres/database.ts";
import { errorText } from "../../src/adapters/postgres/errors.ts";
import { silentLog } from "./silent-log.ts";

/** What a test tells the program. */
export type HolderTask = {
  readonly dataDir: string;
  readonly as: "serve" | "command";
  /** Folder with the programs of PostgreSQL and their version. */
  readonly root: string;
  readonly version: string;
  /** A stopped, empty cluster to copy when initdb refuses the user. */
  readonly emptyCluster?: string;
};

async function hold(task: HolderTask): Promise<void> {
  const { dataDir, as, root, version, emptyCluster } = task;
  const database = await openDatabase({
    dataDir,
    as,
    log: silentLog,
    binaries: {
      version,
      place: async () => root,
      ...(emptyCluster === undefined
        ? {}
        : {
            emptyCluster: async (folder) => {
              const copy = Bun.spawn(["cp", "-r", `${emptyCluster}/.`, folder]);
              if ((await copy.exited) !== 0) throw new Error("the cluster could not be copied");
            },
          }),
    },
  });
  await database.sql`select 1`;
  console.log("open");
  for await (const line of console) {
    if (line.trim() === "close") break;
  }
  await database.close();
  console.log("closed");
}

if (import.meta.main) {
  const task: HolderTask = JSON.parse(process.argv[2] ?? "{}");
  try {
    await hold(task);
  } catch (error) {
    console.log(`refused ${error instanceof Error ? error.name : ""}: ${errorText(error)}`);
    process.exitCode = 1;
  }
}
