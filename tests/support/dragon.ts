// Starts the real program as its own process, with an environment of its own. Used by the command
// tests, the walk and the start bench.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dir, "../..");

/** How a finished command ended. */
export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** A data folder that the bundled PostgreSQL's user can reach; `remove` deletes it. */
export function dataFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "dragon-data-"));
  chmodSync(path, 0o711);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The environment of a fresh user: nothing of Dragon but what is given. */
export function cleanEnv(extra: Record<string, string> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    // What npm tells its children would tell a Bun without Node where Node is.
    const isForeign = /^(DRAGON_|npm_(?!config_)|NODE$)/.test(name);
    if (value !== undefined && !isForeign) env[name] = value;
  }
  return { ...env, ...extra };
}

/** Runs a command to its end. */
export async function dragon(
  args: readonly string[],
  options: { env?: Record<string, string>; stdin?: string } = {},
): Promise<Ran> {
  const child = Bun.spawn([process.execPath, join(ROOT, "src/main.ts"), ...args], {
    env: cleanEnv(options.env),
    stdin: new TextEncoder().encode(options.stdin ?? ""),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** A serving Dragon. */
export type Serving = {
  readonly pid: number;
  readonly url: string;
  readonly setupUrl: string | undefined;
  /** Everything printed so far. */
  output(): string;
  /** Sends the signal and resolves to the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number>;
};

const START_LIMIT_MS = 60_000;

/** Starts a command line that serves, and waits until it says where. @throws with its output */
export async function serving(
  command: readonly string[],
  options: { env: Record<string, string>; cwd?: string; limitMs?: number },
): Promise<Serving> {
  const child = Bun.spawn([...command], {
    env: cleanEnv({ DRAGON_PORT: "0", ...options.env }),
    cwd: options.cwd ?? ROOT,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let output = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const endMs = performance.now() + (options.limitMs ?? START_LIMIT_MS);
  const find = (pattern: RegExp) => pattern.exec(output)?.[1];
  while (find(/^ {2}Stop {5}(.+)$/m) === undefined) {
    if (child.exitCode !== null || performance.now() > endMs) {
      child.kill("SIGTERM");
      await Promise.race([collected, Bun.sleep(2000)]);
      throw new Error(`Dragon did not start:\n${output}`);
    }
    await Bun.sleep(5);
  }
  return {
    pid: child.pid,
    url: find(/^ {2}Open {5}(\S+)$/m) ?? "",
    setupUrl: find(/^ {2}Set up {3}(\S+)$/m),
    output: () => output,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const code = await child.exited;
      await collected;
      return code;
    },
  };
}

/** `bun src/main.ts serve` of this repository. */
export const SERVE = [process.execPath, join(ROOT, "src/main.ts"), "serve"];
