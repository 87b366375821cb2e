// How many orders the simulated exchange takes per second on one core: through its engine alone, and
// through signed HTTP requests on loopback; and what it costs while nobody trades. Run by tests/bench/run.ts.
import { act, createExchange } from "../../src/venue/exchange.ts";
import { draftOf } from "../../src/venue/order-rules.ts";
import { startVenue } from "../../src/venue/server.ts";
import { venueSettings } from "../../src/venue/settings.ts";
import { cancelOrder, placeOrder } from "../../src/venue/trading.ts";
import { sign } from "../venue/lab.ts";
import { type BenchRow, median, timeMs } from "./bench-row.ts";

const ORDERS = 4000;
const REPEATS = 5;
const HTTP_ORDERS = 1500;
/** Requests under way at once. */
const LANES = 8;
const GOAL_PER_S = 2000;
const HISTORY_MINUTES = 400 * 1440;
const IDLE_MS = 4000;
const IDLE_PCT_MUST = 2;

const settings = () =>
  venueSettings({
    seed: 1,
    startAt: Date.UTC(2026, 0, 5),
    enforcesLimits: false,
    authClock: "wall",
    accounts: [
      { name: "maker", deposit: "100000000" },
      { name: "taker", deposit: "100000000" },
    ],
  });

/** One account rests, the other takes: every second order is matched, every third pair is cancelled. */
function matchOrders(): void {
  const x = createExchange(settings());
  const [maker, taker] = [...x.accounts.values()];
  const [market] = x.markets.values();
  if (!maker || !taker || !market) throw new Error("the venue has no market or accounts");
  const { symbol } = market.instrument;
  const price = String(market.lastTicks / 10);
  for (let i = 0; i < ORDERS / 2; i++) {
    const [first, second] = i % 2 ? ["BUY", "SELL"] : ["SELL", "BUY"];
    const order = { symbol, price, quantity: "0.01", type: "LIMIT" };
    const place = (account: typeof maker, side: string | undefined) =>
      act(x, market, () => placeOrder(x, account, draftOf(x, account, { ...order, side })));
    const resting = place(maker, first);
    if (i % 3 === 0) act(x, market, () => cancelOrder(x, resting));
    const taken = place(taker, second);
    if (i % 3 === 0) act(x, market, () => cancelOrder(x, taken));
  }
}

/** Signed POST and DELETE pairs over loopback; the client shares the core with the venue. */
async function requestsPerSecond(): Promise<number> {
  const venue = startVenue({ settings: settings(), speed: 1, port: 0 });
  const [account] = venue.exchange.accounts.values();
  if (!account) throw new Error("the venue has no account");
  const call = async (method: string, target: string, body: string) => {
    const timestamp = String(Date.now());
    const response = await fetch(`${venue.url}${target}`, {
      method,
      headers: {
        "x-api-key": account.apiKey,
        "x-api-timestamp": timestamp,
        "x-api-signature": sign(account.secret, `${timestamp}${method}${target}${body}`),
      },
      ...(body === "" ? {} : { body }),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return response.json() as Promise<{ data: { orderId: number } }>;
  };
  const order = {
    symbol: "PERP_BTC_USDT",
    type: "LIMIT",
    side: "BUY",
    price: "58000",
    quantity: "0.01",
  };
  const lane = async () => {
    for (let i = 0; i < HTTP_ORDERS / LANES / 2; i++) {
      const { data } = await call("POST", "/v3/trade/order", JSON.stringify(order));
      await call("DELETE", `/v3/trade/order?orderId=${data.orderId}&symbol=${order.symbol}`, "");
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: LANES }, lane));
  const seconds = (performance.now() - began) / 1000;
  await venue.stop();
  return HTTP_ORDERS / seconds;
}

/** Two generated markets with 400 days of history, left alone, then asked for old candles. */
async function idleFigures(): Promise<readonly BenchRow[]> {
  const began = performance.now();
  const quiet = { ...settings(), startAt: Date.now(), historyMinutes: HISTORY_MINUTES };
  const venue = startVenue({ settings: quiet, speed: 1, port: 0 });
  const startMs = performance.now() - began;
  await Bun.sleep(IDLE_MS / 2);
  const before = process.cpuUsage();
  await Bun.sleep(IDLE_MS);
  const { user, system } = process.cpuUsage(before);
  const after = quiet.startAt - 10_000 * 60_000;
  const query = `symbol=PERP_BTC_USDT&type=1m&after=${after}&limit=1000`;
  const asked = performance.now();
  await (await fetch(`${venue.url}/v3/public/klineHistory?${query}`)).text();
  const pageMs = performance.now() - asked;
  await venue.stop();
  const note = `two markets, started in ${Math.round(startMs)} ms`;
  const share = (user + system) / 10 / IDLE_MS;
  return [
    { name: "idle venue, share of a core", value: share, unit: "%", must: IDLE_PCT_MUST, note },
    { name: "1,000 computed minutes in one request", value: pageMs, unit: "ms" },
  ];
}

/** The venue's figures: time per order, so that less is better, with the rate in the note. */
export async function benchVenue(): Promise<readonly BenchRow[]> {
  matchOrders();
  const ms = median(timeMs(REPEATS, matchOrders));
  const rate = (ORDERS / ms) * 1000;
  const httpRate = await requestsPerSecond();
  return [
    {
      name: "one order through the engine",
      value: 1000 / rate,
      unit: "ms",
      must: 1000 / GOAL_PER_S,
      note: `${Math.round(rate).toLocaleString("en-US")} orders/s, matched or cancelled`,
    },
    {
      name: "one signed request over loopback",
      value: 1000 / httpRate,
      unit: "ms",
      note: `${Math.round(httpRate).toLocaleString("en-US")} requests/s with client and venue in one process`,
    },
    ...(await idleFigures()),
  ];
}
