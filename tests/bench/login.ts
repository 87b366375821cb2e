// Whether the time of a refused sign-in tells if the account exists: a known account with a wrong
// password against an unknown one, taken in turns on the same database.
import { createAccessRepository } from "../../src/adapters/postgres/access-repository.ts";
import { createAuditRepository } from "../../src/adapters/postgres/audit-repository.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { hashPassword, verifyPassword } from "../../src/services/desk/passwords.ts";
import { createSessions } from "../../src/services/desk/sessions.ts";
import { testDatabase } from "../support/test-database.ts";
import { type BenchRow, benchTable, median } from "./bench-row.ts";

const ROUNDS = 60;
const PASSWORD = "plum-harbour-nine-otters";

/** Measures refused sign-ins. */
export async function benchLogin(): Promise<BenchRow[]> {
  const { sql, drop } = await testDatabase();
  const clock = createClock();
  const access = createAccessRepository(sql);
  const { id: workspaceId } = await access.createWorkspace("bench", clock.now());
  const email = "known@example.org";
  const passwordHash = await hashPassword(PASSWORD, email);
  const user = { email, passwordHash, timeZone: "UTC", role: "owner" as const };
  await access.createUser({ workspaceId, userId: null, role: "owner" }, user, clock.now());
  const sessions = createSessions({
    access,
    audit: createAuditRepository(sql),
    clock,
    verifyPassword,
    // Waiting would hide what is measured.
    throttle: { begin: () => 0, succeeded: () => undefined },
  });
  const takeMs = async (who: string) => {
    const beganMs = performance.now();
    const outcome = await sessions.logIn(who, "quite-the-wrong-words", {
      address: "192.0.2.1",
      client: "bench",
    });
    if (outcome.ok) throw new Error("the wrong password was taken");
    return performance.now() - beganMs;
  };
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let i = 0; i < ROUNDS + 5; i++) {
    const known = await takeMs(email);
    const unknown = await takeMs(`nobody-${i}@example.org`);
    if (i < 5) continue;
    times.known.push(known);
    times.unknown.push(unknown);
  }
  await drop();
  const [known, unknown] = [median(times.known), median(times.unknown)];
  return [
    { name: "refused, known account", unit: "ms", value: known },
    { name: "refused, unknown account", unit: "ms", value: unknown },
    {
      name: "difference",
      unit: "%",
      value: Math.abs(unknown / known - 1) * 100,
      must: 10,
      aim: 3,
      ratio: unknown / known,
      reference: "known account",
    },
  ];
}

if (import.meta.main) for (const line of benchTable(await benchLogin())) console.log(line);
