// The bundled PostgreSQL from its first start to its last stop: who runs it, what it costs, how it
// survives kills, stale pid files and crashes. Every server here is real.
import { expect, test } from "bun:test";
import {
  existsSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sourceBinaries } from "../../../src/adapters/postgres/binaries.ts";
import { connect } from "../../../src/adapters/postgres/connect.ts";
import { isTransient } from "../../../src/adapters/postgres/embedded.ts";
import { findServer, serverProcesses } from "../../../src/adapters/postgres/server-process.ts";
import {
  isRoot,
  ordinaryUser,
  seededDataDir,
  start,
  startHolder,
} from "../../support/held-database.ts";
import { testIf } from "../../support/needs.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const TIMEOUT_MS = 60_000;

function status(pid: number, field: string): string {
  const line = readFileSync(`/proc/${pid}/status`, "utf8")
    .split("\n")
    .find((text) => text.startsWith(`${field}:`));
  return line?.slice(field.length + 1).trim() ?? "";
}

/** Proportional memory of a server's processes in MB. */
function pssMb(pids: readonly number[]): number {
  const kb = pids.map((pid) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  });
  return kb.reduce((sum, value) => sum + value, 0) / 1024;
}

test(
  "a first start makes a durable database and a stop leaves no process",
  async () => {
    const dataDir = temporaryFolder();
    const beganAt = performance.now();
    const server = await start(dataDir);
    expect(performance.now() - beganAt).toBeLessThan(15_000);
    expect(server.how).toBe("started");
    const sql = connect(server.target);
    const [row] = await sql<Record<string, unknown>[]>`
    select current_setting('fsync') as fsync, current_setting('data_checksums') as checksums,
      current_setting('full_page_writes') as pages, current_setting('listen_addresses') as listen,
      current_setting('synchronous_commit') as commit, current_database() as name,
      pg_encoding_to_char(encoding) as encoding from pg_database where datname = 'dragon'`;
    expect(row).toEqual({
      fsync: "on",
      checksums: "on",
      pages: "on",
      listen: "",
      commit: "on",
      name: "dragon",
      encoding: "UTF8",
    });
    await sql.end();
    const cluster = join(dataDir, "db");
    await sleep(200);
    expect(pssMb(serverProcesses(cluster))).toBeLessThan(40);
    const stoppedAt = performance.now();
    await server.stop();
    expect(performance.now() - stoppedAt).toBeLessThan(5000);
    expect(serverProcesses(cluster)).toEqual([]);
    expect(existsSync(join(cluster, "postmaster.pid"))).toBe(false);
  },
  TIMEOUT_MS,
);

test(
  "a fast stop does not wait for open transactions",
  async () => {
    const server = await start(await seededDataDir());
    const sql = connect(server.target, { max: 1 });
    const held = await sql.reserve();
    await held`begin`;
    await held`create table half_done (id bigint)`;
    const sleeping = held`select pg_sleep(60)`.execute();
    const ended = sleeping.then(
      () => "answered",
      (error) => (isTransient(error) ? "cut" : error),
    );
    await sleep(200);
    const stoppedAt = performance.now();
    await server.stop();
    expect(performance.now() - stoppedAt).toBeLessThan(5000);
    expect(await ended).toBe("cut");
    await sql.end({ timeout: 0 });
  },
  TIMEOUT_MS,
);

testIf(
  "root",
  "root hands the server over to an unprivileged user with no rights left",
  async () => {
    const dataDir = await seededDataDir();
    const server = await start(dataDir);
    const uid = ordinaryUser().uid;
    expect(uid).not.toBe(0);
    expect(status(server.pid, "Uid").split("\t")).toEqual(Array(4).fill(String(uid)));
    expect(status(server.pid, "Groups")).toBe("");
    expect(Number.parseInt(status(server.pid, "CapEff"), 16)).toBe(0);
    expect(statSync(join(dataDir, "run")).mode & 0o777).toBe(0o700);
    await server.stop();
  },
  TIMEOUT_MS,
);

test(
  "an ordinary user runs the server itself",
  async () => {
    const user = ordinaryUser();
    const dataDir = await seededDataDir(user);
    const holder = await startHolder({ dataDir, as: "serve" }, user);
    expect(await holder.next()).toBe("open");
    const server = findServer(join(dataDir, "db"));
    expect(status(server!.pid, "Uid").split("\t")[0]).toBe(String(user.uid));
    expect(status(holder.pid, "Uid").split("\t")[0]).toBe(String(user.uid));
    expect(await holder.close()).toBe("closed");
    expect(serverProcesses(join(dataDir, "db"))).toEqual([]);
  },
  TIMEOUT_MS,
);

