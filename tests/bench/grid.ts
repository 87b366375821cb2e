// The list of runs over a million seeded runs, through the app's own routes: any sort, any filters, any
// depth, against the plainest query for a hundred rows. Run by tests/bench/run.ts; about two minutes.
import { connect } from "../../src/adapters/postgres/connect.ts";
import { createRunRepository } from "../../src/adapters/postgres/run-repository.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { GridCursor, GridSort, GridValue } from "../../src/ports/grid.ts";
import { writeCursor } from "../../src/services/grid/grid-cursor.ts";
import { RUN_COLUMNS, type RunColumn } from "../../src/services/research/run-list.ts";
import { createRandom } from "../oracle/prng.ts";
import {
  browserOf,
  type TestBrowser,
  type WebCase,
  webCase,
  workspaceWith,
} from "../web/web-case.ts";
import { type BenchRow, median } from "./bench-row.ts";
import { SEED_SYMBOLS, seedRuns } from "./grid-seed.ts";

const RUNS = 1_000_000;
const PAGES = 1500;
const WARM_PAGES = 150;
const FULL_PAGE = 200;
/** More than a list of RUNS can be looked through in. */
const PIECES_MAX = 400;

const random = createRandom(20_261).unit;
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** Filters from very common to met by no run at all. */
const FILTERS: readonly (() => string)[] = [
  () => `symbol.in=${encodeURIComponent(pick(SEED_SYMBOLS))}`,
  () => `symbol.contains=s${Math.floor(random() * 6)}`,
  () => `timeframeMin.equals=${pick([1, 3, 5, 15, 60, 240, 1440])}`,
  () => `direction.in=${pick(["long", "short", "both"])}`,
  () => `strategyName.in=${pick(["DragonDcaAtr", "MaCrossover", "Rsi", "Bollinger"])}`,
  () => `exchangeId.equals=${pick(["woox", "binance", "bybit", "kucoin"])}`,
  () => `status.in=${pick(["finished", "finished", "failed", "cancelled|queued"])}`,
  () => `netReturn.gte=${Math.floor(random() * 160 - 40)}`,
  () => `maxDrawdown.lt=${Math.floor(random() * 40)}`,
  () => `sharpe.gt=${(random() * 6).toFixed(1)}`,
  () => `winRate.inRange=${Math.floor(random() * 50)}..${50 + Math.floor(random() * 30)}`,
  () => `fills.gt=${Math.floor(random() * 4000)}`,
  () => `span.lte=${Math.floor(random() * 700)}`,
  () => `createdAt.gte=202${4 + Math.floor(random() * 3)}-0${1 + Math.floor(random() * 9)}-01`,
  () => `name.contains=${Math.floor(random() * 1000)}`,
  () => "isShortlisted.is=yes",
  () => "note.contains=eye",
  () => `profitFactor.notBlank=1&cycles.lt=${Math.floor(random() * 300)}`,
];

function someFilters(): string {
  const chance = random();
  const count = chance < 0.3 ? 0 : chance < 0.7 ? 1 : chance < 0.9 ? 2 : 3;
  const made = new Map<string, string>();
  for (let k = 0; k < count; k++) {
    const text = pick(FILTERS)();
    made.set(text.split(".")[0] ?? "", text);
  }
  return [...made.values()].map((text) => `&${text}`).join("");
}

type World = {
  readonly made: WebCase;
  readonly scope: Scope;
  readonly browser: TestBrowser;
  readonly store: ReturnType<typeof createRunRepository>;
};

/** Text of a sort value as the store would write it. */
function cursorText({ kind }: RunColumn, value: GridValue): string {
  if (kind !== "date") return String(value);
  return `${new Date(Number(value)).toISOString().replace("T", " ").replace("Z", "")}+00`;
}

/** The stretch of the sort that a row lies in: with a value, without one, not finished. */
function partOf(column: RunColumn, sort: GridSort, value: GridValue, status: GridValue): number {
  if (column.kind === "flag") return (value === true) === (sort.direction === "desc") ? 0 : 1;
  if (value !== null) return 0;
  return status === "finished" || column.kind === "text" ? 1 : 2;
}

/** A place in the middle of a sort: the place of some run. */
async function somewhere({ store, scope }: World, sort: GridSort): Promise<GridCursor | null> {
  const column = RUN_COLUMNS.find(({ key }) => key === sort.column);
  const begin = Date.UTC(2024, 0, 1) + Math.floor(random() * RUNS) * 70_000;
  const after = { part: 0, value: cursorText({ key: "", label: "", kind: "date" }, begin), id: 1 };
  const page = await store.list(scope, {
    columns: [sort.column, "status"],
    sort: { column: "createdAt", direction: "desc" },
    filters: [],
    search: null,
    limit: 1,
    after,
  });
  const [row] = page.rows;
  if (!row || !column) return null;
  const [value = null, status = null] = row.cells;
  const part = partOf(column, sort, value, status);
  const hasText = value !== null && column.kind !== "flag";
  return { part, value: hasText ? cursorText(column, value) : null, id: row.id };
}

