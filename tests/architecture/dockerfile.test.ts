// The image cannot be built where tests run, so what can be checked without is: its sources exist, its
// Bun is the one of the manifest, it runs as an ordinary user.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };

const root = join(import.meta.dir, "../..");
const lines = readFileSync(join(root, "Dockerfile"), "utf8").split("\n");
const ignored = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");

test("every file the image copies is in the repository and not ignored", () => {
  const copies = lines.filter((line) => line.startsWith("COPY ") && !line.includes("--from="));
  const sources = copies.flatMap((line) => line.split(" ").slice(1, -1));
  expect(sources).toContain("src");
  for (const source of sources) {
    expect([source, existsSync(join(root, source))]).toEqual([source, true]);
    expect(ignored).not.toContain(source);
  }
});

test("every folder the executable is made of is copied before it is built", () => {
  const built = lines.findIndex((line) => line.includes("src/build.ts"));
  const copied = lines.slice(0, built).join("\n");
  const needed = ["package.json", "bun.lock", ".patches", "src", "views", "static", "migrations"];
  for (const source of needed) expect(copied).toContain(source);
});

test("the image builds with the Bun of the manifest and runs the one file as an ordinary user", () => {
  const { bun } = manifest.devDependencies;
  expect(lines).toContain(`FROM oven/bun:${bun}-slim AS build`);
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
  expect(last).toContain("USER dragon");
  expect(last).toContain('CMD ["dragon", "serve"]');
  expect(last.join("\n")).not.toContain("node_modules");
});
