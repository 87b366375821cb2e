// Workspaces, users, the first owner, sessions and tokens on real servers.
import { expect } from "bun:test";
import { createAccessRepository } from "../../../src/adapters/postgres/access-repository.ts";
import { connect } from "../../../src/adapters/postgres/connect.ts";
import { databaseTest } from "../../support/database-test.ts";
import { testScope } from "../../support/test-database.ts";

const NOW = Date.UTC(2024, 5, 1, 12);
const HOUR = 3_600_000;

function hash(digit: string): string {
  return digit.repeat(64);
}

function person(email: string) {
  return { email, passwordHash: "$argon2id$…", timeZone: "Europe/Vienna" };
}

databaseTest("the default workspace is made once, also by many at once", async ({ sql }) => {
  const access = createAccessRepository(sql);
  const made = await Promise.all([1, 2, 3, 4].map(() => access.defaultWorkspace(NOW)));
  expect(new Set(made.map((workspace) => workspace.id)).size).toBe(1);
  expect(await access.defaultWorkspace(NOW)).toEqual(made[0]!);
});

databaseTest("a setup link makes the first owner once", async ({ sql }) => {
  const access = createAccessRepository(sql);
  await access.createSetupLink({ tokenHash: hash("a"), expiresAt: NOW + HOUR }, NOW);
  expect(await access.setupLinkState(hash("a"), NOW)).toBe("open");
  expect(await access.hasOwner()).toBe(false);
  const owner = { ...person("Me@Example.org"), setupTokenHash: hash("a") };
  const made = await access.createOwner(owner, NOW);
  if (!made.ok) throw new Error(made.detail);
  expect(made.value.workspace).toEqual(await access.defaultWorkspace(NOW));
  expect(made.value.user).toMatchObject({ email: "Me@Example.org", createdAt: NOW });
  expect(await access.hasOwner()).toBe(true);
  expect(await access.setupLinkState(hash("a"), NOW)).toBe("used");
  expect(await access.membershipsOf(made.value.user.id)).toEqual([
    { ...made.value.workspace, role: "owner" },
  ]);
  const again = await access.createOwner({ ...owner, email: "other@example.org" }, NOW);
  expect(again).toMatchObject({ ok: false, reason: "owner_exists" });
});

databaseTest("unknown, expired and replaced setup links make nobody owner", async ({ sql }) => {
  const access = createAccessRepository(sql);
  await access.createSetupLink({ tokenHash: hash("a"), expiresAt: NOW + HOUR }, NOW);
  await access.createSetupLink({ tokenHash: hash("b"), expiresAt: NOW + HOUR }, NOW);
  const attempt = (setupTokenHash: string, at: number) =>
    access.createOwner({ ...person("a@example.org"), setupTokenHash }, at);
  expect(await attempt(hash("a"), NOW)).toMatchObject({ reason: "setup_link_expired" });
  expect(await attempt(hash("b"), NOW + HOUR)).toMatchObject({ reason: "setup_link_expired" });
  expect(await attempt(hash("c"), NOW)).toMatchObject({ reason: "setup_link_unknown" });
  expect(await access.hasOwner()).toBe(false);
  expect(await access.findLogin("a@example.org")).toBeNull();
  expect(await attempt(hash("b"), NOW)).toMatchObject({ ok: true });
});

databaseTest(
  "of two who become the first owner at once exactly one does",
  async ({ sql, target }) => {
    const pools = [connect(target, { max: 1 }), connect(target, { max: 1 }), sql];
    try {
      await createAccessRepository(sql).createSetupLink(
        { tokenHash: hash("a"), expiresAt: NOW + HOUR },
        NOW,
      );
      const results = await Promise.all(
        pools.map((pool, index) =>
          createAccessRepository(pool).createOwner(
            { ...person(`p${index}@example.org`), setupTokenHash: hash("a") },
            NOW,
          ),
        ),
      );
      const refusals = results.filter((result) => !result.ok);
      expect(refusals.length).toBe(2);
      for (const refusal of refusals) expect(refusal).toMatchObject({ reason: "owner_exists" });
      const [row] = await sql<{ owners: number; users: number; workspaces: number }[]>`
      select (select count(*) from memberships where role = 'owner') as owners,
        (select count(*) from users) as users, (select count(*) from workspaces) as workspaces`;
      expect(row).toEqual({ owners: 1, users: 1, workspaces: 1 });
    } finally {
      await Promise.all(pools.slice(0, 2).map((pool) => pool.end()));
    }
  },
);

