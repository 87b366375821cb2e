// Lists as files, and the columns somebody chose: what is written, neutralised, kept and refused.
import { expect, test } from "bun:test";
import type { GridColumn, GridPage, GridQuery } from "../../../src/ports/grid.ts";
import { gridCsv } from "../../../src/services/grid/grid-csv.ts";
import { layoutOf, readLayout } from "../../../src/services/grid/grid-layout.ts";
import { entryText } from "../../../src/services/grid/grid-words.ts";

const COLUMNS: readonly GridColumn[] = [
  { key: "name", kind: "text" },
  { key: "gain", kind: "number" },
  { key: "at", kind: "date" },
  { key: "marked", kind: "flag" },
];
const SORT = { column: "at", direction: "desc" } as const;
const QUERY = { sort: SORT, filters: [], search: null };

async function fileOf(pages: readonly GridPage[]) {
  const asked: GridQuery[] = [];
  const read = async (query: GridQuery) => {
    asked.push(query);
    return pages[asked.length - 1] as GridPage;
  };
  let text = "";
  for await (const piece of gridCsv(COLUMNS, QUERY, read)) text += piece;
  return { text, asked };
}

test("a file holds every page in order, also those cut short, and asks for nothing twice", async () => {
  const cursor = { part: 0, value: "1", id: 2 };
  const at = Date.UTC(2024, 0, 31, 10, 30);
  const { text, asked } = await fileOf([
    { rows: [{ id: 1, cells: ["a,b", 0.1, at, true] }], next: cursor, lookedAt: null },
    { rows: [], next: { ...cursor, id: 3 }, lookedAt: 6000 },
    { rows: [{ id: 4, cells: [null, 1e-9, at, null] }], next: null, lookedAt: null },
  ]);
  expect(text).toBe(
    "id,name,gain,at,marked\r\n" +
      '1,"a,b",0.1,2024-01-31T10:30:00Z,true\r\n' +
      "4,,0.000000001,2024-01-31T10:30:00Z,false\r\n",
  );
  expect(asked.map(({ after }) => after?.id)).toEqual([undefined, 2, 3]);
  expect(asked[0]?.limit).toBe(1000);
});

const CELLS: [text: string, cell: string][] = [
  ["=1+1", "'=1+1"],
  ["+1", "'+1"],
  ["-1", "'-1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t=1"],
  ["\r=1", `"'\r=1"`],
  ["＝1", "'＝1"],
  ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
  ["plain = text", "plain = text"],
  ['say "hi"', '"say ""hi"""'],
  ["two\nlines", '"two\nlines"'],
];

test("no text of a file is a formula, and quotes are doubled", async () => {
  for (const [text, cell] of CELLS) {
    const row = { id: 1, cells: [text, -1, null, null] };
    const file = await fileOf([{ rows: [row], next: null, lookedAt: null }]);
    expect(file.text).toEndWith(`\r\n1,${cell},-1,,false\r\n`);
  }
});

test("kept columns are read as far as this program knows them", () => {
  const usual = ["name", "at"];
  const plain = usual.map((key) => ({ key, width: null }));
  for (const kept of [null, [], "x", 7, {}, [null], [{ key: "gone" }], [{ width: 9 }]]) {
    expect(readLayout(COLUMNS, usual, kept as never)).toEqual(plain);
  }
  const kept = [
    { key: "gain", width: 12 },
    { key: "gone" },
    { key: "at", width: 9999 },
    { key: "gain" },
  ];
  expect(readLayout(COLUMNS, usual, kept)).toEqual([
    { key: "gain", width: 12 },
    { key: "at", width: null },
  ]);
});

test("chosen columns are refused as a whole when one is unknown, doubled or too wide", () => {
  const ok = layoutOf(COLUMNS, { columns: ["at", "name"], widths: ["at:20", "gain:9"] });
  expect(ok).toEqual([
    { key: "at", width: 20 },
    { key: "name", width: null },
  ]);
  const refused: [columns: string[], widths: string[], says: string][] = [
    [[], [], "choose at least one column"],
    [["at", "at"], [], 'column: "at" is not one of'],
    [["password"], [], 'column: "password" is not one of name, gain, at, marked'],
    [["at"], ["at:6"], "7 to 60 steps"],
    [["at"], ["at:61"], "7 to 60 steps"],
    [["at"], ["at"], "7 to 60 steps"],
  ];
  for (const [columns, widths, says] of refused) {
    expect(() => layoutOf(COLUMNS, { columns, widths })).toThrow(says);
  }
});

test("a filter reads as people say it", () => {
  const gain = { key: "gain", kind: "number", unit: "percent", label: "Gain" } as const;
  const name = { key: "name", kind: "text", label: "Name" } as const;
  const said: [text: string, words: string][] = [
    [entryText(gain, { column: "gain", operator: "gte", text: "20" }), "Gain ≥ 20 %"],
    [entryText(gain, { column: "gain", operator: "inRange", text: "1..2" }), "Gain from 1 to 2 %"],
    [entryText(name, { column: "name", operator: "blank", text: "1" }), "Name has no value"],
    [entryText(name, { column: "name", operator: "in", text: "a|b" }), "Name is a or b"],
    [
      entryText(name, { column: "name", operator: "within", text: "7d" }),
      "Name within the last 7 days",
    ],
  ];
  for (const [text, words] of said) expect(text).toBe(words);
});
