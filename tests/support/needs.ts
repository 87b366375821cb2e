// What a test needs from the machine. A test whose need is absent is skipped with the reason in its
// title, and fails instead when DRAGON_REQUIRE lists the need (as the CI does).
import { test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Things a machine may lack. */
export type Need = "postgres" | "browser" | "gcc" | "data" | "root" | "arm64" | "minutes";

/** Whether a need is met, and the sentence when it is not. */
export type Presence = { readonly present: boolean; readonly reason: string };

const DATA_DIR = join(import.meta.dir, "../../../shared/data");
const DEBIAN_POSTGRES = "/usr/lib/postgresql";
/** Where the kernel lists the foreign executables it can start, and the loader those need. */
const ARM64_PARTS = ["/proc/sys/fs/binfmt_misc/qemu-aarch64", "/lib/ld-linux-aarch64.so.1"];
const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];

/** The folder with the programs of an installed PostgreSQL, null when there is none. */
export function installedPostgres(): string | null {
  const versions = existsSync(DEBIAN_POSTGRES) ? readdirSync(DEBIAN_POSTGRES) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_POSTGRES, version, "bin"));
  const inPath = Bun.which("postgres");
  if (inPath) folders.push(join(inPath, ".."));
  return folders.find((folder) => existsSync(join(folder, "initdb"))) ?? null;
}

/** The path of an installed Chromium, null when there is none. */
export function installedBrowser(): string | null {
  return BROWSERS.map((name) => Bun.which(name)).find((path) => path !== null) ?? null;
}

const CHECKS: Record<Need, () => boolean> = {
  postgres: () => installedPostgres() !== null,
  browser: () => installedBrowser() !== null,
  gcc: () => Bun.which("gcc") !== null,
  data: () => existsSync(DATA_DIR),
  root: () => process.getuid?.() === 0,
  minutes: () => isRequired("minutes"),
  arm64: () => process.arch === "arm64" || ARM64_PARTS.every((path) => existsSync(path)),
};

const REASONS: Record<Need, string> = {
  postgres: "no PostgreSQL is installed",
  browser: "no Chromium is installed",
  gcc: "gcc is not installed",
  data: "../shared/data is absent",
  root: "not running as root",
  minutes: "takes minutes; DRAGON_REQUIRE=minutes asks for it",
  arm64: "nothing here runs programs for arm64 (qemu-user-static, binfmt, arm64 libraries)",
};

/** Asks the machine once. */
export function needs(need: Need): Presence {
  const present = CHECKS[need]();
  return { present, reason: present ? "" : REASONS[need] };
}

/** True when an absent need is a failure. */
export function isRequired(need: Need): boolean {
  const required = process.env.DRAGON_REQUIRE ?? "";
  return required.split(",").some((name) => name.trim() === need);
}

/** A test that runs only where its needs are met; see the head of this file for the other cases. */
export function testIf(
  need: Need | readonly Need[],
  name: string,
  body: () => void | Promise<void>,
  timeoutMs?: number,
): void {
  const all: readonly Need[] = typeof need === "string" ? [need] : need;
  const missing = all.filter((one) => !needs(one).present);
  const reason = missing.map((one) => needs(one).reason).join(", ");
  if (missing.length === 0) test(name, body, timeoutMs);
  else if (missing.some(isRequired)) {
    test(name, () => {
      throw new Error(`DRAGON_REQUIRE asks for ${missing.join(", ")}, but ${reason}`);
    });
  } else test.skip(`${name} [skipped: ${reason}]`, body);
}
