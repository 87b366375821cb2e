// A bot on a paper account: live prices, simulated fills, the same rows and the same code. Its recorded session
// plays again to identical orders, and a restart finds everything in the rows.
import { expect, test } from "bun:test";
import { createLiveBot } from "../../../src/engine/live-bot.ts";
import { replay } from "../../../src/engine/replay.ts";
import type { OrderRules } from "../../../src/model/order-rules.ts";
import type { Decimal } from "../../../src/model/decimal.ts";
import { liveStrategy } from "../../../src/services/live/live-strategy.ts";
import { openSession, SYMBOL } from "../../support/live-session.ts";

const RULES: OrderRules = {
  symbol: SYMBOL,
  priceTick: "0.1" as Decimal,
  priceMin: null,
  priceMax: null,
  qtyStep: "0.0001" as Decimal,
  qtyMin: "0.0001" as Decimal,
  qtyMax: null,
  minNotional: "1" as Decimal,
  contractSize: "1" as Decimal,
  bidCapRatio: null,
  askFloorRatio: null,
  isTrading: true,
};

test("a paper session trades without an order at the exchange and replays to identical orders", async () => {
  const lines: string[] = [];
  const session = await openSession({
    // Public prices are asked for at the pace of the machine: a second of it must not be a minute.
    ...{ mode: "paper", speed: 30, seed: 4, volatilityPpm: 3000 },
    record: () => (line) => void lines.push(line),
  });
  try {
    const { trading, scope, accountId, venue } = session;
    const bot = await session.addBot();
    const first = await session.startWorker();
    const closed = async () => {
      const cycles = await trading.cycles(scope, accountId, 20);
      return cycles.filter(({ closedAt }) => closedAt !== null).length;
    };
    await session.until("a cycle is closed", async () => (await closed()) >= 1, 3 * 3_600_000);
    await first.kill();
    const second = await session.startWorker();
    await session.until("another is closed", async () => (await closed()) >= 2, 3 * 3_600_000);
    await second.stop();
    expect([...venue.exchange.accounts.values()].flatMap(({ trades }) => trades)).toEqual([]);
    const { parts } = liveStrategy(bot, RULES);
    // Every life of the bot begins with its own restoring line.
    const starts = lines.flatMap((line, n) => (line.startsWith('{"restore"') ? [n] : []));
    let intents = 0;
    for (const [n, from] of starts.entries()) {
      const life = lines.slice(from, starts[n + 1]);
      const report = replay(life, createLiveBot(parts));
      expect(report.differences).toEqual([]);
      intents += report.intents;
    }
    expect(intents).toBeGreaterThan(8);
  } finally {
    await session.close();
  }
}, 180_000);
