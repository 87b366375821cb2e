// The app with the page of a bot, and a bot that has traded. Used by the tests and the walk of that page.
import { createMarketData } from "../../src/adapters/ccxt/market-data.ts";
import { composeBotDetail } from "../../src/bot-detail.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { Bot } from "../../src/ports/bot-store.ts";
import { createApp } from "../../src/web/app.tsx";
import type { BotSeed } from "../support/bot-desk.ts";
import { tradedBot } from "../support/bot-traded.ts";
import { silentLog } from "../support/test-database.ts";
import { botsCase } from "./bots-case.ts";
import type { WebCase } from "./web-case.ts";

/** Nobody listens there: candles come from the store alone. */
const NOWHERE = { demo: "http://127.0.0.1:9" };

/** The app with the list and the pages of bots. */
export async function botCase(): Promise<WebCase> {
  const made = await botsCase();
  const { clock, database } = made;
  const market = createMarketData({ clock, log: silentLog, loopbackUrls: NOWHERE });
  const botDetail = composeBotDetail({ sql: database.sql, market, clock, log: silentLog });
  const deps = { ...made.deps, botDetail };
  return { ...made, deps, app: createApp(deps) };
}

/** A bot of the workspace that has traded. */
export async function traded(made: WebCase, scope: Scope, change: BotSeed = {}): Promise<Bot> {
  const { bot } = await tradedBot(made.database.sql, scope, () => made.clock.now(), change);
  return bot;
}
