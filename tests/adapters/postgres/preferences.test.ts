// Preferences of users: kept per user and workspace, replaced by the last writer, forgotten by null.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createPreferenceRepository } from "../../../src/adapters/postgres/preference-repository.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

test("a preference is kept per user and workspace, and null forgets it", async () => {
  const store = createPreferenceRepository(database.sql);
  const ann = await testScope(database.sql, "ann");
  const ben = await testScope(database.sql, "ben");
  const columns = { shown: ["sharpe", "net_return"], widths: { sharpe: 120 } };
  await store.write(ann, "runs.columns", { shown: [] }, 1);
  await store.write(ann, "runs.columns", columns, 2);
  expect(await store.read(ann, "runs.columns")).toEqual(columns);
  expect(await store.read(ann, "runs.other")).toBeNull();
  expect(await store.read(ben, "runs.columns")).toBeNull();
  expect(await store.read({ ...ben, workspaceId: ann.workspaceId }, "runs.columns")).toBeNull();
  await store.write(ann, "runs.columns", null, 3);
  expect(await store.read(ann, "runs.columns")).toBeNull();
});

test("a preference needs a user, a member of the workspace and a document of sane size", async () => {
  const store = createPreferenceRepository(database.sql);
  const cas = await testScope(database.sql, "cas");
  const dora = await testScope(database.sql, "dora");
  await expect(store.read({ ...cas, userId: null }, "a")).rejects.toThrow("belongs to a user");
  const foreign = { ...cas, workspaceId: dora.workspaceId };
  await expect(store.write(foreign, "a", 1, 1)).rejects.toThrow("membership");
  const huge = Array.from({ length: 20_000 }, (_, i) => `entry ${i} ${Math.sin(i)}`);
  await expect(store.write(cas, "a", huge, 1)).rejects.toThrow("value_small");
});
