// Two workspaces see nothing of each other, in every repository that keeps rows of a workspace.
import { expect } from "bun:test";
import { createAccessRepository } from "../../../src/adapters/postgres/access-repository.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createPeriodRepository } from "../../../src/adapters/postgres/period-repository.ts";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { databaseTest } from "../../support/database-test.ts";
import { aRun, someMetrics } from "../../support/runs.ts";
import { testScope } from "../../support/test-database.ts";

const NOW = Date.UTC(2024, 5, 1, 12);

databaseTest("members and tokens are out of reach from another workspace", async ({ sql }) => {
  const access = createAccessRepository(sql);
  const [mine, theirs] = [await testScope(sql, "mine"), await testScope(sql, "theirs")];
  const token = await access.createApiToken(
    mine,
    {
      userId: mine.userId,
      name: "t",
      scopes: [],
      tokenHash: "a".repeat(64),
      prefix: "p",
      expiresAt: null,
    },
    NOW,
  );
  if (!token.ok) throw new Error(token.detail);
  expect((await access.listMembers(theirs)).map((member) => member.id)).toEqual([theirs.userId]);
  expect(await access.listApiTokens(theirs)).toEqual([]);
  expect(await access.revokeApiToken(theirs, token.value.id, NOW)).toBe(false);
  expect(await access.removeMember(theirs, mine.userId)).toMatchObject({ reason: "unknown_user" });
  const foreign = { userId: mine.userId, name: "t", scopes: [], prefix: "p", expiresAt: null };
  expect(
    await access.createApiToken(theirs, { ...foreign, tokenHash: "b".repeat(64) }, NOW),
  ).toMatchObject({ reason: "not_a_member" });
  const ends = { idleExpiresAt: NOW + 1000, expiresAt: NOW + 1000, client: "x" };
  const session = { userId: mine.userId, workspaceId: theirs.workspaceId, ...ends };
  expect(await access.createSession({ ...session, tokenHash: "c".repeat(64) }, NOW)).toBeNull();
  expect(await access.useApiToken("a".repeat(64), NOW)).toMatchObject({ scope: mine });
});

databaseTest("settings and audit are out of reach from another workspace", async ({ sql }) => {
  const [settings, audit] = [createSettingsRepository(sql), createAuditRepository(sql)];
  const [mine, theirs] = [await testScope(sql, "mine"), await testScope(sql, "theirs")];
  await settings.write(mine, { key: "a.b", value: 1 }, NOW);
  expect(await settings.read(theirs, "a.b")).toBeNull();
  expect(await settings.list(theirs)).toEqual([]);
  expect(await settings.readInstance("a.b")).toBeNull();
  await settings.write(theirs, { key: "a.b", value: 2 }, NOW);
  expect((await settings.read(mine, "a.b"))?.value).toBe(1);
  const entry = { actorId: null, actor: "x", action: "y", object: "z", before: null, after: null };
  await audit.append(mine, entry, NOW);
  expect(await audit.list(theirs, { limit: 10 })).toEqual([]);
  expect(await audit.listInstance({ limit: 10 })).toEqual([]);
  expect(await audit.verify(theirs)).toEqual({ intact: true, entries: 0 });
});

databaseTest("periods and runs are out of reach from another workspace", async ({ sql }) => {
  const [periods, runs] = [createPeriodRepository(sql), createRunRepository(sql)];
  const [mine, theirs] = [await testScope(sql, "mine"), await testScope(sql, "theirs")];
  const range = { name: "p", fromAt: 0, toAt: 1 };
  const period = await periods.create(mine, range, NOW);
  if (!period.ok) throw new Error(period.detail);
  expect(await periods.list(theirs)).toEqual([]);
  expect(await periods.change(theirs, period.value.id, range, NOW)).toMatchObject({ ok: false });
  expect(await periods.remove(theirs, period.value.id)).toBe(false);
  expect(await periods.create(theirs, range, NOW)).toMatchObject({ ok: true });

  const open = await runs.create(mine, aRun, NOW);
  const done = await runs.create(mine, aRun, NOW);
  const outcome = {
    metrics: someMetrics,
    fillsSha256: "c".repeat(64),
    candlesFingerprint: "a".repeat(64),
    details: {},
  };
  const artifact = { encoding: "x", data: new Uint8Array(3) };
  await runs.finish(mine, done, outcome, artifact, NOW);
  expect(await runs.start(theirs, open, NOW)).toBe(false);
  expect(await runs.finish(theirs, open, outcome, artifact, NOW)).toBe(false);
  expect(await runs.fail(theirs, open, "x", NOW)).toBe(false);
  expect(await runs.cancel(theirs, open, NOW)).toBe(false);
  expect(await runs.rename(theirs, done, "x")).toBe(false);
  expect(await runs.find(theirs, done)).toBeNull();
  expect(await runs.findArtifact(theirs, done)).toBeNull();
  const mark = { isShortlisted: true, note: null };
  expect(await runs.shortlist(theirs, done, mark, NOW)).toBe(false);
  expect(await runs.remove(theirs, [open, done])).toBe(0);
  const query = {
    columns: ["symbol"],
    sort: { column: "createdAt", direction: "asc" },
    filters: [],
    search: null,
    limit: 10,
    after: null,
  } as const;
  expect(await runs.list(theirs, query)).toEqual({ rows: [], next: null, lookedAt: null });
  expect((await runs.list(mine, query)).rows.length).toBe(2);
  expect(await runs.words(theirs, "symbol")).toEqual([]);
  expect(await runs.find(mine, done)).toMatchObject({ name: aRun.name, status: "finished" });
  expect(await runs.remove(mine, [open, done])).toBe(2);
});
