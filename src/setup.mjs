// First step of every package script: makes sure the pinned Bun and the dependencies are there, then runs Bun
// with the given arguments. Needs only Node >= 20 and npm (or an installed Bun); writes to node_modules and dist alone.
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const wanted = manifest.devDependencies.bun;

/** Prints one sentence and ends with exit code 1. */
function fail(sentence) {
  console.error(`dragon setup: ${sentence}`);
  process.exit(1);
}

/** The Bun executables below a node_modules folder: the linked one first, then the platform package npm unpacked. */
function candidates(modules) {
  const found = [join(modules, "bun/bin/bun.exe")];
  const scope = join(modules, "@oven");
  if (existsSync(scope))
    for (const name of readdirSync(scope)) found.push(join(scope, name, "bin/bun"));
  return found.filter((path) => existsSync(path) && statSync(path).size > 1_000_000);
}

/** The first candidate that runs and has exactly the pinned version. */
function findBun() {
  const all = [
    ...candidates(join(root, "node_modules")),
    ...candidates(join(root, "dist/bun/node_modules")),
  ];
  if (process.versions.bun === wanted) all.push(process.execPath);
  for (const path of all) {
    const ran = spawnSync(path, ["--version"], { encoding: "utf8" });
    if (ran.status === 0 && ran.stdout.trim() === wanted) return path;
  }
  return null;
}

/** Runs a quiet step; when it fails, shows what it said and ends the program. */
function must(command, args, cwd, sentence) {
  const ran = spawnSync(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  if (!ran.error && ran.status === 0) return;
  process.stderr.write(`${ran.stdout ?? ""}${ran.stderr ?? ""}`);
  fail(`${sentence} (${ran.error ? ran.error.message : `exit ${ran.status}`})`);
}

let bun = findBun();
if (!bun) {
  console.error(`dragon setup: fetching Bun ${wanted} …`);
  const folder = join(root, "dist/bun");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}\n");
  const flags = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
  must(
    "npm",
    ["install", ...flags, `bun@${wanted}`],
    folder,
    `npm could not install bun@${wanted}`,
  );
  bun = findBun() ?? fail(`bun ${wanted} was installed but does not run on this machine`);
}

const generated = join(root, "dist/gen/exchanges.ts");
// The stamp names what the tree was installed from; any other state means: install again.
const stamp = join(root, "node_modules/.dragon-lock");
const wishes = [manifest.dependencies, manifest.optionalDependencies, manifest.devDependencies];
const lock = readFileSync(join(root, "bun.lock"), "utf8") + JSON.stringify(wishes);
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  console.error("dragon setup: installing dependencies …");
  rmSync(stamp, { force: true });
  must(bun, ["install", "--frozen-lockfile"], root, "bun install failed");
  writeFileSync(stamp, lock);
  // Another version of the exchange library has another list of exchanges.
  rmSync(generated, { force: true });
  bun = findBun() ?? bun;
}
if (existsSync(join(root, "src/adapters/ccxt/generate.ts")) && !existsSync(generated)) {
  must(bun, ["src/adapters/ccxt/generate.ts"], root, "the exchange map could not be generated");
}

const args = process.argv.slice(2);
const child = spawn(bun, args, { cwd: process.cwd(), stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => fail(`${bun} could not be started (${error.message})`));
// 128 + number is how shells report a program that ended by a signal.
child.on("exit", (code, signal) =>
  process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)),
);
