// The demo exchange in its thread: it listens, takes over what accounts held, says when it died, and a
// broker with stored keys goes on where it was.
import { afterEach, expect, test } from "bun:test";
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { createDemoVenue } from "../../../src/adapters/system/demo-venue.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { Broker, CallOptions, NewOrder } from "../../../src/ports/broker.ts";
import type {
  DemoAccount,
  DemoExchange,
  DemoKeys,
  DemoSettings,
} from "../../../src/ports/demo-venue.ts";
import { silentLog } from "../../support/silent-log.ts";

const SYMBOL = "PERP_BTC_USDT";
const options: CallOptions = { signal: new AbortController().signal };
const running: DemoExchange[] = [];
const deaths: string[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((exchange) => exchange.stop()));
  deaths.length = 0;
});

const venueAt = (program: string) =>
  createDemoVenue({ url: new URL(program, import.meta.url), log: silentLog, createSecret });
const PROGRAM = "../../../src/venue.worker.ts";

const FRESH: DemoAccount = {
  name: "demo 1",
  keys: { apiKey: createSecret("stored-key"), apiSecret: createSecret("stored-secret") },
  mode: "hedge",
  balance: decimal("10000"),
  feesPaid: decimal(0),
  fundingReceived: decimal(0),
  ...{ positions: [], orders: [], triggers: [], leverages: [] },
};

async function start(change: Partial<DemoSettings> = {}): Promise<DemoExchange> {
  const idsAbove = { order: 0, trade: 0, trigger: 0, funding: 0 };
  const settings = { seed: 11, idsAbove, accounts: [FRESH], ...change };
  const exchange = await venueAt(PROGRAM).start(settings, (words) => deaths.push(words));
  running.push(exchange);
  return exchange;
}

function brokerAt(exchange: DemoExchange, keys: DemoKeys): Promise<Broker> {
  return createCcxtBroker(
    { clock: createClock(), log: silentLog, loopbackUrl: exchange.url, timeoutMs: 5000 },
    {
      exchangeId: "woox",
      kind: "perps",
      mode: "demo",
      credentials: { ...keys, passphrase: null, uid: null },
      isTestnet: false,
    },
  );
}

let sequence = 1_974_766_344_355_779_000n;
async function place(broker: Broker, change: Partial<NewOrder>): Promise<NewOrder> {
  const order: NewOrder = {
    clientOrderId: String(sequence++),
    symbol: SYMBOL,
    side: "buy",
    positionSide: "long",
    terms: { kind: "market" },
    qty: decimal("0.002"),
    isReduceOnly: false,
    visibleQty: null,
    leverage: null,
    ...change,
  };
  const answer = await broker.place(order, options);
  if (answer.outcome !== "accepted") throw new Error(answer.sentence);
  return order;
}

/** A closed hour, hours after the anchor of all prices, as published. */
async function oldCandles({ url }: DemoExchange): Promise<unknown> {
  const after = Math.floor(Date.now() / 3_600_000 - 24 * 300) * 3_600_000;
  const query = `symbol=${SYMBOL}&type=1h&after=${after}&limit=5`;
  const reply = await fetch(`${url}/v3/public/klineHistory?${query}`);
  const { data } = (await reply.json()) as { data: { rows: unknown[] } };
  expect(data.rows).toHaveLength(5);
  return data.rows;
}

