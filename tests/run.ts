// `npm test`: type check, lint, unused code, then every test, and one line with the counts. Skipped
// tests are named with their reason. Arguments are passed on to `bun test` as file filters.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, readJunit } from "./support/junit.ts";

const root = join(import.meta.dir, "..");
const filters = process.argv.slice(2).filter((argument) => argument !== "--serial");
/** More workers than the usual small machine has cores: many tests wait. `--serial` helps with one failure. */
const isParallel = !process.argv.includes("--serial");
const WORKERS = 3;
const TEST_TIMEOUT_MS = 60_000;

/** The folders a Dragon without configuration would use; no test may touch them. */
const tripwires = ["/var/lib/dragon", join(homedir(), ".local/share/dragon")];

function fingerprint(): string {
  return tripwires
    .map((path) => (existsSync(path) ? `${path} ${statSync(path).mtimeMs}` : `${path} absent`))
    .join("\n");
}

const temporary = mkdtempSync(join(tmpdir(), "dragon-run-"));
// The bundled PostgreSQL runs as another user when root tests, and must be able to pass.
chmodSync(temporary, 0o755);
const env: Record<string, string> = {};
for (const [name, value] of Object.entries(process.env)) {
  if (value !== undefined && !name.startsWith("DRAGON_")) env[name] = value;
}
Object.assign(env, {
  HOME: temporary,
  XDG_DATA_HOME: join(temporary, "share"),
  DRAGON_TEST_HOME: temporary,
  // npm and bun keep their downloads in the real home: tests that install use them.
  BUN_INSTALL_CACHE_DIR: process.env.BUN_INSTALL_CACHE_DIR ?? join(homedir(), ".bun/install/cache"),
  npm_config_cache: process.env.npm_config_cache ?? join(homedir(), ".npm"),
});
if (process.env.DRAGON_REQUIRE) env.DRAGON_REQUIRE = process.env.DRAGON_REQUIRE;

const passed: string[] = [];
const failed: string[] = [];
const skipped: string[] = [];

function check(name: string, command: string[]): void {
  const startedMs = performance.now();
  const ran = Bun.spawnSync([process.execPath, ...command], { cwd: root, env, stderr: "pipe" });
  const took = `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
  if (ran.exitCode === 0) {
    passed.push(name);
    console.log(`(pass) ${name} [${took}]`);
    return;
  }
  failed.push(name);
  console.log(`${ran.stdout}${ran.stderr}(fail) ${name} [${took}]`);
}

function note(name: string, isFine: boolean, detail: string): void {
  (isFine ? passed : failed).push(name);
  console.log(`(${isFine ? "pass" : "fail"}) ${name}${isFine ? "" : `: ${detail}`}`);
}

function runTests(): void {
  const report = join(temporary, "report.xml");
  const ran = Bun.spawnSync(
    [
      process.execPath,
      "test",
      ...(isParallel ? [`--parallel=${WORKERS}`] : []),
      `--timeout=${TEST_TIMEOUT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...(filters.length > 0 ? filters : ["tests"]),
    ],
    { cwd: root, env, stdin: "ignore", stdout: "inherit", stderr: "inherit" },
  );
  const outcomes: Outcome[] = existsSync(report) ? readJunit(readFileSync(report, "utf8")) : [];
  for (const { name, state } of outcomes) {
    if (state === "passed") passed.push(name);
    else if (state === "failed") failed.push(name);
    else skipped.push(name);
  }
  const silent = silentFiles(new Set(outcomes.map(({ file }) => file)));
  const isExplained = ran.exitCode === 0 || outcomes.some(({ state }) => state === "failed");
  const detail = silent.length > 0 ? silent.join(", ") : `bun test: exit code ${ran.exitCode}`;
  note("every test file ran", isExplained && silent.length === 0 && outcomes.length > 0, detail);
}

/** Test files without a result: a file that fails to load is missing in the report. */
function silentFiles(seen: ReadonlySet<string>): string[] {
  if (filters.length > 0) return [];
  return [...new Bun.Glob("tests/**/*.test.{ts,tsx}").scanSync(root)].filter(
    (file) => !seen.has(file),
  );
}

const before = fingerprint();
try {
  if (filters.length === 0) {
    const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
    const folders = ["src", "views", "static", "migrations", "tests"];
    check("types are right (bun check)", ["check", "--no-script"]);
    check("lint is silent (biome)", [
      biome,
      "lint",
      "--error-on-warnings",
      "--config-path=.biome",
      ...folders,
    ]);
    check("nothing is unused (knip)", [join(root, "node_modules/knip/bin/knip-bun.js")]);
  }
  runTests();
  note("the default data folder was not touched", fingerprint() === before, tripwires.join(", "));
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

if (skipped.length > 0)
  console.log(`\n${skipped.length} skipped:\n${skipped.map((name) => `  ${name}`).join("\n")}`);
if (failed.length > 0) console.log(`\nfailed:\n${failed.map((name) => `  ${name}`).join("\n")}`);
console.log(`\n${passed.length} passed, ${failed.length} failed`);
process.exit(failed.length > 0 ? 1 : 0);
