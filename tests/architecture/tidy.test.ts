// Fails on untidy files and on files nobody uses.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { LINES_MAX, unreachable, untidy } from "./tidy.ts";

const root = join(import.meta.dir, "../..");
const read = (path: string) => Bun.file(join(root, path)).text();
const scan = (pattern: string) => [...new Bun.Glob(pattern).scanSync(root)].sort();

test("every source and test file is tidy", async () => {
  const found: string[] = [];
  const files = scan("{src,views,static,migrations,tests}/**/*.{ts,tsx,mjs,css,sql}");
  for (const file of files) {
    // This file holds an example of everything that is banned.
    if (join(root, file) !== import.meta.path) found.push(...untidy(file, await read(file)));
  }
  expect(found).toEqual([]);
  expect(files.length).toBeGreaterThan(60);
});

test("every source file is reachable from an entry", async () => {
  const files = scan("{src,views,static,migrations}/**/*.{ts,tsx,mjs,css,svg,md,sql}").filter(
    (file) => file !== "src/README.md",
  );
  const workers = scan("src/*.worker.ts");
  const scripts = ["src/setup.mjs", "src/build.ts", "src/adapters/ccxt/generate.ts"];
  const entries = ["src/main.ts", ...scripts, ...workers];
  expect(await unreachable(entries, files, read)).toEqual([]);
});

test("index files exist only where they are lists of embedded files", () => {
  const lists = ["migrations/index.ts", "static/index.ts", "views/help/index.ts"];
  const found = scan("{src,views,static,migrations}/**/index.{ts,tsx}");
  expect(found.filter((file) => !lists.includes(file))).toEqual([]);
});

test("file names are kebab-case", () => {
  const named = /^(\d{4}_[a-z0-9_]+|[a-z0-9]+(-[a-z0-9]+)*(\.(test|worker|d|contract))?)\.\w+$/;
  const found = scan("{src,views,static,migrations,tests}/**/*.{ts,tsx,mjs,css,sql,svg}").filter(
    (file) => !named.test(file.split("/").at(-1) ?? ""),
  );
  expect(found).toEqual([]);
});

const BROKEN: [rule: string, path: string, code: string][] = [
  ["a clock in a pure room", "src/risk/x.ts", "const t = Date.now();"],
  ["a date of now in a pure room", "src/engine/x.ts", "const t = new Date();"],
  ["chance in a pure room", "src/engine/x.ts", "const r = Math.random();"],
  ["waiting in a pure room", "src/model/x.ts", "export async function f() {}"],
  ["output in a pure room", "src/analytics/x.ts", "Bun.write(file, text);"],
  ["a Node module in a pure room", "src/model/x.ts", `import { readFileSync } from "node:fs";`],
  ["the environment outside config", "src/web/x.ts", "const e = process.env.A;"],
  ["a query outside the repositories", "src/services/x.ts", "await sql`select 1`;"],
  ["a typed query outside the repositories", "src/main.ts", "await sql<Row[]>`select 1`;"],
  ["raw SQL", "src/adapters/postgres/x.ts", "await sql.unsafe(text);"],
  ["a second door to the exchange", "src/services/live/x.ts", "await broker.place(order);"],
  ["an approval from elsewhere", "src/engine/x.ts", "return intent as ApprovedIntent;"],
  ["an exit from a room", "src/web/x.ts", "process.exit(1);"],
  ["any as a type", "src/web/x.ts", "function f(x: any) { return x; }"],
  ["any in a generic", "src/web/x.ts", "const m = new Map<string, any>();"],
  ["any in a cast", "src/web/x.ts", "const m = x as any;"],
  ["a silenced type error", "src/web/x.ts", "// @ts-expect-error it is fine"],
  ["a default export", "src/web/x.ts", "export default app;"],
  ["an empty catch", "src/web/x.ts", "try { f(); } catch {}"],
  ["a console", "src/web/x.ts", `console.log("x");`],
  ["a lonely test", "tests/web/x.test.ts", `test.only("x", () => {});`],
  ["a silent skip", "tests/web/x.test.ts", `test.skip("x", () => {});`],
  ["a leftover", "src/web/x.ts", `// ${"TO" + "DO"}: later`],
  ["a long line", "src/web/x.ts", `const ${"x".repeat(100)} = 1;`],
];

for (const [rule, path, code] of BROKEN) {
  test(`the check itself sees ${rule}`, () => {
    expect(untidy(path, `// What this file is for.\n${code}\n`)).toHaveLength(1);
  });
}

test("the check itself sees a long file, a missing header and a lonely file", async () => {
  const long = `// x\n${"const a = 1;\n".repeat(LINES_MAX)}`;
  expect(untidy("src/web/x.ts", long)).toHaveLength(1);
  expect(untidy("src/web/x.ts", `import "./y.ts";\n`)).toHaveLength(1);
  const texts: Record<string, string> = { "a.ts": `import "./b.ts";`, "b.ts": "", "c.ts": "" };
  const lonely = await unreachable(["a.ts"], Object.keys(texts), async (path) => texts[path] ?? "");
  expect(lonely).toEqual(["c.ts"]);
});

test("the check itself lets prose and harmless words pass", () => {
  const fine = [
    "// Date.now is not used here; process.env neither, nor any other.",
    "const company = many.anyOf(x);",
    "const count = list.length; // Math.random would be wrong",
    `const text = "is there any";`,
  ].join("\n");
  expect(untidy("src/engine/x.ts", `// x\n${fine}\n`)).toEqual([]);
});
