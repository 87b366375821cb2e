// Fails on any import that is not in the rooms table of src/README.md.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { importsOf, parseRooms, roomOf, violations } from "./rooms.ts";

const root = join(import.meta.dir, "../..");
const rooms = parseRooms(await Bun.file(join(root, "src/README.md")).text());
const FILES = "{src,views,static,migrations}/**/*.{ts,tsx,mjs}";

test("every import follows the rooms table", async () => {
  const found: string[] = [];
  let files = 0;
  for (const file of new Bun.Glob(FILES).scanSync(root)) {
    // setup.mjs runs before any package is installed and imports Node alone.
    if (file === "src/setup.mjs") continue;
    files++;
    found.push(...violations(rooms, file, await Bun.file(join(root, file)).text()));
  }
  expect(found).toEqual([]);
  expect(files).toBeGreaterThan(40);
});

test("every room of the table that has a folder is read, and pure rooms name no adapter", () => {
  expect([...rooms.keys()]).toContain("engine");
  for (const name of [
    "model",
    "indicators",
    "execution",
    "risk",
    "analytics",
    "strategy",
    "engine",
  ]) {
    const room = rooms.get(name);
    expect(room).toBeDefined();
    expect(room?.rooms.has("adapters")).toBe(false);
    expect(room?.rooms.has("ports")).toBe(false);
  }
});

test("every folder below src is a room of the table", () => {
  const folders = [...new Bun.Glob("src/*/**/*.{ts,tsx}").scanSync(root)].map(
    (file) => file.split("/")[1],
  );
  for (const folder of new Set(folders)) expect(rooms.has(folder ?? "")).toBe(true);
});

test("the source setup.mjs needs nothing but Node", async () => {
  const text = await Bun.file(join(root, "src/setup.mjs")).text();
  for (const { specifier } of importsOf(text)) expect(specifier).toStartWith("node:");
});

const FORBIDDEN: [form: string, code: string][] = [
  ["a value import", `import { x } from "../adapters/a.ts";`],
  ["an import over several lines", `import {\n  x,\n  type Y,\n} from "../adapters/a.ts";`],
  ["a type import", `import type { Y } from "../web/b.ts";`],
  ["an inline type import", `import { type Y } from "../web/b.ts";`],
  ["a default import", `import all from '../adapters/a.ts';`],
  ["a namespace import", `import * as all from "../adapters/a.ts";`],
  ["an import for its effect", `import "../adapters/a.ts";`],
  ["a re-export", `export * from "../services/c.ts";`],
  ["a named re-export", `export { x } from "../services/c.ts";`],
  ["a type re-export", `export type { x } from "../services/c.ts";`],
  ["a lazy import", `const z = await import("../../views/d.tsx");`],
  ["a lazy import in a template", "const z = await import(`../../views/d.tsx`);"],
  ["a type query", `type Z = typeof import("../../views/d.tsx");`],
  ["a require", `const z = require("../adapters/a.ts");`],
  ["a worker address", `new Worker(new URL("../services/w.ts", import.meta.url));`],
  ["a package", `import postgres from "postgres";`],
  ["a package below a scope", `import { x } from "@noble/ciphers/chacha.js";`],
  ["a file of a package by its path", `import x from "../../node_modules/uplot/dist/u.js";`],
  ["a test helper", `import { x } from "../../tests/support/x.ts";`],
];

for (const [form, code] of FORBIDDEN) {
  test(`the check itself catches ${form} in a pure room`, () => {
    expect(violations(rooms, "src/model/bad.ts", `// x\n${code}\n`)).toHaveLength(1);
  });
}

test("the check itself lets comments, built-ins and allowed imports pass", () => {
  const good = [
    `// import { no } from "../web/e.ts";`,
    `/* import { no } from "../web/e.ts"; */`,
    `import Big from "big.js";`,
    `import { x } from "./other.ts";`,
    `import { join } from "node:path";`,
  ].join("\n");
  expect(violations(rooms, "src/model/good.ts", good)).toEqual([]);
  expect(violations(rooms, "src/adapters/log.ts", `import { x } from "@logtape/logtape";`)).toEqual(
    [],
  );
});

test("a types-only grant lets types pass and refuses values", () => {
  const table = parseRooms(
    "| venue | model (types only) | - | the exchange |\n| model | - | - | words |\n",
  );
  const inVenue = (code: string) => violations(table, "src/venue/book.ts", code);
  expect(inVenue(`import type { A } from "../model/a.ts";`)).toEqual([]);
  expect(inVenue(`import { type A, type B } from "../model/a.ts";`)).toEqual([]);
  expect(inVenue(`export type { A } from "../model/a.ts";`)).toEqual([]);
  expect(inVenue(`import { a, type B } from "../model/a.ts";`)).toHaveLength(1);
  expect(inVenue(`await import("../model/a.ts");`)).toHaveLength(1);
  expect(inVenue(`import "../model/a.ts";`)).toHaveLength(1);
});

test("a file in a room that the table does not know is refused", () => {
  expect(violations(rooms, "src/garage/a.ts", "")).toHaveLength(1);
  expect(roomOf("src/config.ts")).toBe("config");
  expect(roomOf("src/shard.worker.ts")).toBe("worker");
  expect(roomOf("src/venue.worker.ts")).toBe("worker");
  expect(roomOf("src/main.ts")).toBe("main");
  expect(existsSync(join(root, "src/config.ts"))).toBe(true);
});

/** Imports of our code outside the venue that bring more than types. */
function borrowed(code: string): string[] {
  const imports =
    code.match(/^(?:import|export)\b[^;]*from "[^"]*\/src\/(?!venue\/)[^"]*";/gm) ?? [];
  return imports.filter((line) => !/^(?:import|export) type\b/.test(line));
}

test("the venue's own tests share nothing with what the venue judges but types", async () => {
  const files = [...new Bun.Glob("tests/venue/*.ts").scanSync(root)];
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    expect([file, borrowed(await Bun.file(join(root, file)).text())]).toEqual([file, []]);
  }
  expect(borrowed(`import { a } from "../../src/model/a.ts";\n`)).toHaveLength(1);
  expect(borrowed(`import type { A } from "../../src/model/a.ts";\n`)).toEqual([]);
  expect(borrowed(`import {\n  a,\n} from "../../src/engine/a.ts";\n`)).toHaveLength(1);
});
