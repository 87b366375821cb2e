// The executable of this source, built at most once for all tests: a build is taken over when nothing it
// is made of has changed since. Used by the walks that run Dragon the way people get it.
import { copyFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitForLock } from "../../src/adapters/system/file-lock.ts";
import { cleanEnv, ROOT } from "./dragon.ts";

/** Platforms we ship. */
export type Target = "linux-x64" | "linux-arm64";

/** The platform of this machine. */
export const HERE: Target = process.arch === "arm64" ? "linux-arm64" : "linux-x64";

/** Long enough for a build on a small machine that another test has begun. */
export const BUILD_LIMIT_MS = 300_000;

const SOURCES = ["{src,views,static,migrations}/**/*", "package.json", "bun.lock", ".patches/*"];

function newestSourceMs(): number {
  const files = SOURCES.flatMap((pattern) => [
    ...new Bun.Glob(pattern).scanSync({ cwd: ROOT, dot: true }),
  ]);
  return Math.max(...files.map((file) => statSync(join(ROOT, file)).mtimeMs));
}

async function build(target: Target): Promise<void> {
  const command = [process.execPath, join(ROOT, "src/build.ts"), "--target", target];
  const built = Bun.spawn(command, { cwd: ROOT, env: cleanEnv(), stdout: "pipe", stderr: "pipe" });
  const said = await new Response(built.stderr).text();
  if ((await built.exited) !== 0) throw new Error(`the build failed:\n${said}`);
}

/**
 * A copy of the executable in a new folder that every user may enter, with nothing beside it.
 * @throws Error with what the build said
 */
export async function executableFolder(target: Target = HERE): Promise<string> {
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  const lock = await waitForLock(join(ROOT, "dist/build.lock"), "exclusive", BUILD_LIMIT_MS);
  if (!lock) throw new Error("another build did not end");
  try {
    const made = join(ROOT, "dist", `dragon-${target}`);
    const isFresh = existsSync(made) && statSync(made).mtimeMs > newestSourceMs();
    if (!isFresh) await build(target);
    const folder = mkdtempSync(join(tmpdir(), "dragon-one-file-"));
    chmodSync(folder, 0o755);
    copyFileSync(made, join(folder, "dragon"));
    chmodSync(join(folder, "dragon"), 0o755);
    return folder;
  } finally {
    lock.release();
  }
}
