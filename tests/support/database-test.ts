// A test on a fresh migrated database, once on the bundled server and once on the installed one.
// Used by every test of adapters/postgres.
import { test } from "bun:test";
import { testIf } from "./needs.ts";
import {
  emptyTestDatabase,
  type TestDatabase,
  type TestServer,
  testDatabase,
} from "./test-database.ts";

type Body = (database: TestDatabase) => Promise<void>;

const TIMEOUT_MS = 30_000;

/** Registers the test for both servers. */
export function databaseTest(name: string, body: Body): void {
  register(name, testDatabase, body);
}

/** The same on a database without any table. */
export function emptyDatabaseTest(name: string, body: Body): void {
  register(name, emptyTestDatabase, body);
}

function register(
  name: string,
  open: (server: TestServer) => Promise<TestDatabase>,
  body: Body,
): void {
  const run = (server: TestServer) => async () => {
    const database = await open(server);
    try {
      await body(database);
    } finally {
      await database.drop();
    }
  };
  test(`${name} (bundled server)`, run("bundled"), TIMEOUT_MS);
  testIf("postgres", `${name} (installed server)`, run("external"), TIMEOUT_MS);
}
