// `serve` as a process: what it prints, what it refuses, how it stops, and what it leaves behind.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { dataFolder, dragon, SERVE, serving } from "../support/dragon.ts";
import { testIf } from "../support/needs.ts";
import { emptyTestDatabase } from "../support/test-database.ts";

let folder: ReturnType<typeof dataFolder>;
let env: Record<string, string>;

beforeEach(() => {
  folder = dataFolder();
  env = { DRAGON_DATA_DIR: folder.path };
});
afterEach(() => folder.remove());

/** Processes whose working folder lies in the data folder: the bundled PostgreSQL. */
function leftovers(): string[] {
  const ran = Bun.spawnSync([
    "bash",
    "-c",
    `ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -F '${folder.path}'`,
  ]);
  return ran.stdout.toString().split("\n").filter(Boolean);
}

test("a first start prints address, link, data, key and how to stop; SIGTERM leaves nothing", async () => {
  const dragonProcess = await serving(SERVE, { env });
  const output = dragonProcess.output();
  expect(dragonProcess.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(dragonProcess.setupUrl).toStartWith(`${dragonProcess.url}/setup/`);
  expect(output).toContain(folder.path);
  expect(output).toContain("Keep a copy outside this machine");
  expect(output).toContain("Ctrl-C");
  expect(statSync(join(folder.path, "master.key")).mode & 0o777).toBe(0o600);
  expect((await fetch(`${dragonProcess.url}/readyz`)).status).toBe(200);
  expect(leftovers().length).toBeGreaterThan(0);
  expect(await dragonProcess.stop("SIGTERM")).toBe(0);
  expect(leftovers()).toEqual([]);
  expect(dragonProcess.output()).toContain("Dragon has stopped.");
}, 60_000);

test("the second start reuses key and data, and prints another link that alone works", async () => {
  const first = await serving(SERVE, { env });
  await first.stop("SIGINT");
  const key = readFileSync(join(folder.path, "master.key"), "utf8");
  const second = await serving(SERVE, { env });
  try {
    expect(readFileSync(join(folder.path, "master.key"), "utf8")).toBe(key);
    expect(second.output()).not.toContain("made just now");
    const oldToken = first.setupUrl?.split("/").at(-1);
    expect((await fetch(`${second.url}/setup/${oldToken}`)).status).not.toBe(200);
    expect((await fetch(second.setupUrl ?? "")).status).toBe(200);
  } finally {
    await second.stop();
  }
}, 60_000);

test("a second serve on the same folder, a taken port and a wrong key are one sentence each", async () => {
  const running = await serving(SERVE, { env });
  const port = new URL(running.url).port;
  try {
    const same = await dragon(["serve"], { env: { ...env, DRAGON_PORT: "0" } });
    expect(same.code).toBe(1);
    expect(same.stderr).toContain(folder.path);
    const doctor = await dragon(["doctor", "--json"], { env: { ...env, DRAGON_PORT: port } });
    expect(doctor.stdout).toContain("Dragon answers on");
    expect(doctor.code).toBe(0);
    const other = dataFolder();
    const taken = await dragon(["serve"], {
      env: { DRAGON_DATA_DIR: other.path, DRAGON_PORT: port },
    });
    other.remove();
    expect(taken.code).toBe(1);
    const lines = taken.stderr
      .trimEnd()
      .split("\n")
      .filter((line) => line.startsWith("dragon: "));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`port ${port} on 127.0.0.1 is already in use`);
  } finally {
    await running.stop();
  }
  const wrong = await dragon(["serve"], {
    env: { ...env, DRAGON_PORT: "0", DRAGON_MASTER_KEY: randomBytes(32).toString("hex") },
  });
  expect(wrong.code).toBe(1);
  expect(wrong.stderr.trimEnd()).toBe(
    "dragon: the master key (DRAGON_MASTER_KEY) is not the one this database was set up with: put the right one back",
  );
  expect(leftovers()).toEqual([]);
}, 60_000);

test("an owner made on the command line while serving closes the link", async () => {
  const running = await serving(SERVE, { env });
  try {
    const made = await dragon(["admin", "create-owner", "--email", "ann@example.org"], {
      env,
      stdin: "plum-harbour-nine-otters",
    });
    expect(made.code).toBe(0);
    expect((await fetch(running.setupUrl ?? "")).status).toBe(410);
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
  } finally {
    await running.stop();
  }
}, 60_000);

test("a stop in the middle of the first start leaves no process", async () => {
  const child = Bun.spawn(SERVE, {
    env: { ...process.env, ...env, DRAGON_PORT: "0" },
    stdout: "ignore",
    stderr: "ignore",
  });
  while (!existsSync(join(folder.path, "db")) && child.exitCode === null) await Bun.sleep(5);
  child.kill("SIGTERM");
  await child.exited;
  expect(leftovers()).toEqual([]);
}, 60_000);

testIf(
  "postgres",
  "with DRAGON_DATABASE_URL everything is the same on an external PostgreSQL",
  async () => {
    const external = await emptyTestDatabase("external");
    const running = await serving(SERVE, {
      env: { ...env, DRAGON_DATABASE_URL: external.url ?? "" },
    });
    try {
      expect(running.output()).toContain("external PostgreSQL");
      expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
      expect((await fetch(running.setupUrl ?? "")).status).toBe(200);
      expect(existsSync(join(folder.path, "db"))).toBe(false);
      expect(existsSync(join(folder.path, "master.key"))).toBe(true);
      expect(leftovers()).toEqual([]);
    } finally {
      expect(await running.stop()).toBe(0);
      await external.drop();
    }
  },
  60_000,
);