databaseTest("an e-mail belongs to one user whatever its letter case", async ({ sql }) => {
  const access = createAccessRepository(sql);
  const scope = await testScope(sql, "one");
  const first = await access.createUser(scope, { ...person("A@b.org"), role: "trader" }, NOW);
  expect(first).toMatchObject({ ok: true, value: { role: "trader" } });
  const second = await access.createUser(scope, { ...person("a@B.org"), role: "viewer" }, NOW);
  expect(second).toMatchObject({ ok: false, reason: "email_taken" });
  const login = await access.findLogin("a@b.ORG");
  expect(login).toMatchObject({ user: { email: "A@b.org" }, passwordHash: "$argon2id$…" });
  expect(login?.user).not.toHaveProperty("passwordHash");
});

databaseTest("the last active owner keeps role, membership and access", async ({ sql }) => {
  const access = createAccessRepository(sql);
  const scope = await testScope(sql, "one");
  const last = { ok: false, reason: "last_owner" };
  expect(await access.setRole(scope, scope.userId, "viewer", NOW)).toMatchObject(last);
  expect(await access.removeMember(scope, scope.userId)).toMatchObject(last);
  expect(await access.setDisabled(scope.userId, true, NOW)).toMatchObject(last);
  const made = await access.createUser(scope, { ...person("b@b.org"), role: "owner" }, NOW);
  if (!made.ok) throw new Error(made.detail);
  expect(await access.setDisabled(made.value.id, true, NOW)).toMatchObject({ ok: true });
  expect(await access.setRole(scope, scope.userId, "viewer", NOW)).toMatchObject(last);
  expect(await access.setDisabled(made.value.id, false, NOW)).toMatchObject({ ok: true });
  expect(await access.setRole(scope, scope.userId, "viewer", NOW)).toMatchObject({ ok: true });
});

databaseTest("two owners who leave at once leave one behind", async ({ sql }) => {
  const access = createAccessRepository(sql);
  const scope = await testScope(sql, "one");
  const made = await access.createUser(scope, { ...person("b@b.org"), role: "owner" }, NOW);
  if (!made.ok) throw new Error(made.detail);
  const results = await Promise.all([
    access.removeMember(scope, scope.userId),
    access.removeMember(scope, made.value.id),
  ]);
  expect(results.filter((result) => result.ok).length).toBe(1);
  expect((await access.listMembers(scope)).length).toBe(1);
});

databaseTest(
  "a session lives until its idle end, its absolute end or a revocation",
  async ({ sql }) => {
    const access = createAccessRepository(sql);
    const { workspaceId, userId } = await testScope(sql, "one");
    const open = (tokenHash: string) =>
      access.createSession(
        {
          userId,
          workspaceId,
          tokenHash,
          idleExpiresAt: NOW + HOUR,
          expiresAt: NOW + 3 * HOUR,
          client: "x",
        },
        NOW,
      );
    const use = (tokenHash: string, at: number) => access.useSession(tokenHash, at + HOUR, at);
    const session = await open(hash("1"));
    expect(session).toMatchObject({ role: "owner", client: "x", workspace: { id: workspaceId } });
    expect(await use(hash("2"), NOW)).toBeNull();
    expect((await use(hash("1"), NOW + HOUR - 1))?.idleExpiresAt).toBe(NOW + 2 * HOUR - 1);
    expect((await use(hash("1"), NOW + 2 * HOUR - 2))?.idleExpiresAt).toBe(NOW + 3 * HOUR - 2);
    expect((await use(hash("1"), NOW + 3 * HOUR - 3))?.idleExpiresAt).toBe(NOW + 3 * HOUR);
    expect(await use(hash("1"), NOW + 3 * HOUR)).toBeNull();
    await open(hash("3"));
    expect(await use(hash("3"), NOW + HOUR)).toBeNull();
    const fourth = await open(hash("4"));
    expect(await access.revokeSession(userId, fourth!.id, NOW)).toBe(true);
    expect(await access.revokeSession(userId, fourth!.id, NOW)).toBe(false);
    expect(await use(hash("4"), NOW)).toBeNull();
  },
);

