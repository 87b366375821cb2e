// The whole product in one process for the walk of a bot's life: the real app with a real worker,
// probe and client over loopback, against an exchange whose books the walk may open. Used by
// bot-life.test.ts; nothing is faked, the exchange alone is simulated.
import { createAccountProbe } from "../../src/adapters/ccxt/account-probe.ts";
import { createCcxtBroker } from "../../src/adapters/ccxt/broker.ts";
import { createMarketData } from "../../src/adapters/ccxt/market-data.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { createSecret } from "../../src/adapters/vault/secret.ts";
import { composeBotDetail } from "../../src/bot-detail.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import { composeLive } from "../../src/live.ts";
import { DEMO_EXCHANGE } from "../../src/model/demo-exchange.ts";
import { MINUTE_MS } from "../../src/model/time.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { DemoExchange } from "../../src/ports/demo-venue.ts";
import type { Market, MarketData } from "../../src/ports/market-data.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { DEMO_TIMEFRAME_MIN, demoConfig } from "../../src/strategy/dca-atr/demo-config.ts";
import type { Account } from "../../src/venue/account.ts";
import { addAccount } from "../../src/venue/exchange.ts";
import { startVenue, type Venue } from "../../src/venue/server.ts";
import { DEFAULT_INSTRUMENTS, venueSettings } from "../../src/venue/settings.ts";
import { createApp } from "../../src/web/app.tsx";
import { listen } from "../../src/web/server.ts";
import { TEST_KEY, testAccounts } from "../support/account-probe.ts";
import { SYMBOL } from "../support/live-session.ts";
import { actorOf, storeCandles } from "../support/research-case.ts";
import { silentLog } from "../support/silent-log.ts";
import { booksDiffer } from "../support/venue-books.ts";
import { type WebCase, webCase, workspaceWith } from "../web/web-case.ts";

/** Money the exchange gives the account, as the product gives it to every demo account. */
export const DEPOSIT = "10000";

const LEASE = { ttlMs: 20_000, renewEveryMs: 5000 };
const REQUEST_MS = 10_000;
const RUN_LIMIT_MS = 60_000;
/** Candles of the backtest, and those before it that its indicators begin with. */
const RUN_MINUTES = 400;
const WARM_UP_MINUTES = 120;
/** Small, so that a position lives longer than the walk looks at it. */
const VOLATILITY_PPM = 200;
const MARKET: Market = { exchangeId: DEMO_EXCHANGE, symbol: SYMBOL, kind: "perps" };

/** What `openBotLife` gives. */
export type BotLife = Awaited<ReturnType<typeof openBotLife>>;

/** Opens everything; there is a finished run, and neither an account nor a bot. */
export async function openBotLife() {
  const made = await webCase();
  const { clock, database } = made;
  const { sql, target } = database;
  const { venue, account } = openExchange(clock);
  const loopbackUrls = { [DEMO_EXCHANGE]: venue.url };
  const market = createMarketData({ clock, log: silentLog, loopbackUrls });
  const alpha = await workspaceWith(made, "alpha");
  const runId = await finishedRun(made, alpha, market);
  const live = composeLive({
    ...{ sql, target, clock, log: silentLog, loopbackUrls, lease: LEASE },
    ...{ key: TEST_KEY, instance: 7, name: "worker-1" },
    demo: async () => demoExchange(venue, account),
  });
  const tradingAccounts = await testAccounts(sql, clock, { probe: probeOf(venue, clock) });
  const botDetail = composeBotDetail({ sql, market, clock, log: silentLog });
  const app = createApp({ ...made.deps, tradingAccounts, botDetail });
  const server = listen(app, { host: "127.0.0.1", port: 0 });
  live.start();
  const store = createTradingRepository(sql, nextStatus);
  const { scope } = alpha;
  return {
    ...{ account, runId, url: `http://127.0.0.1:${server.port}`, owner: alpha.owner.email },
    /** Differences between the exchange's books and our rows of the account. */
    differences: (accountId: AccountId) =>
      booksDiffer(venue.exchange, account, { store, scope, accountId }),
    async close() {
      made.deps.streams.closeAll();
      await server.stop(500);
      await live.stop();
      await venue.stop();
      await database.drop();
    },
  };
}