for (const [name, user] of [
  ["ourselves", undefined],
  ["an ordinary user", ordinaryUser()],
] as const) {
  test(
    `after kill -9 of Dragon as ${name} the next start adopts the server`,
    async () => {
      const dataDir = await seededDataDir(user);
      const cluster = join(dataDir, "db");
      const first = await startHolder({ dataDir, as: "serve" }, user);
      expect(await first.next()).toBe("open");
      const before = findServer(cluster);
      const sql = connect((await start(dataDir)).target, { max: 1 });
      await sql`create table kept as select generate_series(1, 100) as n`;
      await sql.end();
      await first.kill("SIGKILL");
      expect(findServer(cluster)?.pid).toBe(before!.pid);
      const second = await startHolder({ dataDir, as: "serve" }, user);
      expect(await second.next()).toBe("open");
      expect(findServer(cluster)?.pid).toBe(before!.pid);
      const adopted = await start(dataDir);
      expect(adopted).toMatchObject({ how: "adopted", pid: before!.pid });
      const again = connect(adopted.target, { max: 1 });
      const [row] = await again<{ sum: number }[]>`select sum(n) as sum from kept`;
      expect(row?.sum).toBe(5050);
      await again.end();
      expect(await second.close()).toBe("closed");
      expect(serverProcesses(cluster)).toEqual([]);
    },
    TIMEOUT_MS,
  );
}

test(
  "a Ctrl-C at Dragon's terminal does not reach the server",
  async () => {
    const dataDir = await seededDataDir();
    const cluster = join(dataDir, "db");
    const holder = await startHolder({ dataDir, as: "serve" });
    expect(await holder.next()).toBe("open");
    const server = findServer(cluster);
    await holder.interruptGroup();
    await sleep(300);
    expect(findServer(cluster)).toMatchObject({ pid: server!.pid, isReady: true });
    const adopted = await start(dataDir);
    expect(adopted.how).toBe("adopted");
    await adopted.stop();
  },
  TIMEOUT_MS,
);

/** Writes a pid file as a crashed server leaves it, with the pid of our choice. */
function leavePidFile(cluster: string, pid: number): void {
  const socket = join(cluster, "../run");
  const lines = [pid, cluster, 1_700_000_000, 5432, socket, "", "  5432001  0", "ready   ", ""];
  writeFileSync(join(cluster, "postmaster.pid"), lines.join("\n"));
}

async function startsAgain(dataDir: string): Promise<void> {
  const server = await start(dataDir);
  expect(server.how).toBe("started");
  await server.stop();
}

test(
  "a stale pid file of a process that is gone is no obstacle",
  async () => {
    const dataDir = await seededDataDir();
    const gone = Bun.spawn(["true"]);
    await gone.exited;
    leavePidFile(join(dataDir, "db"), gone.pid);
    await startsAgain(dataDir);
  },
  TIMEOUT_MS,
);

test(
  "a stale pid file whose number is another user's process is no obstacle",
  async () => {
    const dataDir = await seededDataDir();
    leavePidFile(join(dataDir, "db"), 1);
    await startsAgain(dataDir);
  },
  TIMEOUT_MS,
);

test(
  "a stale pid file whose number is a process of the same user is no obstacle",
  async () => {
    const dataDir = await seededDataDir();
    const cluster = join(dataDir, "db");
    // Even its working folder may be the cluster: somebody's shell.
    for (const cwd of ["/", cluster]) {
      const user = isRoot ? ordinaryUser() : {};
      const other = Bun.spawn(["sleep", "60"], { ...user, cwd });
      leavePidFile(cluster, other.pid);
      await startsAgain(dataDir);
      expect(other.exitCode).toBeNull();
      other.kill();
      await other.exited;
    }
  },
  TIMEOUT_MS,
);

test(
  "a killed server that is still a zombie is no obstacle",
  async () => {
    const dataDir = await seededDataDir();
    const cluster = join(dataDir, "db");
    const user = isRoot ? ordinaryUser() : {};
    const root = await sourceBinaries().place(join(dataDir, "pg"), () => true);
    // `sleep` takes the shell's place and never asks for the end of its child.
    const script =
      '"$0" -D "$1" -c listen_addresses= -c unix_socket_directories="$1" & exec sleep 60';
    const parent = Bun.spawn(["/bin/sh", "-c", script, join(root, "bin/postgres"), cluster], {
      ...user,
      cwd: cluster,
      stderr: "ignore",
    });
    let server = findServer(cluster);
    for (let tries = 0; tries < 500 && !server?.isReady; tries++) {
      await sleep(10);
      server = findServer(cluster);
    }
    process.kill(server!.pid, "SIGKILL");
    await sleep(50);
    expect(status(server!.pid, "State")).toStartWith("Z");
    await startsAgain(dataDir);
    expect(status(server!.pid, "State")).toStartWith("Z");
    parent.kill();
    await parent.exited;
  },
  TIMEOUT_MS,
);