databaseTest("password change, disabling and leaving end sessions and tokens", async ({ sql }) => {
  const access = createAccessRepository(sql);
  const scope = await testScope(sql, "one");
  const made = await access.createUser(scope, { ...person("b@b.org"), role: "trader" }, NOW);
  if (!made.ok) throw new Error(made.detail);
  const userId = made.value.id;
  const open = async (tokenHash: string) => {
    const ends = { idleExpiresAt: NOW + HOUR, expiresAt: NOW + HOUR, client: "x" };
    await access.createSession({ userId, workspaceId: scope.workspaceId, tokenHash, ...ends }, NOW);
    return () => access.useSession(tokenHash, NOW + HOUR, NOW);
  };
  const token = { userId, name: "t", scopes: ["runs:read"], prefix: "drg_abc", expiresAt: null };
  await access.createApiToken(scope, { ...token, tokenHash: hash("f") }, NOW);
  const first = await open(hash("1"));
  expect(await first()).not.toBeNull();
  expect(await access.setPassword(userId, "new", NOW)).toBe(true);
  expect(await first()).toBeNull();
  expect((await access.findLogin("b@b.org"))?.passwordHash).toBe("new");
  const second = await open(hash("2"));
  expect(await access.useApiToken(hash("f"), NOW)).not.toBeNull();
  expect(await access.setDisabled(userId, true, NOW)).toMatchObject({ ok: true });
  expect(await second()).toBeNull();
  expect(await access.useApiToken(hash("f"), NOW)).toBeNull();
  await access.setDisabled(userId, false, NOW);
  const third = await open(hash("3"));
  expect(await access.removeMember(scope, userId)).toMatchObject({ ok: true });
  expect(await third()).toBeNull();
  expect(await access.useApiToken(hash("f"), NOW)).toBeNull();
  expect(await open(hash("4")).then((use) => use())).toBeNull();
});

databaseTest("an API token works until it ends, with its owner's present role", async ({ sql }) => {
  const access = createAccessRepository(sql);
  const scope = await testScope(sql, "one", "trader");
  const { userId } = scope;
  const base = { userId, scopes: ["runs:read", "runs:write"], prefix: "drg_abc" };
  const made = await access.createApiToken(
    scope,
    { ...base, name: "ci", tokenHash: hash("a"), expiresAt: NOW + HOUR },
    NOW,
  );
  if (!made.ok) throw new Error(made.detail);
  expect(made.value.scopes).toEqual(["runs:read", "runs:write"]);
  const other = { ...base, name: "CI", tokenHash: hash("b"), expiresAt: null };
  expect(await access.createApiToken(scope, other, NOW)).toMatchObject({ reason: "name_taken" });
  const used = await access.useApiToken(hash("a"), NOW + 5);
  expect(used).toMatchObject({ scope, token: { lastUsedAt: NOW + 5 } });
  expect(await access.useApiToken(hash("a"), NOW + HOUR)).toBeNull();
  expect(await access.revokeApiToken(scope, made.value.id, NOW)).toBe(true);
  expect(await access.useApiToken(hash("a"), NOW)).toBeNull();
  expect(await access.createApiToken(scope, other, NOW)).toMatchObject({ ok: true });
  expect((await access.listApiTokens(scope)).map((token) => token.name)).toEqual(["ci", "CI"]);
});