/** The exchange at the present time with one account. */
function openExchange(clock: Clock): { readonly venue: Venue; readonly account: Account } {
  const [instrument] = DEFAULT_INSTRUMENTS;
  if (!instrument) throw new Error("the venue lists nothing");
  const feed = {
    ...{ kind: "generator" as const, startPrice: "60000" },
    ...{ volatilityPpm: VOLATILITY_PPM, minuteQty: "12" },
  };
  const markets = [{ instrument, feed }];
  const settings = venueSettings({ seed: 5, startAt: clock.now(), accounts: [], markets });
  const venue = startVenue({ settings, speed: 1, port: 0 });
  return { venue, account: addAccount(venue.exchange, { name: "walk", deposit: DEPOSIT }) };
}

/** The exchange as demo accounts find it: all of them sign with the keys of the one account. */
function demoExchange(venue: Venue, { apiKey, secret }: Account): DemoExchange {
  const keys = { apiKey: createSecret(apiKey), apiSecret: createSecret(secret) };
  const { url, wsUrl, adminToken } = venue;
  const openAccount = async () => keys;
  return {
    url,
    wsUrl,
    adminToken,
    keys: [keys],
    openAccount,
    isLasting: true,
    stop: () => venue.stop(),
  };
}

/** The probe of the product; what it signs is checked by the exchange. */
function probeOf({ url: loopbackUrl }: Venue, clock: Clock) {
  const client = { clock, log: silentLog, loopbackUrl, timeoutMs: REQUEST_MS };
  return createAccountProbe({
    clock,
    open: ({ exchangeId, mode, credentials }) =>
      createCcxtBroker(client, { exchangeId, kind: "perps", mode, credentials, isTestnet: false }),
  });
}

/** Stores the exchange's own last hours and tests the demo's configuration on them. */
async function finishedRun(
  { deps, database, clock }: WebCase,
  { scope, owner }: Awaited<ReturnType<typeof workspaceWith>>,
  market: MarketData,
): Promise<number> {
  const { sql } = database;
  const to = Math.floor(clock.now() / MINUTE_MS) * MINUTE_MS;
  const from = to - RUN_MINUTES * MINUTE_MS;
  const range = { from: from - WARM_UP_MINUTES * MINUTE_MS, to };
  const timeframeMin = DEMO_TIMEFRAME_MIN;
  const signal = AbortSignal.timeout(RUN_LIMIT_MS);
  for await (const page of market.candles({ market: MARKET, range, timeframeMin, signal })) {
    await storeCandles(sql, scope, page.series, timeframeMin, MARKET);
  }
  const rules = await market.instrument(MARKET, signal);
  const asker = { ...scope, userId: owner.id };
  const asked = await deps.runs.request(await actorOf(sql, asker), {
    ...{ name: "Last hours", market: MARKET, withFunding: false, fetchMissing: false },
    config: demoConfig() as unknown as Json,
    instrument: {
      ...{ symbol: rules.symbol, price_tick: rules.priceTick, qty_step: rules.qtyStep },
      ...{ min_qty: rules.minQty, min_notional: rules.minNotional },
      contract_size: rules.contractSize,
    },
    run: { timeframe_min: timeframeMin, from, to, initial_balance: Number(DEPOSIT), leverage: 5 },
  });
  if (!asked.ok) throw new Error(asked.sentences.join("; "));
  const ended = await deps.runs.settled(asker, asked.id, RUN_LIMIT_MS);
  if (ended?.status !== "finished") throw new Error(ended?.error ?? "the run did not end");
  return asked.id;
}