test(
  "a crash of the whole server while writing loses no acknowledged row",
  async () => {
    const dataDir = await seededDataDir();
    const cluster = join(dataDir, "db");
    let server = await start(dataDir);
    const setup = connect(server.target, { max: 1 });
    await setup`create table acknowledged (id bigint primary key)`;
    await setup.end();
    const rows: number[] = [];
    let isWriting = true;
    let failures = 0;
    // A new connection after each failure: this test is about the server, not about the pool.
    const write = async (lane: number) => {
      for (let n = 0; isWriting;) {
        const sql = connect(server.target, { max: 1 });
        try {
          for (; isWriting; n++) {
            const id = n * 4 + lane;
            await sql`insert into acknowledged values (${id}) on conflict do nothing`;
            rows.push(id);
          }
        } catch (error) {
          if (!isTransient(error)) throw error;
          failures += 1;
          await sleep(5);
        } finally {
          await sql.end({ timeout: 0 });
        }
      }
    };
    const writers = [0, 1, 2, 3].map(write);
    for (let crash = 0; crash < 3; crash++) {
      await sleep(300);
      const killed = server.pid;
      for (const pid of serverProcesses(cluster)) process.kill(pid, "SIGKILL");
      server = await start(dataDir);
      expect(server.how).toBe("started");
      expect(server.pid).not.toBe(killed);
    }
    await sleep(100);
    isWriting = false;
    await Promise.all(writers);
    const sql = connect(server.target, { max: 1 });
    const stored = await sql<{ id: number }[]>`select id from acknowledged`;
    const found = new Set(stored.map((row) => row.id));
    expect(rows.length).toBeGreaterThan(100);
    expect(failures).toBeGreaterThan(2);
    expect(rows.filter((id) => !found.has(id))).toEqual([]);
    await sql.end();
    await server.stop();
  },
  TIMEOUT_MS,
);

test(
  "a start during crash recovery waits for its end",
  async () => {
    const dataDir = await seededDataDir();
    const cluster = join(dataDir, "db");
    const server = await start(dataDir);
    const sql = connect(server.target, { max: 1 });
    await sql`
      create table big as
      select n, repeat('x', 500) as filler from generate_series(1, 100000) n`;
    await sql.end();
    const postmaster = server.pid;
    const backends = serverProcesses(cluster).filter((pid) => pid !== postmaster);
    // The death of one part makes the postmaster recover while it stays alive.
    process.kill(backends[0]!, "SIGKILL");
    const adopted = await start(dataDir);
    expect(adopted).toMatchObject({ how: "adopted", pid: postmaster });
    const again = connect(adopted.target, { max: 1 });
    const [row] = await again<{ count: number }[]>`select count(*) as count from big`;
    expect(row?.count).toBe(100_000);
    await again.end();
    await adopted.stop();
  },
  TIMEOUT_MS,
);

test(
  "processes left without their postmaster are ended before a new start",
  async () => {
    const dataDir = await seededDataDir();
    const cluster = join(dataDir, "db");
    const first = await start(dataDir);
    const sql = connect(first.target, { max: 1 });
    const busy = sql`select count(*) from generate_series(1, 2000000000)`.execute();
    const cut = busy.then(
      () => "answered",
      () => "cut",
    );
    await sleep(200);
    process.kill(first.pid, "SIGKILL");
    await sleep(50);
    expect(serverProcesses(cluster).length).toBeGreaterThan(0);
    const second = await start(dataDir);
    expect(second.how).toBe("started");
    expect(await cut).toBe("cut");
    await sql.end({ timeout: 0 });
    await second.stop();
  },
  TIMEOUT_MS,
);

test(
  "the server's log is cut when it has grown beyond its limit",
  async () => {
    const dataDir = await seededDataDir();
    await startsAgain(dataDir);
    const log = join(dataDir, "run/postgres.log");
    truncateSync(log, 11 * 1024 * 1024);
    const server = await start(dataDir);
    expect(statSync(log).size).toBeLessThan(100_000);
    expect(readlinkSync(`/proc/${server.pid}/fd/2`)).toBe(log);
    await server.stop();
  },
  TIMEOUT_MS,
);
