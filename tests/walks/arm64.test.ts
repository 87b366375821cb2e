// The executable for arm64, on this machine through qemu: it starts with its own PostgreSQL for arm64,
// answers, computes the same backtest to the same bytes, and stops.
import { expect } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { generateCase } from "../oracle/cases.ts";
import { writeCase } from "../support/case-files.ts";
import { cleanEnv, dragon, serving } from "../support/dragon.ts";
import { BUILD_LIMIT_MS, executableFolder } from "../support/executable.ts";
import { testIf } from "../support/needs.ts";

const LIMIT_MS = BUILD_LIMIT_MS + 60_000;

testIf(
  "arm64",
  "the executable for arm64 starts, answers, backtests to the same bytes and stops",
  async () => {
    const folder = await executableFolder("linux-arm64");
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
