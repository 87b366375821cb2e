// Command lines: choosing a command, checking options, closest names, help texts, progress.
import { expect, test } from "bun:test";
import { chooseCommand } from "../../src/cli/arguments.ts";
import { type Command, commandGroup } from "../../src/cli/command.ts";
import { commandHelp } from "../../src/cli/dispatch.ts";
import { printMarkdown } from "../../src/cli/markdown.ts";
import { editDistance, nearest } from "../../src/cli/nearest.ts";
import { barLine, createProgress } from "../../src/cli/progress.ts";

const importCommand: Command = {
  name: "import",
  summary: "Imports a file.",
  usage: "FILE --exchange ID",
  options: { exchange: { type: "string" }, funding: { type: "boolean" } },
  optionHelp: { exchange: "Where it is from." },
  positionals: { min: 1, max: 1 },
  run: async () => 0,
};
const group = commandGroup("candles", "Candle history.", [importCommand]);

test("a subcommand gets its options and arguments", () => {
  const chosen = chooseCommand(group, ["import", "a.csv", "--exchange=woox", "--json"]);
  expect(chosen.path).toBe("candles import");
  expect(chosen.args).toEqual(["a.csv"]);
  expect(chosen.values).toEqual({ exchange: "woox", json: true });
});

const REFUSED: [argv: string[], says: string][] = [
  [[], "needs one of: import"],
  [["imprt"], "did you mean import?"],
  [["import", "a", "--exchagne", "x"], "did you mean --exchange?"],
  [["import", "a", "--exchange"], "--exchange needs a value"],
  [["import", "a", "--exchange", "--json"], "--exchange needs a value"],
  [["import", "a", "--funding=yes"], "takes no value"],
  [["import", "a", "b"], 'does not take the argument "b"'],
  [["import"], "needs an argument"],
  [["import", "a", "-x"], "has no option -x"],
];

for (const [argv, says] of REFUSED) {
  test(`"candles ${argv.join(" ")}" is refused with: ${says}`, () => {
    expect(() => chooseCommand(group, argv)).toThrow(says);
  });
}

test("negative numbers and what follows -- are values", () => {
  expect(chooseCommand(group, ["import", "a", "--exchange", "-5"]).values.exchange).toBe("-5");
  expect(chooseCommand(group, ["import", "--", "-odd-name.csv"]).args).toEqual(["-odd-name.csv"]);
});

test("--help wins over missing arguments, on groups and commands", () => {
  expect(chooseCommand(group, ["--help"]).values.help).toBe(true);
  expect(chooseCommand(group, ["import", "-h"]).values.help).toBe(true);
});

test("help names usage, options with their meaning, and subcommands", () => {
  const text = commandHelp(importCommand, "candles import");
  expect(text).toContain("usage: dragon candles import FILE --exchange ID");
  expect(text).toMatch(/--exchange VALUE\s+Where it is from\./);
  expect(text).toContain("--json");
  expect(commandHelp(group, "candles")).toContain("Imports a file.");
});

test("the distance counts edits and swaps", () => {
  expect(editDistance("serve", "serve")).toBe(0);
  expect(editDistance("sevre", "serve")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
  expect(nearest("DRAGON_PROT", ["DRAGON_HOST", "DRAGON_PORT"])).toBe("DRAGON_PORT");
  expect(nearest("zzzzz", ["serve", "migrate"])).toBeUndefined();
});

test("Markdown becomes wrapped lines, indented code and readable tables", () => {
  const markdown = [
    "# Title",
    "",
    `${"word ".repeat(30)}\`code\``,
    "",
    "```",
    "npm start",
    "```",
    "",
    "- first item",
    "  goes on",
    "- second",
    "",
    "| variable | default | meaning |",
    "|---|---|---|",
    "| A_NAME | 8400 | what it does |",
  ].join("\n");
  const text = printMarkdown(markdown, { isTerminal: false, columns: 60 });
  const lines = text.split("\n");
  expect(lines[0]).toBe("TITLE");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  expect(lines).toContain("    npm start");
  expect(lines).toContain("- first item goes on");
  expect(lines).toContain("A_NAME");
  expect(lines).toContain("    what it does (default: 8400)");
  expect(text).not.toContain("`");
  expect(text).not.toContain("\x1b");
});

test("the progress bar draws on a terminal only, within its width", () => {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  const quiet = createProgress({ isTTY: false, write }, 10, "x");
  quiet.update(5);
  quiet.done();
  expect(written).toEqual([]);
  const bar = createProgress({ isTTY: true, columns: 60, write }, 10, "candles");
  bar.update(5);
  bar.update(10);
  bar.done();
  expect(written.join("")).toContain(" 50 % candles");
  expect(written.join("")).toContain("100 % candles");
  expect(barLine(99, 10, "x".repeat(200), 40)).toHaveLength(39);
  expect(barLine(0, 0, "x", 80)).toContain("  0 %");
});
