// The PostgreSQL installed on this machine as an external server for tests: loopback port,
// password, a cluster in a temporary folder. Called by test-database.ts alone.
import { chmodSync, chownSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chooseServerUser, type ServerUser } from "../../src/adapters/postgres/server-user.ts";
import { installedPostgres } from "./needs.ts";

const PASSWORD = "only for tests";
const READY_MS = 20_000;

/** Makes and starts a cluster in a temporary folder. @returns its address */
export async function startExternal(folder: string): Promise<string> {
  const bin = installedPostgres();
  if (!bin) throw new Error("no PostgreSQL is installed");
  const user = chooseServerUser(folder, null);
  chmodSync(folder, 0o711);
  const cluster = join(folder, "db");
  mkdirSync(cluster, { mode: 0o700 });
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  for (const path of [cluster, passwordFile]) chownSync(path, user.uid, user.gid);
  await initdb(bin, cluster, passwordFile, user);
  const port = freePort();
  const log = openSync(join(folder, "log"), "a");
  const settings = [`port=${port}`, "listen_addresses=127.0.0.1", `unix_socket_directories=`];
  const fast = ["fsync=off", "max_connections=50", "shared_buffers=32MB", "log_min_messages=fatal"];
  const flags = [...settings, ...fast].flatMap((setting) => ["-c", setting]);
  const child = Bun.spawn([join(bin, "postgres"), "-D", cluster, ...flags], {
    ...as(user),
    cwd: cluster,
    env: { LC_ALL: "C", TZ: "Europe/Vienna" },
    detached: true,
    stdin: "ignore",
    stdout: log,
    stderr: log,
  });
  child.unref();
  await waitUntilReady(cluster, folder, () => child.exitCode !== null);
  const secret = encodeURIComponent(PASSWORD);
  return `postgres://dragon:${secret}@127.0.0.1:${port}/postgres`;
}

async function initdb(
  bin: string,
  cluster: string,
  passwordFile: string,
  user: ServerUser,
): Promise<void> {
  const child = Bun.spawn(
    [
      join(bin, "initdb"),
      ...["-D", cluster, "-U", "dragon", "--auth=scram-sha-256", `--pwfile=${passwordFile}`],
      // Not the bundled server's collation: repositories must not depend on it.
      ...["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
    ],
    { ...as(user), cwd: cluster, env: { LC_ALL: "C.UTF-8", TZ: "Europe/Vienna" }, stderr: "pipe" },
  );
  const complaint = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`initdb: ${complaint}`);
}

async function waitUntilReady(
  cluster: string,
  folder: string,
  hasEnded: () => boolean,
): Promise<void> {
  const endAt = performance.now() + READY_MS;
  while (performance.now() < endAt && !hasEnded()) {
    const status = await Bun.file(join(cluster, "postmaster.pid"))
      .text()
      .catch(() => "");
    if (status.split("\n")[7]?.trim() === "ready") return;
    await sleep(10);
  }
  throw new Error(`PostgreSQL did not start: ${readFileSync(join(folder, "log"), "utf8")}`);
}

function as(user: ServerUser): { uid: number; gid: number } | object {
  return user.isSelf ? {} : { uid: user.uid, gid: user.gid };
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
