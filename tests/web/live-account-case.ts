// An app whose pre-flights ask the simulated exchange over loopback, a workspace with a live account and a bot on it
// that passes every check. Used by the tests of going live and by their walk.
import { createCcxtBroker } from "../../src/adapters/ccxt/broker.ts";
import { createMarketData } from "../../src/adapters/ccxt/market-data.ts";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import { createCandleRepository } from "../../src/adapters/postgres/candle-repository.ts";
import { createControlRepository } from "../../src/adapters/postgres/control-repository.ts";
import { createSettingsRepository } from "../../src/adapters/postgres/settings-repository.ts";
import { createSecret } from "../../src/adapters/vault/secret.ts";
import { decimal } from "../../src/model/decimal.ts";
import type { Role } from "../../src/ports/access-store.ts";
import type { Broker } from "../../src/ports/broker.ts";
import { createCandleFeed } from "../../src/services/live/candle-feed.ts";
import type { OpenedForChecks } from "../../src/services/live/preflight-facts.ts";
import { addAccount } from "../../src/venue/exchange.ts";
import { startVenue } from "../../src/venue/server.ts";
import { DEFAULT_INSTRUMENTS, venueSettings } from "../../src/venue/settings.ts";
import { KEYS } from "../support/account-probe.ts";
import { botConfig, eagerStrategy, SYMBOL } from "../support/live-session.ts";
import { silentLog } from "../support/silent-log.ts";
import { browserOf, webCase, workspaceWith } from "./web-case.ts";

/** The name that has to be typed. */
export const ACCOUNT_NAME = "Main account";

const LIMITS = {
  maxDailyLossUsd: decimal("50"),
  maxTotalLossUsd: decimal("500"),
  maxDrawdownPct: null,
  maxSymbolExposureUsd: null,
  maxGrossExposureUsd: decimal("5000"),
};

/** The exchange, at the present time, with money on one account. */
function exchange() {
  const [instrument] = DEFAULT_INSTRUMENTS;
  if (!instrument) throw new Error("the venue lists nothing");
  const feed = {
    ...{ kind: "generator" as const, startPrice: "60000" },
    ...{ volatilityPpm: 900, minuteQty: "12" },
  };
  const markets = [{ instrument, feed }];
  const wish = { seed: 5, startAt: Date.now(), enforcesLimits: false, accounts: [], markets };
  const venue = startVenue({ settings: venueSettings(wish), speed: 1, port: 0 });
  return { venue, owner: addAccount(venue.exchange, { name: "real", deposit: "10000" }) };
}

/** Opens everything; a test may change what the exchange answers by `broker`, or hold it by `gate`. */
export async function liveAccountCase() {
  const { venue, owner } = exchange();
  const held: { broker: Partial<Broker>; gate: Promise<void> } = {
    broker: {},
    gate: Promise.resolve(),
  };
  let opened: OpenedForChecks | null = null;
  const made = await webCase({
    openForChecks: async () => {
      await held.gate;
      if (opened === null) throw new Error("the exchange is not open yet");
      return { ...opened, broker: { ...opened.broker, ...held.broker } };
    },
  });
  const { database, clock } = made;
  const { sql } = database;
  const client = { clock, log: silentLog, loopbackUrl: venue.url, timeoutMs: 5000 };
  const keys = { apiKey: createSecret(owner.apiKey), apiSecret: createSecret(owner.secret) };
  const broker = await createCcxtBroker(client, {
    ...{ exchangeId: "woox", kind: "perps", mode: "live", isTestnet: false },
    credentials: { ...keys, passphrase: null, uid: createSecret(owner.name) },
  });
  const market = createMarketData({ clock, log: silentLog, loopbackUrls: { demo: venue.url } });
  const store = createCandleRepository(sql);
  const stopped = new AbortController();
  opened = {
    broker,
    candles: createCandleFeed({ store, market, clock, log: silentLog, signal: stopped.signal }),
    marketOf: (symbol) => market.normaliseMarket("demo", symbol, "perps"),
    close: async () => undefined,
  };
  const alpha = await workspaceWith(made, "alpha");
  await workspaceWith(made, "beta");
  const accounts = createAccountRepository(sql);
  const bots = createBotRepository(sql);
  const actor = { user: alpha.owner, scope: { ...alpha.scope, userId: alpha.owner.id } };
  const wish = { name: ACCOUNT_NAME, exchange: "woox", mode: "live", ...KEYS };
  const account = await made.deps.tradingAccounts.create(actor, wish);
  if (!account.ok) throw new Error(account.detail);
  const { id } = account.account;
  await accounts.change(alpha.scope, id, { limits: LIMITS }, clock.now());
  const bot = await bots.create(
    alpha.scope,
    {
      ...{ accountId: id, name: "Eager", symbol: SYMBOL, timeframeMin: 1, runId: null },
      ...{ strategyName: "dca-atr", strategyVersion: "1.0.0", sides: ["long"] },
      config: botConfig(eagerStrategy(), { leverage: 10 }),
    },
    alpha.owner.email,
    clock.now(),
  );
  if (!bot.ok) throw new Error(bot.detail);
  return {
    ...{ made, alpha, actor, id, path: `/accounts/${id}`, held, bots, bot: bot.value },
    control: createControlRepository(sql),
    settings: createSettingsRepository(sql),
    /** A browser of somebody of a workspace. */
    async browser(role: Role, workspace = "alpha") {
      const browser = browserOf(made);
      await browser.signIn(`${role}@${workspace}.example`);
      return browser;
    },
    /** Waits for the run that is under way. */
    ended: () =>
      new Promise<void>((resolve) => {
        made.deps.accountLive.whenEnded(id, resolve);
      }),
    async close() {
      stopped.abort(new Error("the test ends"));
      await made.database.drop();
      await venue.stop();
    },
  };
}

/** What `liveAccountCase` gives. */
export type LiveAccountCase = Awaited<ReturnType<typeof liveAccountCase>>;
