// `dragon backtest` as a process: the documents in, one document or a table out, and what it refuses.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateCase } from "../oracle/cases.ts";
import { runOracle } from "../oracle/oracle.ts";
import { dragon } from "../support/dragon.ts";

const SEED = 11;
const documents = generateCase(SEED);
let folder = "";
let args: string[] = [];

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dragon-backtest-"));
  const { t, o, h, l, c, v } = documents.candles;
  const rows = t.map((at, i) => [at, o[i], h[i], l[i], c[i], v[i]].join(","));
  const csv = ["timestamp_ms,open,high,low,close,volume", ...rows].join("\n");
  args = ["backtest", "--candles", write("candles.csv", csv)];
  for (const name of ["config", "instrument", "run"] as const) {
    args.push(`--${name}`, write(`${name}.json`, JSON.stringify(documents[name])));
  }
  if (documents.funding) {
    const { t: at, rate } = documents.funding;
    const lines = at.map((stamp, i) => `${stamp},${rate[i]}`);
    const text = ["timestamp_ms,funding_rate", ...lines].join("\n");
    args.push("--funding", write("funding.csv", text));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The arguments with one option pointing elsewhere. */
function withOption(name: string, value: string): string[] {
  const changed = [...args];
  changed[changed.indexOf(`--${name}`) + 1] = value;
  return changed;
}

test("--json prints the result document alone, equal to the independent oracle", async () => {
  const { code, stdout, stderr } = await dragon([...args, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const result = JSON.parse(stdout);
  const expected = runOracle(documents);
  expect(result.fills_sha256).toBe(expected.fills_sha256);
  expect(result.fills).toHaveLength(expected.fills_count);
  expect(Object.keys(result.metrics).sort()).toEqual(Object.keys(expected.metrics).sort());
});

test("without --json it prints both fill models side by side", async () => {
  const { code, stdout } = await dragon(args);
  expect(code).toBe(0);
  expect(stdout).toContain("path");
  expect(stdout).toContain("pessimistic");
  expect(stdout).toContain("End equity");
});

test("a backtest touches neither data folder nor database nor network", async () => {
  const data = join(folder, "untouched");
  const env = { DRAGON_DATA_DIR: data, DRAGON_DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" };
  expect((await dragon([...args, "--json"], { env })).code).toBe(0);
  expect(existsSync(data)).toBe(false);
});

test("--explain prints votes, gates and the decision of one candle", async () => {
  const at = String((documents.run as { from: number }).from);
  const { code, stdout } = await dragon([...args, "--explain", at, "--json"]);
  expect(code).toBe(0);
  const record = JSON.parse(stdout);
  expect(Object.keys(record.long)).toEqual(["bollinger", "macd", "rsi", "trend", "signal", "gate"]);
  expect(record.decision).toBeString();
  const outside = await dragon([...args, "--explain", "1999-01-01"]);
  expect(outside.code).toBe(2);
  expect(outside.stderr).toContain("lies outside the window");
});

test("--defaults prints a configuration that is accepted as it is", async () => {
  const { stdout } = await dragon(["backtest", "--defaults"]);
  const path = write("defaults.json", stdout);
  expect(JSON.parse(stdout).general.max_entries).toBe(5);
  const refused = await dragon(withOption("config", path));
  // A generated timeframe may not fit the default intervals; nothing else may be wrong.
  if (refused.code !== 0) expect(refused.stderr).toContain("whole multiple");
});

test.each([
  [
    "config",
    '{"general":{"max_entries":0}}',
    "general.max_entries is 0; it must be a whole number from 1 to 50",
  ],
  ["config", '{"generl":{}}', "unknown key generl"],
  ["config", '{"exits":{"fixed_sl_pct":3}}', "an old name of exits.sl_pct"],
  ["config", "{", "not JSON"],
  ["instrument", '{"price_tick":0,"qty_step":1}', "price_tick is 0; it must be a number above 0"],
  ["run", '{"timeframe_min":7,"from":0,"to":1}', "timeframe_min is 7; it must divide 1440"],
  ["run", '{"timeframe_min":5,"from":5,"to":5}', "to is 5; it must be after from (5)"],
])("a refused %s is one line on stderr and exit code 2: %s", async (name, text, sentence) => {
  const { code, stdout, stderr } = await dragon(withOption(name, write(`bad-${name}.json`, text)));
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(sentence);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("a candle file with a bad line is refused with line and reason", async () => {
  const header = "timestamp_ms,open,high,low,close,volume";
  const path = write("bad.csv", `${header}\n0,1,1,1,1,1\n60000,2,1,1,1,1\n`);
  const { code, stderr } = await dragon(withOption("candles", path));
  expect(code).toBe(2);
  expect(stderr).toContain("line 3");
});
