// `npm run bench [NAME…]`: runs the benches one after another and prints what must hold, what we aim at
// and what was measured. Exit code 1 when something that must hold does not.
import { type BenchRow, benchTable } from "./bench-row.ts";

type Bench = { readonly name: string; run(): Promise<readonly BenchRow[]> };

const BENCHES: readonly Bench[] = [
  { name: "start", run: async () => (await import("./start.ts")).benchStart() },
  { name: "login", run: async () => (await import("./login.ts")).benchLogin() },
  { name: "candles", run: async () => (await import("./candles.ts")).benchCandles() },
  { name: "venue", run: async () => (await import("./venue.ts")).benchVenue() },
  { name: "dispatch", run: async () => (await import("./dispatch.ts")).benchDispatch() },
  { name: "bots", run: async () => (await import("./bots.ts")).benchBots() },
  { name: "grid", run: async () => (await import("./grid.ts")).benchGrid() },
  { name: "click", run: async () => (await import("./click.ts")).benchClick() },
  { name: "engine", run: async () => (await import("./engine.ts")).benchEngine() },
  { name: "runs", run: async () => (await import("./runs.ts")).benchRuns() },
];

const wanted = process.argv.slice(2).filter((word) => word !== "--quick");
const names = BENCHES.map((bench) => bench.name);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`there is no bench ${unknown.join(", ")}; there are ${names.join(", ")}`);
  process.exit(2);
}
const rows: BenchRow[] = [];
for (const bench of BENCHES) {
  if (wanted.length > 0 && !wanted.includes(bench.name)) continue;
  console.error(`bench ${bench.name} …`);
  for (const row of await bench.run()) rows.push({ ...row, name: `${bench.name}: ${row.name}` });
}
for (const line of benchTable(rows)) console.log(line);
const isMissed = rows.some((row) => row.must !== undefined && row.value > row.must);
process.exit(isMissed ? 1 : 0);
