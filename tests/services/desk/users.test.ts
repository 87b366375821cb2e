// Users and tokens from the command line, over a real database, and the key check value.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAccessRepository } from "../../../src/adapters/postgres/access-repository.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import {
  compareMasterKey,
  keyFilePath,
  settleMasterKey,
} from "../../../src/adapters/vault/master-key.ts";
import { parseMasterKey } from "../../../src/config.ts";
import { createSetup, hashToken } from "../../../src/services/desk/setup.ts";
import { createUsers } from "../../../src/services/desk/users.ts";
import { type TestDatabase, testDatabase } from "../../support/test-database.ts";

const PASSWORD = "plum-harbour-nine-otters";
const clock = createClock();
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

function services() {
  const access = createAccessRepository(database.sql);
  const audit = createAuditRepository(database.sql);
  const deps = { access, audit, clock };
  return { access, audit, users: createUsers(deps), setup: createSetup(deps) };
}

test("the owner can be created without a link, once", async () => {
  const { setup } = services();
  const request = { email: "ann@example.org", password: PASSWORD, timeZone: "UTC" };
  expect(await setup.createOwnerLocally(request)).toEqual({ ok: true, email: "ann@example.org" });
  const again = await setup.createOwnerLocally({ ...request, email: "eve@example.org" });
  expect(again).toEqual({ ok: false, reason: "used" });
});

test("users are added with a role, an e-mail only once, and a password can be reset", async () => {
  const { access, users } = services();
  const bob = {
    email: "bob@example.org",
    password: PASSWORD,
    role: "trader",
    timeZone: "UTC",
  } as const;
  await users.createUser(bob);
  await expect(users.createUser(bob)).rejects.toThrow("already belongs");
  await expect(users.createUser({ ...bob, email: "x" })).rejects.toThrow("name@example.org");
  await users.resetPassword("bob@example.org", "another-quiet-teapot-song");
  const login = await access.findLogin("bob@example.org");
  expect(await Bun.password.verify("another-quiet-teapot-song", login?.passwordHash ?? "")).toBe(
    true,
  );
  await expect(users.resetPassword("nobody@example.org", PASSWORD)).rejects.toThrow("no user");
});

test("a token is stored as a hash, works, and carries its scopes", async () => {
  const { access, users } = services();
  const wish = { email: "ann@example.org", name: "script", scopes: ["read"], days: 1 };
  const { token, prefix, expiresAt } = await users.createToken(wish);
  expect(token).toStartWith(prefix);
  expect(expiresAt).toBeGreaterThan(clock.now());
  const used = await access.useApiToken(hashToken(token), clock.now());
  expect(used?.token.scopes).toEqual(["read"]);
  expect(await access.useApiToken(hashToken(`${token}x`), clock.now())).toBeNull();
  await expect(users.createToken(wish)).rejects.toThrow("already the name");
  await expect(users.createToken({ ...wish, scopes: ["rule"] })).rejects.toThrow(
    "read, trade, admin",
  );
  const rows = await database.sql`select * from api_tokens`;
  expect(JSON.stringify(rows)).not.toContain(token);
});

test("everything above is in the audit log, without secrets", async () => {
  const { access, audit } = services();
  const workspace = await access.defaultWorkspace(clock.now());
  const scope = { workspaceId: workspace.id, userId: null, role: "owner" } as const;
  const entries = await audit.list(scope, { limit: 50 });
  const actions = entries.map((entry) => entry.action).sort();
  expect(actions).toEqual(["api_token_created", "owner_created", "password_reset", "user_created"]);
  expect(JSON.stringify(entries)).not.toContain(PASSWORD);
  expect((await audit.verify(scope)).intact).toBe(true);
});

test("the database remembers its key: right passes, wrong and missing stop the start", async () => {
  const settings = createSettingsRepository(database.sql);
  const dataDir = mkdtempSync(join(tmpdir(), "dragon-key-"));
  const deps = { dataDir, fromEnvironment: undefined, parse: parseMasterKey };
  const first = await settleMasterKey(deps, settings, clock.now());
  expect(first.from).toBe("created");
  expect((await settleMasterKey(deps, settings, clock.now())).bytes).toEqual(first.bytes);
  expect(await compareMasterKey(first.bytes, settings)).toBe("matches");

  const wrong = { ...deps, fromEnvironment: new Uint8Array(randomBytes(32)) };
  await expect(settleMasterKey(wrong, settings, clock.now())).rejects.toThrow("not the one");
  rmSync(keyFilePath(dataDir));
  await expect(settleMasterKey(deps, settings, clock.now())).rejects.toThrow("there is none");
  // Nothing was made in place of the lost key, and the right one still fits.
  const right = { ...deps, fromEnvironment: first.bytes };
  expect((await settleMasterKey(right, settings, clock.now())).from).toBe("environment");
});

test("two first starts at once agree on one key check", async () => {
  const other = await testDatabase();
  try {
    const settings = createSettingsRepository(other.sql);
    const start = () =>
      settleMasterKey(
        {
          dataDir: mkdtempSync(join(tmpdir(), "dragon-key-")),
          fromEnvironment: undefined,
          parse: parseMasterKey,
        },
        settings,
        clock.now(),
      );
    const outcomes = await Promise.allSettled([start(), start(), start()]);
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  } finally {
    await other.drop();
  }
});
