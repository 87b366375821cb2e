// The first hour on a fresh machine: a copy of the repository without anything installed, `npm start`,
// the link in a real browser at two sizes, and a stop that leaves nothing behind.
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { dataFolder, dragon, ROOT, SERVE, type Serving, serving } from "../support/dragon.ts";
import { isRequired, testIf } from "../support/needs.ts";
import { HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const INSTALL_MS = 240_000;

/** The files git knows (and new ones it does not ignore), copied to a fresh folder. */
function freshCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), "dragon-copy-"));
  folders.push(folder);
  chmodSync(folder, 0o755);
  const listed = Bun.spawnSync(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    { cwd: ROOT },
  );
  const files = listed.stdout
    .toString()
    .split("\0")
    .filter((file) => existsSync(join(ROOT, file)));
  for (const file of files.filter(Boolean)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
  return folder;
}

/** Processes that work in the folder, as the kernel lists them. */
function processesIn(folder: string): string[] {
  const line = `for p in /proc/[0-9]*; do c=$(readlink $p/cwd); case "$c" in "${folder}"*) echo "$p $c";; esac; done`;
  return Bun.spawnSync(["bash", "-c", line]).stdout.toString().split("\n").filter(Boolean);
}

async function walkSetup({ page, look, quiet }: Walker, running: Serving) {
  await page.goto(running.url);
  await look("home");
  await page.goto(running.setupUrl ?? "");
  await look("setup");
  // Past the browser's own checks, so that the server's sentence shows.
  await page.fill("#email", "ann@example.org");
  await page.fill("#password", "password123456");
  await page.fill("#repeat", "password123456");
  await page.selectOption("#timeZone", "Europe/Vienna");
  quiet();
  await page.click("button");
  await page.waitForSelector(".problem");
  await look("setup-refused");
  // Chromium reports the 422 of the refused form itself; nothing else may appear.
  quiet(422);
  expect(await page.inputValue("#email")).toBe("ann@example.org");
  expect(await page.inputValue("#timeZone")).toBe("Europe/Vienna");
  await page.fill("#password", PASSWORD);
  await page.fill("#repeat", PASSWORD);
  await page.click("button");
  await page.waitForURL(`${running.url}/`);
  expect(await page.textContent("main")).toContain("Your first backtest");
  await look("start");
  await page.context().clearCookies();
  await page.goto(running.url);
  expect(await page.textContent("main")).toContain("This Dragon has an owner");
  await look("home-with-owner");
  quiet();
  const closed = await page.goto(running.setupUrl ?? "");
  expect(closed?.status()).toBe(410);
  await look("closed");
  quiet(410);
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `the link creates the owner in a browser ${width} px wide, without an error or a refused file`,
    async () => {
      const data = dataFolder();
      const running = await serving(SERVE, { env: { DRAGON_DATA_DIR: data.path } });
      const browser = await launch();
      try {
        await walkSetup(walker(await browser.newPage({ viewport: { width, height } })), running);
        const doctor = await dragon(["doctor", "--json"], { env: { DRAGON_DATA_DIR: data.path } });
        expect(doctor.stdout).toContain("matches the database");
      } finally {
        await browser.close();
        await running.stop();
      }
      expect(processesIn(data.path)).toEqual([]);
      data.remove();
    },
    120_000,
  );
}

test(
  "a fresh copy starts with npm start and stops without leaving a process",
  async () => {
    const copy = freshCopy();
    expect(existsSync(join(copy, "node_modules"))).toBe(false);
    // The real installation needs the network and a minute; where nothing may be skipped it is done.
    const isReal = isRequired("browser");
    if (!isReal) symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    const data = dataFolder();
    const starter = Bun.which("npm")
      ? ["npm", "start", "--silent"]
      : [process.execPath, "run", "start"];
    const running = await serving(starter, {
      env: { DRAGON_DATA_DIR: data.path },
      cwd: copy,
      limitMs: INSTALL_MS,
    });
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    expect((await fetch(running.setupUrl ?? "")).status).toBe(200);
    expect(running.output()).not.toMatch(/npm (warn|error)|deprecated/i);
    await running.stop("SIGTERM");
    for (let tries = 0; tries < 100 && processesIn(data.path).length > 0; tries++)
      await Bun.sleep(50);
    expect(processesIn(data.path)).toEqual([]);
    expect(processesIn(copy)).toEqual([]);
    data.remove();
  },
  INSTALL_MS + 60_000,
);

test("without Node in PATH bun run start works as well", async () => {
  const data = dataFolder();
  // Only Bun, a shell and the basic tools: no node, no npm.
  const tools = mkdtempSync(join(tmpdir(), "dragon-path-"));
  folders.push(tools);
  for (const tool of ["sh", "bash", "getconf", "env"]) {
    const found = Bun.which(tool);
    if (found) symlinkSync(found, join(tools, tool));
  }
  symlinkSync(process.execPath, join(tools, "bun"));
  const running = await serving([join(tools, "bun"), "run", "--silent", "start"], {
    env: { DRAGON_DATA_DIR: data.path, PATH: tools },
  });
  expect((await fetch(`${running.url}/livez`)).status).toBe(200);
  await running.stop("SIGTERM");
  for (let tries = 0; tries < 100 && processesIn(data.path).length > 0; tries++)
    await Bun.sleep(50);
  expect(processesIn(data.path)).toEqual([]);
  data.remove();
}, 60_000);
