// The page of a bot that really traded: a worker against the simulated exchange on a fast clock. What the page
// adds up is what the worker counted, and what the exchange settled.
import { expect, test } from "bun:test";
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { composeBotDetail } from "../../../src/bot-detail.ts";
import { add, type Decimal, decimal } from "../../../src/model/decimal.ts";
import { actorOf } from "../../support/research-case.ts";
import { openSession, SYMBOL } from "../../support/live-session.ts";
import { silentLog } from "../../support/silent-log.ts";

const LIMIT_MS = 180_000;
/** By the fast clock. */
const WAIT_MS = 2 * 3_600_000;

test(
  "what the page adds up is what the worker counted, fill by fill",
  async () => {
    const session = await openSession();
    const { scope, clock, database, venue, trading, accountId } = session;
    try {
      const bot = await session.addBot();
      const worker = await session.startWorker();
      const loopbackUrls = { demo: venue.url };
      const market = createMarketData({ clock, log: silentLog, loopbackUrls });
      // Pages wait in real time for candles.
      const calm = { ...clock, sleep: createClock().sleep };
      const detail = composeBotDetail({ sql: database.sql, market, clock: calm, log: silentLog });
      await session.until(
        "a cycle is closed and the next one is shown",
        async () => {
          const cycles = await trading.cycles(scope, accountId, 10);
          if (!cycles.some(({ closedAt }) => closedAt !== null)) return false;
          const { pnl, row } = await detail.standing(scope, bot);
          const shown = row.figures?.position ?? null;
          // Rows may be a fill ahead of what the worker showed last.
          if (shown === null || shown.qty !== pnl.open[0]?.qty) return false;
          expect(pnl.unrealised).toBe(shown.unrealised);
          return true;
        },
        WAIT_MS,
      );
      const typed = { action: "close_part", pct: "50", price: "", mayLoosen: "", order: "" };
      const actor = await actorOf(database.sql, scope);
      await session.until("a part of what it holds is closed by hand", async () => {
        const [last] = (await detail.standing(scope, bot)).commands;
        if (last === undefined || last.isRefused) await detail.ask(actor, bot, typed);
        return last !== undefined && last.doneAt !== null && !last.isRefused;
      });
      await worker.stop();
      const present = (await detail.find(scope, bot.id)) ?? bot;
      const { pnl, row } = await detail.standing(scope, present);
      const rows = await detail.ledger(scope, present, null, null);
      const worths = rows.map(({ settleAmount }) => settleAmount ?? decimal("0"));
      const whole = worths.reduce<Decimal>((sum, worth) => add(sum, worth), decimal("0"));
      expect(rows.length).toBeLessThanOrEqual(100);
      expect(pnl.totals.net).toBe(whole);
      expect(rows[0]?.running).toBe(whole);
      const orders = await detail.orders(scope, present);
      const executed = orders.flatMap(({ fills }) => fills);
      expect(orders.map(({ intent }) => intent.purpose)).toContain("flatten");
      expect(executed).toHaveLength((await trading.fills(scope, accountId, SYMBOL)).length);
      const chart = await detail.chart(scope, present);
      expect(chart.problem).toBeNull();
      expect(chart.at.length).toBeGreaterThan(5);
      expect(chart.fills.length).toBe(executed.length);
      expect(await detail.standing(scope, present)).toMatchObject({ worker: "worker-1" });
      expect(row.figures?.gates.length).toBeGreaterThan(10);
      expect(await detail.diagnostics(scope, present)).toContain("bot_started: Eager runs");
    } finally {
      await session.close();
    }
  },
  LIMIT_MS,
);
