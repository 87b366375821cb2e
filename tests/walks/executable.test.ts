// Dragon as one file, the way a person gets it: in an empty folder with nothing else installed, as root and
// as an ordinary user, beside files that would like to reach into it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../src/adapters/postgres/database.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { createRunRepository } from "../../src/adapters/postgres/run-repository.ts";
import { resultDocument } from "../../src/services/research/backtest-result.ts";
import { generateCase } from "../oracle/cases.ts";
import { writeCase } from "../support/case-files.ts";
import { cleanEnv, dragon, serving } from "../support/dragon.ts";
import { columnsOf, runCase } from "../support/engine-case.ts";
import { BUILD_LIMIT_MS, executableFolder } from "../support/executable.ts";
import { testIf } from "../support/needs.ts";
import {
  actorOf,
  aRequest,
  DEAF_WORKER_URL,
  storeCandles,
  testResearch,
} from "../support/research-case.ts";
import { silentLog, testScope } from "../support/test-database.ts";

const LIMIT_MS = 60_000;

/** Group and user id of `nobody`, an account every Linux has. */
const NOBODY = 65_534;

let folder = "";
let executable = "";

beforeAll(async () => {
  folder = await executableFolder();
  executable = join(folder, "dragon");
}, BUILD_LIMIT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function emptyFolder(name: string, uid?: number): string {
  const path = join(folder, name);
  mkdirSync(path, { mode: 0o755 });
  if (uid !== undefined) Bun.spawnSync(["chown", `${uid}:${uid}`, path]);
  return path;
}

/** Processes whose working folder or data lies below a folder. */
function leftovers(path: string): string {
  const script = `ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -F '${path}/data'`;
  return Bun.spawnSync(["sh", "-c", script]).stdout.toString();
}

async function run(args: string[], cwd: string): Promise<{ code: number; stdout: string }> {
  const child = Bun.spawn([executable, ...args], { cwd, env: cleanEnv(), stdout: "pipe" });
  const stdout = await new Response(child.stdout).text();
  return { code: await child.exited, stdout };
}

test(
  "the executable starts in an empty folder, serves, and SIGTERM leaves nothing",
  async () => {
    const cwd = emptyFolder("plain");
    const env = { DRAGON_DATA_DIR: join(cwd, "data") };
    const first = await serving([executable, "serve"], { cwd, env });
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(first.url)).text()).toContain("Dragon");
    expect(leftovers(cwd)).not.toBe("");
    expect(await first.stop("SIGTERM")).toBe(0);
    expect(leftovers(cwd)).toBe("");
    const again = await serving([executable, "serve"], { cwd, env });
    expect(again.output()).not.toContain("made just now");
    expect(await again.stop("SIGINT")).toBe(0);
  },
  LIMIT_MS,
);

testIf(
  "root",
  "the executable serves as an ordinary user",
  async () => {
    const cwd = emptyFolder("ordinary", NOBODY);
    const env = { DRAGON_DATA_DIR: join(cwd, "data"), HOME: cwd };
    const asNobody = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
    const started = await serving([...asNobody, executable, "serve"], { cwd, env });
    expect((await fetch(`${started.url}/readyz`)).status).toBe(200);
    expect(await started.stop("SIGTERM")).toBe(0);
    expect(leftovers(cwd)).toBe("");
  },
  LIMIT_MS,
);

testIf(
  "root",
  "the executable serves as a user without a passwd entry",
  async () => {
    const uid = 54_321;
    const cwd = emptyFolder("numbered", uid);
    const env = { DRAGON_DATA_DIR: join(cwd, "data"), HOME: cwd };
    const asNumber = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    const started = await serving([...asNumber, executable, "serve"], { cwd, env });
    expect((await fetch(`${started.url}/readyz`)).status).toBe(200);
    expect(await started.stop("SIGTERM")).toBe(0);
  },
  LIMIT_MS,
);

test(
  "the executable obeys neither a bunfig.toml nor a .env beside it",
  async () => {
    const cwd = emptyFolder("hostile");
    writeFileSync(join(cwd, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
    writeFileSync(join(cwd, "evil.ts"), 'console.log("EVIL"); process.exit(66);\n');
    writeFileSync(join(cwd, ".env"), "DRAGON_PORT=not-a-port\nDRAGON_NONSENSE=1\n");
    const { code, stdout } = await run(["version"], cwd);
    expect(code).toBe(0);
    expect(stdout).toStartWith("dragon ");
    const data = join(cwd, "data");
    const started = await serving([executable, "serve"], { cwd, env: { DRAGON_DATA_DIR: data } });
    expect(started.output()).not.toContain("DRAGON_NONSENSE");
    expect(await started.stop()).toBe(0);
  },
  LIMIT_MS,
);

test(
  "the executable backtests to the same bytes as the source",
  async () => {
    const cwd = emptyFolder("backtest");
    const args = ["backtest", "--json", ...writeCase(generateCase(11), cwd)];
    const compiled = await run(args, cwd);
    const source = await dragon(args);
    expect(compiled.code).toBe(0);
    expect(JSON.parse(compiled.stdout).fills_count).toBeGreaterThan(0);
    expect(compiled.stdout).toBe(source.stdout);
  },
  LIMIT_MS,
);

test(
  "a run that was left behind is computed by a thread inside the executable",
  async () => {
    const cwd = emptyFolder("thread");
    const dataDir = join(cwd, "data");
    const documents = { ...generateCase(11), funding: undefined };
    const { run, config, instrument } = documents;
    const open = () => openDatabase({ dataDir, as: "command", log: silentLog });
    const before = await open();
    await migrate(before.sql);
    const scope = await testScope(before.sql, "thread", "trader");
    const timeframeMin = (run as { timeframe_min: number }).timeframe_min;
    await storeCandles(before.sql, scope, columnsOf(documents.candles), timeframeMin);
    const deaf = testResearch(before.sql, { workerUrl: DEAF_WORKER_URL });
    const request = aRequest({ config, instrument, run });
    const asked = await deaf.runs.request(await actorOf(before.sql, scope), request);
    if (!asked.ok) throw new Error(asked.sentences.join("; "));
    await deaf.stop();
    await before.close();
    const started = await serving([executable, "serve"], {
      cwd,
      env: { DRAGON_DATA_DIR: dataDir },
    });
    const during = await open();
    const store = createRunRepository(during.sql);
    const endMs = performance.now() + LIMIT_MS / 2;
    let found = await store.find(scope, asked.id);
    while (found?.status !== "finished" && performance.now() < endMs) {
      await Bun.sleep(20);
      found = await store.find(scope, asked.id);
    }
    await during.close();
    expect(await started.stop()).toBe(0);
    expect([found?.status, found?.error]).toEqual(["finished", null]);
    const expected = resultDocument(runCase(documents));
    expect(found?.fillsSha256).toBe(expected.fills_sha256);
    expect(found?.metrics).toEqual(expected.metrics);
  },
  LIMIT_MS,
);

test(
  "the executable carries every licence and the manual",
  async () => {
    const cwd = emptyFolder("texts");
    const licences = await run(["licenses"], cwd);
    expect(licences.stdout).toBe((await dragon(["licenses"])).stdout);
    for (const topic of ["backtest", "candles", "configuration"]) {
      expect((await run(["help", topic], cwd)).stdout.length).toBeGreaterThan(300);
    }
  },
  LIMIT_MS,
);
