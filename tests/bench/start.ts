// How long a start takes and what an idle Dragon holds: from the process to /readyz, on the very first
// database and on an existing one, and memory after a rest.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { dataFolder, SERVE, serving } from "../support/dragon.ts";
import { type BenchRow, benchTable, median } from "./bench-row.ts";

const WARM_STARTS = 5;
const REST_MS = 8000;

async function startMs(
  dataDir: string,
): Promise<{ ms: number; stop(): Promise<number>; pid: number }> {
  const beganMs = performance.now();
  const running = await serving(SERVE, { env: { DRAGON_DATA_DIR: dataDir } });
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

/** Measures first start, warm start and idle memory. */
export async function benchStart(): Promise<BenchRow[]> {
  const data = dataFolder();
  try {
    const first = await startMs(data.path);
    await first.stop();
    const warm: number[] = [];
    for (let i = 0; i < WARM_STARTS; i++) {
      const started = await startMs(data.path);
      warm.push(started.ms);
      await started.stop();
    }
    const idle = await startMs(data.path);
    await Bun.sleep(REST_MS);
    const appMb = memoryMb(idle.pid, "Rss");
    const postgresMb = postgresPids(data.path)
      .map((pid) => memoryMb(pid, "Pss"))
      .reduce((sum, mb) => sum + mb, 0);
    await idle.stop();
    return [
      { name: "first start to /readyz", unit: "s", value: first.ms / 1000, must: 6, aim: 3 },
      { name: "warm start to /readyz", unit: "s", value: median(warm) / 1000, must: 2, aim: 0.5 },
      { name: "idle RSS of the app", unit: "MB", value: appMb, must: 100, aim: 80 },
      { name: "idle PSS of PostgreSQL", unit: "MB", value: postgresMb, must: 40, aim: 30 },
    ];
  } finally {
    data.remove();
  }
}

if (import.meta.main) for (const line of benchTable(await benchStart())) console.log(line);