async function timed({ browser }: World, path: string) {
  const begin = performance.now();
  const answer = await browser.get(path);
  const text = await answer.text();
  const ms = performance.now() - begin;
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text.slice(0, 300)}`);
  const rest = /hx-get="([^"]+&amp;have=\d+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&");
  return { ms, bytes: text.length, path, rest };
}

/** A page that is brought in pieces, until it is full or the list ends. */
async function fullPageMs(world: World, { ms, rest }: Awaited<ReturnType<typeof timed>>) {
  let [wholeMs, next] = [ms, rest];
  for (let pieces = 1; next && pieces < PIECES_MAX; pieces++) {
    const piece = await timed(world, next);
    wholeMs += piece.ms;
    next = piece.rest;
  }
  return wholeMs;
}

const addressOf = ({ column, direction }: GridSort, rest: string) =>
  `/runs/rows?sort=${direction === "desc" ? "-" : ""}${column}${rest}`;

async function randomPages(world: World, count: number) {
  const pages: Awaited<ReturnType<typeof timed>>[] = [];
  for (let k = 0; k < count; k++) {
    const direction = random() < 0.6 ? "desc" : "asc";
    const sort = { column: pick(RUN_COLUMNS).key, direction } as const;
    const place = random() < 0.5 ? await somewhere(world, sort) : null;
    const after = place ? `&after=${writeCursor(sort, place)}` : "";
    pages.push(await timed(world, addressOf(sort, `${someFilters()}${after}`)));
  }
  return pages;
}

/** Last page against first page, each as the median of several looks, over every sort. */
async function lastToFirst(world: World): Promise<number> {
  const ratios: number[] = [];
  for (const { key } of RUN_COLUMNS) {
    const up = { column: key, direction: "asc" } as const;
    const down = { column: key, direction: "desc" } as const;
    const page = await world.store.list(world.scope, {
      ...{ columns: [], sort: up, filters: [], search: null, limit: 100, after: null },
    });
    if (!page.next) continue;
    const turned = key === "isShortlisted" ? { ...page.next, part: 1 - page.next.part } : page.next;
    const last = addressOf(down, `&after=${writeCursor(down, turned)}`);
    const looks = async (path: string) => {
      const times: number[] = [];
      for (let k = 0; k < 9; k++) times.push((await timed(world, path)).ms);
      return median(times);
    };
    ratios.push((await looks(last)) / (await looks(addressOf(down, ""))));
  }
  return median(ratios);
}

async function plainQueryMs(world: World): Promise<number> {
  const times: number[] = [];
  const { sql } = world.made.database;
  for (let k = 0; k < 200; k++) {
    const begin = performance.now();
    await sql`
      select id, symbol, name, net_return, sharpe from runs
      where workspace_id = ${world.scope.workspaceId}
      order by created_at desc, id desc limit 100`;
    times.push(performance.now() - begin);
  }
  return median(times);
}

async function largestPage(world: World): Promise<number> {
  const columns = RUN_COLUMNS.map(({ key }) => ({ key, width: null }));
  await world.made.deps.runList.keepLayout(world.scope, columns);
  const whole = await timed(world, `/runs?size=${FULL_PAGE}`);
  await world.made.deps.runList.keepLayout(world.scope, null);
  return whole.bytes;
}

async function open(): Promise<World> {
  const made = await webCase();
  const people = await workspaceWith(made, "bench");
  const scope = { ...people.scope, userId: people.trader.id };
  const seeding = connect(made.database.target, { max: 1, statementTimeoutMs: 0 });
  try {
    await seedRuns(seeding, scope, RUNS);
  } finally {
    await seeding.end();
  }
  const browser = browserOf(made);
  await browser.signIn(people.trader.email);
  return { made, scope, browser, store: createRunRepository(made.database.sql) };
}

/** Pages of the list over a million runs. */
export async function benchGrid(): Promise<readonly BenchRow[]> {
  const world = await open();
  try {
    await randomPages(world, WARM_PAGES);
    const pages = (await randomPages(world, PAGES)).sort((a, b) => a.ms - b.ms);
    const at = (share: number) => pages[Math.floor(pages.length * share)]?.ms ?? Number.NaN;
    const short = pages.filter(({ rest }) => rest !== undefined);
    const full: number[] = [];
    for (const page of pages.filter((_, k) => k % 5 === 0)) {
      full.push(await fullPageMs(world, page));
    }
    full.sort((a, b) => a - b);
    const fullAt = (share: number) => full[Math.floor(full.length * share)] ?? Number.NaN;
    const plainMs = await plainQueryMs(world);
    const { sql } = world.made.database;
    const [size] = await sql<{ bytes: number }[]>`
      select pg_total_relation_size('runs') as bytes`;
    const note = `${PAGES} pages, slowest ${pages.at(-1)?.ms.toFixed(1)} ms: ${pages.at(-1)?.path}`;
    const reference = "a plain select … limit 100";
    return [
      {
        ...{ name: "a page, p50", value: at(0.5), unit: "ms", must: 5, aim: 1 },
        ...{ reference, ratio: at(0.5) / plainMs },
      },
      {
        ...{ name: "a page, p99", value: at(0.99), unit: "ms", must: 50, aim: 5 },
        ...{ reference, ratio: at(0.99) / plainMs, note },
      },
      { name: "pages brought in pieces", value: (short.length / PAGES) * 100, unit: "%" },
      { name: "until the page is full, p50", value: fullAt(0.5), unit: "ms" },
      { name: "until the page is full, p95", value: fullAt(0.95), unit: "ms" },
      { name: "until the page is full, p99", value: fullAt(0.99), unit: "ms" },
      { name: "last to first page", value: await lastToFirst(world), unit: "x", must: 1.5 },
      { name: "largest page", value: (await largestPage(world)) / 1000, unit: "kB", must: 300 },
      { name: "a run with its indexes", value: (size?.bytes ?? 0) / RUNS, unit: "B", must: 3000 },
    ];
  } finally {
    await world.made.database.drop();
  }
}