test("an account goes on after a restart: position, order, stop, balance, ids and keys", async () => {
  const first = await start();
  const keys = FRESH.keys as DemoKeys;
  const before = await brokerAt(first, keys);
  await place(before, {});
  const { bid } = await before.topOfBook(SYMBOL, options);
  const price = decimal(Math.round(Number(bid) * 0.97));
  await place(before, { terms: { kind: "limit", price } });
  const closing = { side: "sell", isReduceOnly: true } as const;
  const triggerPrice = decimal(Math.round(Number(bid) * 0.9));
  const stop = { kind: "trigger", triggerPrice, direction: "falling", price: null } as const;
  await place(before, { ...closing, terms: stop });
  const [held, open, money, trades, candles] = [
    await before.positions(null, options),
    await before.openOrders(null, options),
    await before.balances(options),
    await before.tradesSince({ symbol: SYMBOL, sinceAt: 0 }, options),
    await oldCandles(first),
  ];
  await first.stop();

  const [position] = held;
  const [order, trigger] = [open.find((o) => !o.isTrigger), open.find((o) => o.isTrigger)];
  if (!position?.averagePrice || !order?.qty || !trigger?.qty) throw new Error("nothing is open");
  const common = { isReduceOnly: false, createdAt: 1, filledQty: decimal(0), isPostOnly: false };
  const second = await start({
    idsAbove: {
      order: Number(order.exchangeOrderId),
      trade: Math.max(...trades.map(({ tradeId }) => Number(tradeId))),
      trigger: Number(trigger.exchangeOrderId),
      funding: 0,
    },
    accounts: [
      {
        ...FRESH,
        balance: money[0]?.total ?? decimal(0),
        feesPaid: decimal("0.06"),
        positions: [
          {
            symbol: SYMBOL,
            positionSide: "long",
            qty: position.qty,
            averagePrice: position.averagePrice,
          },
        ],
        orders: [{ ...order, ...common, qty: order.qty, price }],
        triggers: [{ ...trigger, ...common, ...stop, ...closing, qty: trigger.qty, triggerPrice }],
        leverages: [{ symbol: SYMBOL, positionSide: "long", leverage: 7 }],
      },
    ],
  });
  const after = await brokerAt(second, keys);
  const settled = (list: readonly object[]) =>
    list.map((row) => ({ ...row, createdAt: 0, markPrice: null, liquidationPrice: null }));
  const [now] = await after.positions(null, options);
  expect(settled([now ?? {}])).toEqual(settled([{ ...position, leverage: 7 }]));
  expect(settled(await after.openOrders(null, options))).toEqual(settled(open));
  expect((await after.balances(options))[0]?.total).toBe(money[0]?.total ?? decimal(0));
  expect(await oldCandles(second)).toEqual(candles);
  expect(await after.tradesSince({ symbol: SYMBOL, sinceAt: 0 }, options)).toEqual([]);
  await place(after, closing);
  const [trade] = await after.tradesSince({ symbol: SYMBOL, sinceAt: 0 }, options);
  expect(Number(trade?.tradeId)).toBeGreaterThan(Number(trades.at(-1)?.tradeId));
  expect(Number(trade?.exchangeOrderId)).toBeGreaterThan(Number(order.exchangeOrderId));
  expect(deaths).toEqual([]);
}, 20_000);

test("it listens on loopback, on a port of its own, and accounts can be opened while it runs", async () => {
  const [one, two] = [await start(), await start({ accounts: [] })];
  expect(new URL(one.url).hostname).toBe("127.0.0.1");
  expect(one.url).not.toBe(two.url);
  expect(one.wsUrl).toBe(one.url.replace("http", "ws"));
  const [stored] = one.keys;
  expect(stored?.apiKey.reveal()).toBe("stored-key");
  const made = await two.openAccount({ ...FRESH, keys: null });
  const broker = await brokerAt(two, made);
  expect((await broker.balances(options))[0]?.total).toBe(decimal("10000"));
  expect(await broker.positionMode(SYMBOL, options)).toBe("hedge");
  await expect(two.openAccount({ ...FRESH, keys: null })).rejects.toThrow(/"demo 1" is taken/);
  expect(JSON.stringify(made)).not.toContain(made.apiSecret.reveal());
}, 20_000);

test("what does not fit the exchange refuses the start with a sentence, and no thread is left", async () => {
  const position = {
    ...{ symbol: "PERP_DOGE_USDT", positionSide: "long" as const },
    ...{ qty: decimal(1), averagePrice: decimal(1) },
  };
  const refused = start({ accounts: [{ ...FRESH, positions: [position] }] });
  await expect(refused).rejects.toThrow(/"PERP_DOGE_USDT" is no instrument/);
  expect(deaths).toEqual([]);
}, 20_000);

test("an exchange that ended by itself is told once, and one that was stopped is not", async () => {
  const exchange = await start();
  await exchange.stop();
  await exchange.stop();
  await expect(exchange.openAccount(FRESH)).rejects.toThrow(/has ended/);
  expect(deaths).toEqual([]);
  const dying = venueAt("../../support/dying.worker.ts");
  const settings = {
    ...{ seed: 1, accounts: [], idsAbove: { order: 0, trade: 0, trigger: 0, funding: 0 } },
  };
  await expect(dying.start(settings, (words) => deaths.push(words))).rejects.toThrow(/has ended/);
  expect(deaths).toHaveLength(1);
}, 20_000);
