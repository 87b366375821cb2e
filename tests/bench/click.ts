// From the click on "Run backtest" to the result on the screen, in a real browser with the real program: a
// year of minutes, candles already loaded by a run before.
import { sampleCandles } from "../../src/engine/sample-candles.ts";
import { CANDLE_CSV_HEADER } from "../../src/model/candle-csv.ts";
import { DAY_MS } from "../../src/model/time.ts";
import { dataFolder, SERVE, serving } from "../support/dragon.ts";
import { needs } from "../support/needs.ts";
import { becomeOwner, launch, type Walker, walker } from "../support/walker.ts";
import { type BenchRow, benchTable, median } from "./bench-row.ts";

const YEAR_DAYS = 365;
const WARMUP_DAYS = 125;
const ROUNDS = 5;

function yearOfMinutes(): Buffer {
  const to = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const from = to - (YEAR_DAYS + WARMUP_DAYS) * DAY_MS;
  const series = sampleCandles({
    seed: 4,
    timeframeMin: 1,
    from,
    to,
    startPrice: 2000,
    tick: 0.01,
  });
  const { openAt, open, high, low, close } = series;
  const rows: string[] = [CANDLE_CSV_HEADER];
  for (let i = 0; i < series.length; i++) {
    rows.push(`${openAt[i]},${open[i]},${high[i]},${low[i]},${close[i]},1`);
  }
  return Buffer.from(Bun.gzipSync(rows.join("\n"), { level: 1 }));
}

async function importYear({ page }: Walker, url: string): Promise<void> {
  await page.goto(`${url}/candles`);
  if (!(await page.isVisible("#fileSymbol"))) await page.click("#import summary");
  const buffer = yearOfMinutes();
  await page.setInputFiles("#file", { name: "eth.csv.gz", mimeType: "text/csv", buffer });
  await page.fill("#fileSymbol", "ETH/USDT:USDT");
  await page.fill("#fileExchange", "binance");
  await page.click("#import-form button[type=submit]");
  await page.waitForSelector("#activity .job:first-child .pill.green", { timeout: 60_000 });
}

/** One run from the form; ms until the figures, and until the charts are drawn. */
async function clickMs({ page }: Walker, url: string, stop: number) {
  await page.goto(`${url}/backtest`);
  await page.waitForLoadState("load");
  await page.selectOption("[name='range.duration']", { label: "12 months (365 days)" });
  const rules = { price_tick: "0.01", qty_step: "0.001", min_notional: "5" };
  for (const [field, value] of Object.entries(rules)) {
    await page.fill(`[name="instrument.${field}"]`, value);
  }
  // Another stop each time: the indicators are known, the run is not.
  await page.fill('[name="config.exits.sl_pct"]', String(stop));
  await Bun.sleep(600);
  const beganMs = performance.now();
  await page.click("button:has-text('Run backtest')");
  await page.waitForSelector("h1:has-text('Run')");
  await page.waitForSelector("text=Max drawdown");
  const figuresMs = performance.now() - beganMs;
  await page.waitForSelector("canvas");
  return { figuresMs, chartsMs: performance.now() - beganMs };
}

/** Measures clicks; nothing without a browser. */
export async function benchClick(): Promise<BenchRow[]> {
  if (!needs("browser").present) return [];
  const folder = dataFolder();
  const running = await serving(SERVE, { env: { DRAGON_DATA_DIR: folder.path } });
  const browser = await launch();
  try {
    const walk = walker(await browser.newPage({ viewport: { width: 1440, height: 900 } }));
    await becomeOwner(walk, running);
    await importYear(walk, running.url);
    const first = await clickMs(walk, running.url, 5);
    const rounds: { figuresMs: number; chartsMs: number }[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await clickMs(walk, running.url, 6 + i / 10));
    const figures = median(rounds.map(({ figuresMs }) => figuresMs));
    const charts = median(rounds.map(({ chartsMs }) => chartsMs));
    return [
      { name: "click to figures, nothing loaded", unit: "ms", value: first.figuresMs },
      { name: "click to figures, 525,600 loaded", unit: "ms", value: figures, must: 500, aim: 250 },
      { name: "click to drawn charts, 525,600 loaded", unit: "ms", value: charts },
    ];
  } finally {
    await browser.close();
    await running.stop();
    folder.remove();
  }
}

if (import.meta.main) for (const line of benchTable(await benchClick())) console.log(line);
