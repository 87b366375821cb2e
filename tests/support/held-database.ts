// Starts and drives database-holder.ts, and makes data folders with a ready cluster in them. Used
// by the tests of the bundled server.
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { sourceBinaries } from "../../src/adapters/postgres/binaries.ts";
import { type EmbeddedServer, startEmbedded } from "../../src/adapters/postgres/embedded.ts";
import {
  canReach,
  listedAccount,
  type ServerUser,
} from "../../src/adapters/postgres/server-user.ts";
import type { HolderTask } from "./database-holder.ts";
import { silentLog } from "./silent-log.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A user by number. */
export type Uid = { readonly uid: number; readonly gid: number };

/** A running holder. */
export type Holder = {
  readonly pid: number;
  /** The next line it prints: `open`, `closed` or `refused <error>: <sentence>`. */
  next(): Promise<string>;
  /** Tells it to close; resolves to what it prints then. */
  close(): Promise<string>;
  kill(name: "SIGKILL"): Promise<void>;
  /** Signals its whole process group, as a terminal does. */
  interruptGroup(): Promise<void>;
};

export const isRoot = process.getuid?.() === 0;

/** An ordinary user for child processes: an unprivileged account for root, else ourselves. */
export function ordinaryUser(): Uid {
  return isRoot ? listedAccount() : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

type Stage = { readonly bun: string; readonly script: string; readonly root: string };

let staged: Promise<Stage> | undefined;

/** Everything a holder needs where any user can read it, even with the repository under /root. */
export function stage(): Promise<Stage> {
  staged ??= makeStage();
  return staged;
}

async function makeStage(): Promise<Stage> {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, "database-holder.ts")],
    outdir: folder,
    target: "bun",
  });
  const script = built.outputs[0]?.path;
  if (!script) throw new Error("the holder could not be built");
  const user: ServerUser = { ...ordinaryUser(), name: "anybody", isSelf: !isRoot };
  const isUsable = (path: string) => canReach(path, user);
  const bun = isUsable(process.execPath) ? process.execPath : join(folder, "bun");
  if (bun !== process.execPath) {
    copyFileSync(process.execPath, bun);
    chmodSync(bun, 0o755);
  }
  return { bun, script, root: await sourceBinaries().place(join(folder, "pg"), isUsable) };
}

/** Starts a holder; its first line says whether it got the database. */
export async function startHolder(
  task: Pick<HolderTask, "dataDir" | "as" | "emptyCluster">,
  user?: Uid,
): Promise<Holder> {
  const { bun, script, root } = await stage();
  const full: HolderTask = { ...task, root, version: sourceBinaries().version };
  const child = Bun.spawn([bun, script, JSON.stringify(full)], {
    ...(user && isRoot ? { uid: user.uid, gid: user.gid } : {}),
    env: { PATH: "/usr/bin:/bin" },
    cwd: "/",
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    // A process group of its own, so that a test can signal it without hitting itself.
    detached: true,
  });
  const lines = readLines(child.stdout);
  const next = async () => (await lines.next()).value ?? "";
  return {
    pid: child.pid,
    next,
    close: async () => {
      child.stdin.write("close\n");
      child.stdin.flush();
      const line = await next();
      await child.exited;
      return line;
    },
    kill: async (name) => {
      child.kill(name);
      await child.exited;
    },
    interruptGroup: async () => {
      process.kill(-child.pid, "SIGINT");
      await child.exited;
    },
  };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  return undefined;
}

/** Starts the bundled server of a folder in this process. */
export async function start(dataDir: string): Promise<EmbeddedServer> {
  return startEmbedded({ dataDir, log: silentLog });
}

let seed: Promise<string> | undefined;

/** A folder whose stopped, empty cluster was really made once; later calls copy it. */
export async function seededDataDir(owner?: Uid): Promise<string> {
  seed ??= makeSeed();
  const dataDir = join(temporaryFolder(), "data");
  mkdirSync(dataDir, { mode: 0o711 });
  await copyTree(join(await seed, "db"), join(dataDir, "db"));
  chmodSync(join(dataDir, ".."), 0o711);
  if (owner && isRoot) {
    chownSync(dataDir, owner.uid, owner.gid);
    const chown = Bun.spawn(["chown", "-R", `${owner.uid}:${owner.gid}`, dataDir]);
    if ((await chown.exited) !== 0) throw new Error(`${dataDir} could not be handed over`);
  }
  return dataDir;
}

async function makeSeed(): Promise<string> {
  const dataDir = temporaryFolder();
  const server = await start(dataDir);
  await server.stop();
  if (existsSync(join(dataDir, "db/postmaster.pid"))) throw new Error("the seed did not stop");
  return dataDir;
}

async function copyTree(from: string, to: string): Promise<void> {
  const copy = Bun.spawn(["cp", "-a", from, to]);
  if ((await copy.exited) !== 0) throw new Error(`${from} could not be copied`);
}
