// Runs before every test file: keeps tests away from this machine's own data folder and settings,
// also when a single file is run by hand.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const isPrepared = process.env.DRAGON_TEST_HOME !== undefined;
const home = process.env.DRAGON_TEST_HOME ?? mkdtempSync(join(tmpdir(), "dragon-run-"));
// The bundled PostgreSQL runs as another user when root tests, and must be able to pass.
if (!isPrepared) chmodSync(home, 0o755);
for (const name of Object.keys(process.env)) {
  if (/^DRAGON_(?!TEST_|REQUIRE$)/.test(name)) delete process.env[name];
}
process.env.DRAGON_TEST_HOME = home;
process.env.HOME = home;
process.env.XDG_DATA_HOME = join(home, "share");
process.env.DRAGON_DATA_DIR = join(home, "data");
if (!isPrepared) process.on("exit", () => rmSync(home, { recursive: true, force: true }));
