// Documents cannot drift from the program: commands, topics, variables, tasks.
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { chooseCommand } from "../../src/cli/arguments.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { VARIABLES } from "../../src/config.ts";
import { HELP_TOPICS } from "../../views/help/index.ts";

const root = join(import.meta.dir, "../..");
const readme = await Bun.file(join(root, "README.md")).text();
const documents = [
  { name: "README.md", text: readme },
  ...HELP_TOPICS.map((topic) => ({ name: topic.name, text: topic.markdown })),
];

/** The commands the product will have, in the words of its specification. */
const PRODUCT = [
  ...["serve", "worker", "migrate", "doctor", "backtest", "candles", "sweep", "signal", "venue"],
  ...[
    "torture",
    "backup",
    "restore",
    "preflight",
    "arm",
    "disarm",
    "admin",
    "help",
    "licenses",
    "systemd-unit",
    "compose",
    "version",
  ],
];

/** Command lines written in a document, without the program's name. */
function commandLines(text: string): string[][] {
  const joined = text.replace(/\\\n\s*/g, "");
  return [
    ...joined.matchAll(/(?:npx bun src\/main\.ts|(?<![/:@])\bdragon) (?!npm )([a-z][^\n`.;:,)]*)/g),
  ].map((match) => (match[1] ?? "").trim().split(/\s+/));
}

test("the list holds only commands of the product, each with its own name and summary", async () => {
  const names = COMMANDS.map((command) => command.name);
  expect(names.filter((name) => !PRODUCT.includes(name))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
  for (const entry of COMMANDS) {
    const command = await entry.load();
    expect(command.name).toBe(entry.name);
    expect(entry.summary).toMatch(/^[A-Z].*\.$/);
    for (const option of Object.keys(command.optionHelp ?? {})) {
      expect(Object.keys(command.options ?? {})).toContain(option);
    }
  }
});

for (const { name, text } of documents) {
  test(`every command and option that ${name} writes exists`, async () => {
    for (const [first = "", ...rest] of commandLines(text)) {
      if (first === "help" && rest[0] === "TOPIC") continue;
      const entry = COMMANDS.find((command) => command.name === first);
      if (!entry) throw new Error(`${name} writes "dragon ${first}", which does not exist`);
      const options = rest.filter((word) => /^\[?--[a-z]/.test(word));
      const command = await entry.load();
      const words = rest.filter((word) => /^[a-z-]+$/.test(word));
      const sub = command.subcommands?.find((each) => each.name === words[0]) ?? command;
      const known = [
        "--json",
        "--help",
        ...Object.keys(sub.options ?? {}).map((key) => `--${key}`),
      ];
      for (const option of options) expect(known).toContain(option.replace(/[[\]]/g, ""));
      if (first === "help" && words[0] !== undefined) {
        expect(HELP_TOPICS.map((topic) => topic.name)).toContain(words[0]);
      }
    }
  });
}

test("every Markdown file below views/help is a topic, and every topic has a file", () => {
  const files = readdirSync(join(root, "views/help")).filter((file) => file.endsWith(".md"));
  expect(HELP_TOPICS.map((topic) => `${topic.name}.md`).sort()).toEqual(files.sort());
  for (const topic of HELP_TOPICS) expect(topic.markdown).toMatch(/^# [A-Z]/);
});

test("the configuration page lists exactly the variables that are read, with their defaults", () => {
  const page = HELP_TOPICS.find((topic) => topic.name === "configuration")?.markdown ?? "";
  const rows = [...page.matchAll(/^\|\s*(DRAGON_\w+)\s*\|\s*([^|]+?)\s*\|/gm)];
  const listed = rows.map((row) => ({ name: row[1] ?? "", standard: row[2] ?? "" }));
  expect(listed).toEqual([...VARIABLES]);
});

test("the documents name no variable that does not exist", () => {
  const known = new Set(VARIABLES.flatMap(({ name }) => [name, `${name}_FILE`]));
  for (const { name, text } of documents) {
    for (const match of text.matchAll(/\bDRAGON_[A-Z_]*[A-Z]\b/g)) {
      if (!known.has(match[0])) throw new Error(`${name} names ${match[0]}`);
    }
  }
});

test("every npm task that README.md writes exists", () => {
  const tasks = [...readme.matchAll(/(?:^|`)npm (?:run )?([a-z]+)/gm)].map(
    (match) => match[1] ?? "",
  );
  expect(tasks).toContain("start");
  for (const task of tasks) expect(Object.keys(manifest.scripts)).toContain(task);
});

test("every path that README.md writes exists", () => {
  const paths = [...readme.matchAll(/`((?:src|tests|views|\.ci)\/[\w./-]+)`/g)].map(
    (match) => match[1] ?? "",
  );
  expect(paths.length).toBeGreaterThan(1);
  for (const path of paths) expect(existsSync(join(root, path))).toBe(true);
});

test("the check itself refuses a wrong option", async () => {
  expect(commandLines("run `dragon candles fetch --form x`")).toEqual([
    ["candles", "fetch", "--form", "x"],
  ]);
  const version = await COMMANDS.find((command) => command.name === "version")?.load();
  if (!version) throw new Error("version is missing");
  expect(() => chooseCommand(version, ["--form"])).toThrow("no option");
});
