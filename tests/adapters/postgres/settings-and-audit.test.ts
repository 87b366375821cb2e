// Settings with revisions and the audit chain on real servers.
import { expect } from "bun:test";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { databaseTest } from "../../support/database-test.ts";
import { testScope } from "../../support/test-database.ts";

const NOW = Date.UTC(2024, 5, 1, 12);

databaseTest("a setting keeps the value before, who changed it and when", async ({ sql }) => {
  const settings = createSettingsRepository(sql);
  const scope = await testScope(sql, "one");
  expect(await settings.read(scope, "fee.spot")).toBeNull();
  await settings.write(scope, { key: "fee.spot", value: 0.1 }, NOW);
  const second = await settings.write(
    scope,
    { key: "fee.spot", value: { maker_fee: [1, null] } },
    NOW + 1,
  );
  expect(second).toEqual({
    ok: true,
    value: {
      key: "fee.spot",
      value: { maker_fee: [1, null] },
      previous: 0.1,
      revision: 2,
      updatedBy: scope.userId,
      updatedAt: NOW + 1,
    },
  });
  const stored = await settings.read(scope, "fee.spot");
  expect(second).toEqual({ ok: true, value: stored! });
});

databaseTest(
  "a change based on an old revision is refused and changes nothing",
  async ({ sql }) => {
    const settings = createSettingsRepository(sql);
    const write = (value: string, expectedRevision: number) =>
      settings.writeInstance({ key: "name", value, expectedRevision }, null, NOW);
    expect(await write("x", 1)).toMatchObject({ reason: "revision_changed" });
    expect(await write("a", 0)).toMatchObject({ ok: true });
    expect(await write("b", 0)).toMatchObject({ reason: "revision_changed" });
    expect(await write("b", 1)).toMatchObject({ ok: true, value: { revision: 2 } });
    expect(await write("c", 1)).toMatchObject({ reason: "revision_changed" });
    expect(await settings.readInstance("name")).toMatchObject({ value: "b", previous: "a" });
    const race = await Promise.all(["d", "e", "f"].map((value) => write(value, 2)));
    expect(race.filter((outcome) => outcome.ok).length).toBe(1);
  },
);

databaseTest("instance and workspace settings of one key are apart", async ({ sql }) => {
  const settings = createSettingsRepository(sql);
  const one = await testScope(sql, "one");
  await settings.writeInstance({ key: "theme", value: "dark" }, null, NOW);
  await settings.write(one, { key: "theme", value: "light" }, NOW);
  expect((await settings.readInstance("theme"))?.value).toBe("dark");
  expect((await settings.read(one, "theme"))?.value).toBe("light");
  expect((await settings.listInstance()).length).toBe(1);
});

function entry(object: string) {
  return { actorId: null, actor: "system", action: "thing_done", object, before: null, after: 1 };
}

databaseTest(
  "audit entries form one unbroken chain, also when written at once",
  async ({ sql }) => {
    const audit = createAuditRepository(sql);
    const scope = await testScope(sql, "one");
    const after = { zebra: 1e-7, apple: [1e21, "ü", { b: 1, a: null }], "": -0.1 };
    await audit.append(scope, { ...entry("first"), actorId: scope.userId, after }, NOW);
    await Promise.all(
      [...Array(20).keys()].map((n) => audit.append(scope, entry(`n:${n}`), NOW + n)),
    );
    expect(await audit.verify(scope)).toEqual({ intact: true, entries: 21 });
    const newest = await audit.list(scope, { limit: 5 });
    expect(newest.length).toBe(5);
    const older = await audit.list(scope, { limit: 200, beforeId: newest.at(-1)!.id });
    expect(older.length).toBe(16);
    expect(older.at(-1)).toMatchObject({
      object: "first",
      after,
      prevHash: "0".repeat(64),
      at: NOW,
    });
    const chain = [...newest, ...older];
    for (const [index, item] of chain.slice(0, -1).entries()) {
      expect(item.prevHash).toBe(chain[index + 1]!.hash);
    }
  },
);

databaseTest("the audit log refuses changes and deletions", async ({ sql }) => {
  const audit = createAuditRepository(sql);
  await audit.appendInstance(entry("x"), NOW);
  const attempts = [
    () => sql`update audit_log set actor = 'nobody'`.execute(),
    () => sql`delete from audit_log`.execute(),
    () => sql`truncate audit_log`.execute(),
  ];
  for (const attempt of attempts) await expect(attempt()).rejects.toThrow("append-only");
  expect(await audit.verifyInstance()).toEqual({ intact: true, entries: 1 });
});

databaseTest("a changed and a removed audit entry are found", async ({ sql }) => {
  const audit = createAuditRepository(sql);
  for (const object of ["a", "b", "c"]) await audit.appendInstance(entry(object), NOW);
  const ids = (await audit.listInstance({ limit: 3 })).map((item) => item.id).reverse();
  await sql`alter table audit_log disable trigger user`;
  await sql`update audit_log set after = '2' where object = 'b'`;
  expect(await audit.verifyInstance()).toEqual({ intact: false, entries: 1, brokenAt: ids[1]! });
  await sql`update audit_log set after = '1' where object = 'b'`;
  expect(await audit.verifyInstance()).toEqual({ intact: true, entries: 3 });
  await sql`delete from audit_log where object = 'b'`;
  expect(await audit.verifyInstance()).toEqual({ intact: false, entries: 1, brokenAt: ids[2]! });
});
