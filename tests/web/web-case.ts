// A Dragon for page tests: the real app over a real database, with a clock in the test's hands.
import { createAccessRepository } from "../../src/adapters/postgres/access-repository.ts";
import { createAuditRepository } from "../../src/adapters/postgres/audit-repository.ts";
import { serverFacts } from "../../src/adapters/postgres/server-facts.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { createHealth } from "../../src/services/desk/health.ts";
import { createSetup } from "../../src/services/desk/setup.ts";
import { createApp } from "../../src/web/app.tsx";
import { silentLog, testDatabase } from "../support/test-database.ts";

export const PASSWORD = "plum-harbour-nine-otters";

/** The app with its collaborators; `advance` moves the clock. */
export async function webCase(options: { publicUrl?: string } = {}) {
  const database = await testDatabase();
  let offsetMs = 0;
  const system = createClock();
  const clock: Clock = { ...system, now: () => system.now() + offsetMs };
  const access = createAccessRepository(database.sql);
  const audit = createAuditRepository(database.sql);
  const setup = createSetup({ access, audit, clock });
  const health = createHealth({
    checks: [{ name: "database", run: async () => (await serverFacts(database.sql)) && "answers" }],
    clock,
    log: silentLog,
    limitMs: 2000,
  });
  const app = createApp({
    about: {
      version: "9.9.9",
      program: "dragon",
      database: "a database",
      timeZone: "Europe/Vienna",
    },
    health,
    setup,
    log: silentLog,
    publicUrl: options.publicUrl,
  });
  const advance = (ms: number) => {
    offsetMs += ms;
  };
  return { app, access, audit, setup, clock, database, advance };
}

/** A form post as a browser on the page itself sends it. */
export function formPost(
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): RequestInit {
  return {
    method: "POST",
    headers: {
      accept: "text/html",
      host: "127.0.0.1:8400",
      origin: "http://127.0.0.1:8400",
      "sec-fetch-site": "same-origin",
      ...headers,
    },
    body: new URLSearchParams(fields),
  };
}

/** The form as the owner fills it in. */
export const OWNER = {
  email: "ann@example.org",
  password: PASSWORD,
  repeat: PASSWORD,
  timeZone: "Europe/Vienna",
};
