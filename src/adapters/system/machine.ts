// Facts about this machine for `dragon doctor` and `dragon version`: disk, memory, libraries, port,
// commit. Reads only; nothing is created or changed.
import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { freemem } from "node:os";
import { dirname, join } from "node:path";

/** Whether a folder can be used, and what is free on its disk; looks at the nearest existing parent. */
export function folderFacts(path: string): {
  path: string;
  exists: boolean;
  isWritable: boolean;
  freeBytes: number;
} {
  const exists = existsSync(path);
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const disk = statfsSync(folder);
  return { path, exists, isWritable: canWrite(folder), freeBytes: disk.bavail * disk.bsize };
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    // The refusal is the answer.
    return false;
  }
}

/** Memory a new program could take, in bytes. */
export function availableMemoryBytes(): number {
  const meminfo = existsSync("/proc/meminfo") ? readFileSync("/proc/meminfo", "utf8") : "";
  const kibibytes = /^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}

/** The C libraries the bundled PostgreSQL needs. */
export function libraryFacts(): { glibc: string | undefined; hasLibstdcxx: boolean } {
  const folders = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"].flatMap((folder) => [
    folder,
    join(folder, "x86_64-linux-gnu"),
    join(folder, "aarch64-linux-gnu"),
  ]);
  const hasLibstdcxx = folders.some((folder) => existsSync(join(folder, "libstdc++.so.6")));
  return { glibc: glibcVersion(), hasLibstdcxx };
}

function glibcVersion(): string | undefined {
  const ran = Bun.spawnSync(["getconf", "GNU_LIBC_VERSION"], { stderr: "ignore" });
  return /glibc (\d+\.\d+)/.exec(ran.stdout.toString())?.[1];
}

/** Who answers on an address: nobody, Dragon, or another program. */
export async function portState(host: string, port: number): Promise<"free" | "dragon" | "taken"> {
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const literal = reachable.includes(":") ? `[${reachable}]` : reachable;
  try {
    const answer = await fetch(`http://${literal}:${port}/livez`, {
      signal: AbortSignal.timeout(2000),
      redirect: "manual",
    });
    const body = await answer.text();
    return answer.ok && body === '{"status":"ok"}' ? "dragon" : "taken";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "ConnectionRefused" || code === "ECONNREFUSED" ? "free" : "taken";
  }
}

/** The short hash of the checked-out commit, read from the .git folder; undefined without one. */
export function commitOf(root: string): string | undefined {
  const git = join(root, ".git");
  if (!existsSync(join(git, "HEAD"))) return undefined;
  const head = readFileSync(join(git, "HEAD"), "utf8").trim();
  if (!head.startsWith("ref: ")) return head.slice(0, 12);
  const ref = head.slice("ref: ".length);
  if (existsSync(join(git, ref))) return readFileSync(join(git, ref), "utf8").trim().slice(0, 12);
  const packed = join(git, "packed-refs");
  if (!existsSync(packed)) return undefined;
  const line = readFileSync(packed, "utf8")
    .split("\n")
    .find((each) => each.endsWith(` ${ref}`));
  return line?.slice(0, 12);
}
