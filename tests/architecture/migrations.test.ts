// The list of migrations is the folder of migrations: same files, same order, same text, no hole.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Migration, migrations } from "../../migrations/index.ts";

const folder = join(import.meta.dir, "../../migrations");

/** What is wrong with a list, measured against the files by name. */
function problems(list: readonly Migration[], files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  const sorted = [...files.keys()].sort();
  const listed = list.map((migration) => `${migration.name}.sql`);
  if (listed.join() !== sorted.join()) found.push(`listed ${listed}; in the folder ${sorted}`);
  for (const [index, { version, name, sql }] of list.entries()) {
    if (version !== index + 1) found.push(`${name}: version ${version} at place ${index + 1}`);
    if (!/^\d{4}_[a-z]+(_[a-z]+)*$/.test(name)) found.push(`${name}: not NNNN_subject_in_words`);
    if (Number(name.slice(0, 4)) !== version) found.push(`${name}: its number is not ${version}`);
    if (sql !== files.get(`${name}.sql`)) found.push(`${name}: not the text of its file`);
    if (/^\s*(begin|commit|rollback)\s*;/im.test(sql)) found.push(`${name}: ends its transaction`);
    if (/create\s+extension/i.test(sql)) found.push(`${name}: needs an extension`);
  }
  return found;
}

function readFolder(): Map<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

test("every migration of the folder is listed at its place with its text", () => {
  expect(problems(migrations, readFolder())).toEqual([]);
});

test("the check notices a missing file, a wrong number, another text, an own commit", () => {
  const files = new Map([["0001_first.sql", "select 1"]]);
  const good = { version: 1, name: "0001_first", sql: "select 1" };
  expect(problems([good], files)).toEqual([]);
  expect(problems([], files).length).toBe(1);
  expect(problems([{ ...good, version: 2 }], files).length).toBe(2);
  expect(problems([{ ...good, sql: "select 2" }], files).length).toBe(1);
  const own = { ...good, sql: "begin;\nselect 1" };
  expect(problems([own], new Map([["0001_first.sql", own.sql]])).length).toBe(1);
  const extension = { ...good, sql: "create extension citext" };
  expect(problems([extension], new Map([["0001_first.sql", extension.sql]])).length).toBe(1);
});
