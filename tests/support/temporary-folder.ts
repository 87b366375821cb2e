// Temporary folders that disappear with the test process, however it ends, together with every
// PostgreSQL that still runs in one of them. Used by test-database.ts and the tests of the server.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const GUARD = Symbol.for("dragon.test.guard");

// Outlives the test process and asks for it again and again. It is a grandchild, because the test
// runner ends its own children when a test times out, and offers no hook that runs after a crash.
const GUARD_SCRIPT = `
(
while kill -0 "$2" 2>/dev/null; do sleep 0.2; done
for file in "$1"*/db/postmaster.pid "$1"*/*/db/postmaster.pid; do
  [ -e "$file" ] || continue
  read -r pid < "$file"
  [ "$(readlink "/proc/$pid/cwd")" = "$(dirname "$file")" ] || continue
  kill -QUIT "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
done
rm -rf "$1"*
) &
`;

/** A new empty folder. */
export function temporaryFolder(): string {
  const prefix = join(tmpdir(), `dragon-test-${process.pid}-`);
  const globals = globalThis as unknown as Record<symbol, true | undefined>;
  if (!globals[GUARD]) {
    globals[GUARD] = true;
    startGuard(prefix);
  }
  return mkdtempSync(prefix);
}

function startGuard(prefix: string): void {
  const guard = Bun.spawn(["/bin/sh", "-c", GUARD_SCRIPT, "guard", prefix, `${process.pid}`], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    detached: true,
  });
  guard.unref();
}
