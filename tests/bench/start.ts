// How long a start takes and what an idle Dragon holds: from the process to /readyz, on the very first
// database and on an existing one, and memory after a rest; from source and as the executable.
import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dataFolder, SERVE, serving } from "../support/dragon.ts";
import { executableFolder } from "../support/executable.ts";
import { type BenchRow, benchTable, median } from "./bench-row.ts";

const WARM_STARTS = 5;
const REST_MS = 8000;

async function startMs(
  command: readonly string[],
  dataDir: string,
): Promise<{ ms: number; stop(): Promise<number>; pid: number }> {
  const beganMs = performance.now();
  const running = await serving(command, { env: { DRAGON_DATA_DIR: dataDir } });
  const answer = await fetch(`${running.url}/readyz`);
  if (!answer.ok) throw new Error(`/readyz answered ${answer.status}`);
  const ms = performance.now() - beganMs;
  return { ms, stop: () => running.stop(), pid: running.pid };
}

/** A figure of /proc/<pid>/smaps_rollup in MB. */
function memoryMb(pid: number, name: "Rss" | "Pss"): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) / 1024;
}

/** All processes that work in the database's folder. */
function postgresPids(dataDir: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => worksIn(pid, `${dataDir}/db`));
}

function worksIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    // The process ended meanwhile, or belongs to the kernel.
    return false;
  }
}

type Goals = Readonly<Record<"first" | "warm" | "rss" | "pss", { must: number; aim: number }>>;

async function measure(name: string, command: readonly string[], goals: Goals) {
  const data = dataFolder();
  try {
    const first = await startMs(command, data.path);
    await first.stop();
    const warm: number[] = [];
    for (let i = 0; i < WARM_STARTS; i++) {
      const started = await startMs(command, data.path);
      warm.push(started.ms);
      await started.stop();
    }
    const idle = await startMs(command, data.path);
    await Bun.sleep(REST_MS);
    const appMb = memoryMb(idle.pid, "Rss");
    const postgresMb = postgresPids(data.path)
      .map((pid) => memoryMb(pid, "Pss"))
      .reduce((sum, mb) => sum + mb, 0);
    await idle.stop();
    const rows: BenchRow[] = [
      { name: "first start to /readyz", unit: "s", value: first.ms / 1000, ...goals.first },
      { name: "warm start to /readyz", unit: "s", value: median(warm) / 1000, ...goals.warm },
      { name: "idle RSS of the app", unit: "MB", value: appMb, ...goals.rss },
      { name: "idle PSS of PostgreSQL", unit: "MB", value: postgresMb, ...goals.pss },
    ];
    return rows.map((row) => ({ ...row, name: `${name}, ${row.name}` }));
  } finally {
    data.remove();
  }
}

/** Size of the executable, plain and packed for a download. */
function sizes(folder: string): BenchRow[] {
  const executable = readFileSync(join(folder, "dragon"));
  const size = executable.length / 1e6;
  const packed = Bun.zstdCompressSync(executable, { level: 19 }).length / 1e6;
  return [
    { name: "executable, size", unit: "MB", value: size, must: 145 },
    { name: "executable, zstd -19", unit: "MB", value: packed, must: 70 },
  ];
}

/** Measures first start, warm start and idle memory, from source and as the executable of dist/. */
export async function benchStart(): Promise<BenchRow[]> {
  const pss = { must: 40, aim: 30 };
  const source = await measure("source", SERVE, {
    first: { must: 6, aim: 3 },
    warm: { must: 2, aim: 0.5 },
    rss: { must: 100, aim: 80 },
    pss,
  });
  const folder = await executableFolder();
  try {
    const executable = await measure("executable", [join(folder, "dragon"), "serve"], {
      first: { must: 5, aim: 3 },
      warm: { must: 1, aim: 0.25 },
      rss: { must: 100, aim: 64 },
      pss,
    });
    return [...source, ...sizes(folder), ...executable];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) for (const line of benchTable(await benchStart())) console.log(line);
