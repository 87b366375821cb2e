// Five thousand hostile texts on every column and operator of the list of runs: each is refused with 400
// or compared as the text it is, and none ever becomes part of a statement.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { GRID_OPERATORS } from "../../src/services/grid/grid-entry.ts";
import { RUN_COLUMNS } from "../../src/services/research/run-list.ts";
import { createRandom } from "../oracle/prng.ts";
import { CREATED_AT, peopleOf, shownIds, storeRun } from "./runs-grid-case.ts";
import { type WebCase, webCase } from "./web-case.ts";

const STRINGS_MIN = 5000;

/** Attacks of every kind; MARK stands for a word that must never be seen in a statement. */
const CORPUS: readonly string[] = [
  "' or MARK=MARK--",
  "'; drop table MARK; --",
  '" or "MARK"="MARK',
  "') union select MARK from users --",
  "1; select pg_sleep(9), 'MARK'",
  "$$MARK$$",
  "$MARK$ ; $MARK$",
  "\\'; MARK --",
  "E'\\x27MARK'",
  "U&'\\0027 MARK'",
  "/* MARK */",
  "-- MARK\n",
  "MARK%",
  "%MARK%",
  "_MARK_",
  "\\%MARK\\_",
  "{{MARK}}",
  "$" + "{MARK}",
  "$1 MARK",
  ":MARK",
  "@MARK",
  "MARK\u0000tail",
  "\u2019 or MARK",
  "\uFF07 or MARK",
  "\uD800MARK",
  "(select MARK)",
  "MARK::int",
  "cast('MARK' as int)",
  "1e9999 MARK",
  "NaN MARK",
  "Infinity",
  "-Infinity",
  "NaN",
  "0x7fMARK",
  "1..2..3 MARK",
  "2024-01-01'; MARK",
  "2024-13-45",
  "infinity",
  "yes' MARK",
  "in:MARK",
  "MARK|MARK'|%",
  "|||",
  "<script>MARK</script>",
  "=MARK()",
  "\r\nset-cookie: MARK",
  "../../MARK",
  "null",
  "true",
  "9".repeat(190),
  `MARK${"'".repeat(150)}`,
];

let made: WebCase;
let people: Awaited<ReturnType<typeof peopleOf>>;
let strangerId: number;
/** Runs named after an attack, by number. */
const names = new Map<number, string>();
const statements: { text: string; parameters: readonly unknown[] }[] = [];

const withoutNul = (text: string) => text.replaceAll("\0", "");
const storable = (text: string) => Buffer.from(withoutNul(text)).toString();

beforeAll(async () => {
  made = await webCase();
  people = await peopleOf(made, "alpha");
  const other = await peopleOf(made, "beta");
  const scope = { ...people.scope, userId: people.trader.id };
  for (const [index, attack] of CORPUS.entries()) {
    const name = storable(attack.replaceAll("MARK", "zqx"));
    names.set(await storeRun(made, scope, { name }, {}, CREATED_AT + index), name);
  }
  strangerId = await storeRun(made, { ...other.scope, userId: null }, { name: "zqx" });
  const { options } = made.database.sql as unknown as {
    options: { debug: (id: number, text: string, parameters: readonly unknown[]) => void };
  };
  options.debug = (_id, text, parameters) => void statements.push({ text, parameters });
}, 60_000);
afterAll(() => made.database.drop());

type Attack = {
  readonly path: string;
  readonly mark: string;
  readonly check: (ids: number[]) => void;
};

const nothing = () => undefined;

/** What a text operator finds among the names. */
function matches(operator: string, text: string): number[] | null {
  const wanted = storable(text).toLowerCase();
  const tests: Readonly<Record<string, (name: string) => boolean>> = {
    contains: (name) => name.includes(wanted),
    equals: (name) => name === wanted,
    notEqual: (name) => name !== wanted,
    startsWith: (name) => name.startsWith(wanted),
    endsWith: (name) => name.endsWith(wanted),
  };
  const test = tests[operator];
  if (!test) return null;
  return [...names].filter(([, name]) => test(name.toLowerCase())).map(([id]) => id);
}

function attacks(): Attack[] {
  const random = createRandom(77).unit;
  const made: Attack[] = [];
  const add = (mark: string, name: string, text: string, check: Attack["check"] = nothing) =>
    made.push({
      path: `/runs/rows?${new URLSearchParams([
        [name, text],
        ["size", "200"],
      ])}`,
      mark,
      check,
    });
  while (made.length < STRINGS_MIN) {
    for (const { key, kind } of RUN_COLUMNS) {
      for (const operator of GRID_OPERATORS[kind]) {
        const attack = CORPUS[Math.floor(random() * CORPUS.length)] ?? "";
        const mark = random() < 0.5 ? "zqx" : `zq${made.length.toString(36)}w`;
        const text = attack.replaceAll("MARK", mark);
        const expected = key === "name" ? matches(operator, text.trim() === "" ? "" : text) : null;
        add(mark, `${key}.${operator}`, text, (ids) => {
          if (expected) expect(ids.toSorted((a, b) => a - b)).toEqual(expected);
        });
      }
    }
    for (const attack of CORPUS) {
      const mark = `zq${made.length.toString(36)}w`;
      const text = attack.replaceAll("MARK", mark);
      for (const name of [
        "sort",
        "q",
        "size",
        "after",
        "have",
        `${text}.equals`,
        `sharpe.${text}`,
      ]) {
        add(mark, name, text);
      }
    }
  }
  return made;
}

test("5,000 hostile texts are refused or compared literally, and only ever travel as parameters", async () => {
  const all = attacks();
  expect(all.length).toBeGreaterThanOrEqual(STRINGS_MIN);
  const statuses = new Map<number, number>();
  let bound = 0;
  for (const { path, mark, check } of all) {
    statements.length = 0;
    const answer = await people.asTrader.get(path);
    const body = await answer.text();
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (answer.status !== 200 && answer.status !== 400) throw new Error(`${answer.status} ${path}`);
    const spoken = statements.find(({ text }) => text.toLowerCase().includes(mark));
    if (spoken) throw new Error(`${path} became part of ${spoken.text}`);
    bound += statements.some(({ parameters }) => JSON.stringify(parameters).includes(mark)) ? 1 : 0;
    const ids = shownIds(body);
    expect(ids).not.toContain(strangerId);
    if (answer.status === 200) check(ids);
    expect(body).not.toContain("<script>zq");
  }
  // Both kinds really happened: a test in which everything is refused would prove nothing.
  expect(statuses.get(200)).toBeGreaterThan(500);
  expect(statuses.get(400)).toBeGreaterThan(500);
  expect(bound).toBeGreaterThan(300);
  const left = await people.asTrader.get("/runs?size=200");
  expect(shownIds(await left.text()).length).toBe(CORPUS.length);
}, 240_000);
