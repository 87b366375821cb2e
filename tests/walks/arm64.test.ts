// The executable for arm64, on this machine through qemu: it starts with its own PostgreSQL for arm64,
// answers, computes the same backtest to the same bytes, and stops.
import { expect } from "bun:test";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanEnv, dragon, ROOT, serving } from "../support/dragon.ts";
import { generateCase } from "../oracle/cases.ts";
import { writeCase } from "../support/case-files.ts";
import { testIf } from "../support/needs.ts";

const LIMIT_MS = 240_000;

async function build(): Promise<string> {
  const command = [process.execPath, join(ROOT, "src/build.ts"), "--target", "linux-arm64"];
  const built = Bun.spawn(command, { cwd: ROOT, env: cleanEnv(), stdout: "pipe", stderr: "pipe" });
  const said = await new Response(built.stderr).text();
  if ((await built.exited) !== 0) throw new Error(`the build failed:\n${said}`);
  const folder = mkdtempSync(join(tmpdir(), "dragon-arm64-"));
  chmodSync(folder, 0o755);
  copyFileSync(join(ROOT, "dist/dragon-linux-arm64"), join(folder, "dragon"));
  chmodSync(join(folder, "dragon"), 0o755);
  return folder;
}

testIf(
  "arm64",
  "the executable for arm64 starts, answers, backtests to the same bytes and stops",
  async () => {
    const folder = await build();
    const executable = join(folder, "dragon");
    try {
      const files = writeCase(generateCase(11), folder);
      const child = Bun.spawn([executable, "backtest", ...files, "--json"], {
        env: cleanEnv(),
        stdout: "pipe",
      });
      const printed = await new Response(child.stdout).text();
      expect(await child.exited).toBe(0);
      expect(printed).toBe((await dragon(["backtest", ...files, "--json"])).stdout);
      const env = { DRAGON_DATA_DIR: join(folder, "data") };
      const running = await serving([executable, "serve"], { env, cwd: folder, limitMs: LIMIT_MS });
      const ready = await fetch(`${running.url}/readyz`);
      expect(await ready.json()).toMatchObject({ status: "ok" });
      expect(await (await fetch(running.setupUrl ?? "")).text()).toContain("Create the owner");
      expect(await running.stop()).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  LIMIT_MS,
);
