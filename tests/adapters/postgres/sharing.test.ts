// Several programs on one data folder, and external servers: one serve, many commands, the last one
// out stops the bundled server.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { connect, withDatabase } from "../../../src/adapters/postgres/connect.ts";
import { openDatabase } from "../../../src/adapters/postgres/database.ts";
import { findServer, serverProcesses } from "../../../src/adapters/postgres/server-process.ts";
import { seededDataDir, startHolder } from "../../support/held-database.ts";
import { testIf } from "../../support/needs.ts";
import { silentLog } from "../../support/silent-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { emptyTestDatabase } from "../../support/test-database.ts";

const TIMEOUT_MS = 60_000;

test(
  "a second serve on a data folder is refused with folder and process",
  async () => {
    const dataDir = await seededDataDir();
    const first = await startHolder({ dataDir, as: "serve" });
    expect(await first.next()).toBe("open");
    const second = await startHolder({ dataDir, as: "serve" });
    expect(await second.next()).toBe(
      `refused DatabaseError: another "dragon serve" (process ${first.pid}) already uses the ` +
        `data folder ${dataDir}: stop it first, or set DRAGON_DATA_DIR to another folder`,
    );
    expect(await first.close()).toBe("closed");
    const third = await startHolder({ dataDir, as: "serve" });
    expect(await third.next()).toBe("open");
    expect(await third.close()).toBe("closed");
  },
  TIMEOUT_MS,
);

test(
  "a command starts the server and stops it after",
  async () => {
    const dataDir = await seededDataDir();
    const command = await startHolder({ dataDir, as: "command" });
    expect(await command.next()).toBe("open");
    expect(findServer(join(dataDir, "db"))).not.toBeNull();
    expect(await command.close()).toBe("closed");
    expect(serverProcesses(join(dataDir, "db"))).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "the last of several commands stops the server, whoever started it",
  async () => {
    const dataDir = await seededDataDir();
    const cluster = join(dataDir, "db");
    const commands = await Promise.all(
      [1, 2, 3].map(() => startHolder({ dataDir, as: "command" })),
    );
    for (const command of commands) expect(await command.next()).toBe("open");
    const server = findServer(cluster);
    const [first, second, third] = commands;
    expect(await first!.close()).toBe("closed");
    expect(findServer(cluster)?.pid).toBe(server!.pid);
    await second!.kill("SIGKILL");
    expect(findServer(cluster)?.pid).toBe(server!.pid);
    expect(await third!.close()).toBe("closed");
    expect(serverProcesses(cluster)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "a command beside serve uses its server, and either may go first",
  async () => {
    const dataDir = await seededDataDir();
    const cluster = join(dataDir, "db");
    const serve = await startHolder({ dataDir, as: "serve" });
    expect(await serve.next()).toBe("open");
    const server = findServer(cluster);
    for (const name of ["short", "long"]) {
      const command = await startHolder({ dataDir, as: "command" });
      expect(await command.next()).toBe("open");
      expect(findServer(cluster)?.pid).toBe(server!.pid);
      if (name === "long") expect(await serve.close()).toBe("closed");
      expect(findServer(cluster)?.pid).toBe(server!.pid);
      expect(await command.close()).toBe("closed");
    }
    expect(serverProcesses(cluster)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "commands that come and go at once never meet a stopped server",
  async () => {
    const dataDir = await seededDataDir();
    const use = async () => {
      for (let turn = 0; turn < 6; turn++) {
        const database = await openDatabase({ dataDir, as: "command", log: silentLog });
        const [row] = await database.sql<{ one: number }[]>`select 1 as one`;
        expect(row?.one).toBe(1);
        await database.close();
      }
    };
    await Promise.all([use(), use(), use()]);
    expect(serverProcesses(join(dataDir, "db"))).toEqual([]);
  },
  TIMEOUT_MS,
);

testIf(
  "postgres",
  "an external server is used without touching the data folder",
  async () => {
    const external = await emptyTestDatabase("external");
    const dataDir = join(temporaryFolder(), "none");
    const options = { databaseUrl: external.url, dataDir, log: silentLog };
    const command = await openDatabase({ ...options, as: "command" });
    expect(command.kind).toBe("external");
    await command.close();
    expect(await Bun.file(join(dataDir, "lock")).exists()).toBe(false);
    const serve = await openDatabase({ ...options, as: "serve" });
    await expect(openDatabase({ ...options, as: "serve" })).rejects.toThrow(
      "already uses the data",
    );
    const elsewhere = { ...options, dataDir: temporaryFolder() };
    const worker = await openDatabase({ ...elsewhere, as: "serve" });
    await worker.close();
    await serve.close();
    expect(await Bun.file(join(dataDir, "db")).exists()).toBe(false);
    await external.drop();
  },
  TIMEOUT_MS,
);

testIf(
  "postgres",
  "an external server older than 14 is refused with its version",
  async () => {
    const external = await emptyTestDatabase("external");
    // The server's own function is hidden behind one that answers like an old server.
    await external.sql`create schema old`;
    await external.sql`
    create function old.current_setting(name text) returns text language sql as
    $$ select case name when 'server_version_num' then '130014' else '13.14' end $$`;
    const { sql, name } = external;
    await sql`alter database ${sql(name)} set search_path = old, pg_catalog, public`;
    const opening = openDatabase({
      databaseUrl: external.url,
      dataDir: temporaryFolder(),
      as: "command",
      log: silentLog,
    });
    await expect(opening).rejects.toThrow(/is version 13\.14; Dragon needs 14 or newer$/);
    await external.drop();
  },
  TIMEOUT_MS,
);

testIf(
  "postgres",
  "an external server that refuses is named without its password",
  async () => {
    const external = await emptyTestDatabase("external");
    if (external.target.kind !== "url") throw new Error("an address was expected");
    const wrong = new URL(external.target.url);
    wrong.password = "hunter2";
    const missing = withDatabase(external.target, "no_such_database");
    const off = "postgres://me:hunter2@127.0.0.1:1/dragon";
    const urls = [wrong.href, missing.kind === "url" ? missing.url : "", off];
    const sentences = [
      "password authentication failed",
      'database "no_such_database" does not exist',
      "dragon at 127.0.0.1:1 cannot be used (ECONNREFUSED): is it running, and is DRAGON_",
    ];
    for (const [index, databaseUrl] of urls.entries()) {
      const options = { databaseUrl, dataDir: temporaryFolder(), log: silentLog };
      const error = await openDatabase({ ...options, as: "command" }).catch((thrown) => thrown);
      expect(error.name).toBe("DatabaseError");
      expect(error.message).toContain(sentences[index]!);
      expect(error.message).not.toContain("hunter2");
    }
    const alive = connect(external.target, { max: 1 });
    await alive`select 1`;
    await alive.end();
    await external.drop();
  },
  TIMEOUT_MS,
);
