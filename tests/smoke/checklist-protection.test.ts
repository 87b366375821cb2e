// The smoke list, 5, 6, 7 and 9: what the position mode, limits of loss and an exchange that answers badly hold back,
// what passes all the same, and closing everything. One live account each; the exchange's books have the last word.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Bot } from "../../src/ports/bot-store.ts";
import { opening, touches } from "./smoke-exchange.ts";
import { pathOf, type SmokeAccount, until } from "./smoke-steps.ts";
import { openSmokeWorld, type SmokeWorld } from "./smoke-world.ts";

const TEST_MS = 120_000;
/** The fee of the first entry reaches all of them. */
const TINY_LIMITS = { maxDailyLossUsd: "0.01", maxTotalLossUsd: "0.01", maxDrawdownPct: "0.0001" };
const WIDE_LIMITS = { maxDailyLossUsd: "500", maxTotalLossUsd: "500", maxDrawdownPct: "50" };
/** Everything the program reads of an account again and again. */
const READS = [
  ...["trade/orders", "trade/algoOrders", "trade/transactionHistory", "asset/balances"],
  ...["futures/positions", "futures/fundingFee/history"],
];

type Member = SmokeAccount & { readonly bots: readonly Bot[] };

let world: SmokeWorld;
let hedge: Member;
let limited: Member;
let degraded: Member;
let closing: Member;

async function member(
  name: string,
  markets: readonly number[],
  limits?: Record<string, string>,
): Promise<Member> {
  const account = await world.addAccount(name, limits);
  const bots: Bot[] = [];
  for (const market of markets) bots.push(await world.addBot(account, market));
  await world.arm(account);
  return { ...account, bots };
}

beforeAll(async () => {
  const accounts = ["Hedge", "Limited", "Degraded", "Closing"];
  world = await openSmokeWorld({ seed: 12, markets: 7, accounts });
  hedge = await member("Hedge", [0, 1]);
  limited = await member("Limited", [2], TINY_LIMITS);
  degraded = await member("Degraded", [3, 4]);
  closing = await member("Closing", [5, 6]);
  await world.startWorker();
}, TEST_MS);

afterAll(() => world.close());

/** A bot of a member by its place. */
function botOf({ name, bots }: Member, n: number): Bot {
  const bot = bots[n];
  if (!bot) throw new Error(`${name} has no bot ${n}`);
  return bot;
}

/** Orders of a bot that opened something after an instant. */
async function openedSince(account: Member, { symbol }: Bot, since: number) {
  const orders = opening(await world.exchange.book(account));
  return orders.filter((order) => order.symbol === symbol && order.at > since);
}

test(
  "smoke 5: both sides of a symbol need hedge mode, and a mode that was changed blocks entries",
  async () => {
    const [holder, busy] = [botOf(hedge, 0), botOf(hedge, 1)];
    await world.holds(hedge, holder);
    const short = await world.addBot(hedge, 0, "short");
    await until("hedge mode is required of both", async () => {
      const events = await world.events(hedge, "hedge_mode_required");
      return [holder, short].every(({ id }) => events.some(({ botId }) => botId === id));
    });
    await world.holds(hedge, busy);
    await world.nextDecision(busy);
    const sold = opening(await world.exchange.book(hedge)).filter(({ side }) => side === "SELL");
    expect(sold).toEqual([]);
    expect(await world.person.read(`/bots/${short.id}`)).toContain("it must be in hedge mode");
    // Right after a close, so that it is flat and wants to enter at the next one.
    await world.takeProfit(hedge, busy);
    const flippedAt = world.exchange.now();
    await world.exchange.fault("mode_flip", { match: { account: hedge.name } });
    await until("the change is told", async () => {
      return (await world.events(hedge, "position_mode_changed")).length > 0;
    });
    await world.nextDecision(busy);
    expect(await openedSince(hedge, busy, flippedAt)).toEqual([]);
    expect(await world.person.read(`/bots/${busy.id}`)).toContain("in another mode than expected");
    await world.exchange.fault("mode_flip", { match: { account: hedge.name } });
    await until("it enters again", async () => {
      return (await openedSince(hedge, busy, flippedAt)).length > 0;
    });
  },
  TEST_MS,
);

test(
  "smoke 5: an exit that the exchange refuses again and again is told once",
  async () => {
    expect(await world.events(hedge, "order_refused")).toHaveLength(1);
  },
  TEST_MS,
);

test(
  "smoke 6: a reached limit takes entries back and stays reached until a person resets it",
  async () => {
    const bot = botOf(limited, 0);
    await until("all three limits are reached", async () => {
      const events = await world.events(limited, "account_risk_block");
      const kinds = events.map(({ fields }) => (fields as { limit: string }).limit);
      return ["daily_loss", "total_loss", "drawdown"].every((kind) => kinds.includes(kind));
    });
    const reachedAt = world.exchange.now();
    await until("its rung is taken back", async () => {
      return !opening(await world.exchange.book(limited)).some(({ isWorking }) => isWorking);
    });
    await until("its position is shown", async () => {
      return (await world.figures(bot))?.position !== null;
    });
    await world.closePart(limited, bot, "100");
    expect((await world.accountFigures(limited))?.health).toBe("warning");
    const page = await world.person.read(`/accounts/${limited.id}`);
    for (const kind of ["Daily loss", "Total loss", "Drawdown"]) {
      expect(page).toContain(`Limit reached: ${kind}`);
    }
    await world.killWorkers();
    await world.startWorker();
    await world.nextDecision(bot);
    expect(await openedSince(limited, bot, reachedAt)).toEqual([]);
    expect(await world.person.read(`/bots/${bot.id}`)).toContain("Loss today");
    const { person } = world;
    await world.setLimits(limited, WIDE_LIMITS);
    for (const kind of ["daily_loss", "total_loss", "drawdown"]) {
      const path = `/accounts/${limited.id}/reset-limit?limit=account:${kind}`;
      pathOf(await person.send(path, { confirm: "RESET" }));
    }
    await until("it enters again", async () => {
      return (await openedSince(limited, bot, reachedAt)).length > 0;
    });
    const events = await world.events(limited, "account_risk_block");
    expect(events.map(({ fields }) => (fields as { isReached: boolean }).isReached)).toEqual([
      ...[true, true, true],
      ...[false, false, false],
    ]);
  },
  TEST_MS,
);

test(
  "smoke 7: an exchange that answers badly gets no entries, takes exits, and is traded on again",
  async () => {
    const [busy, holder] = [botOf(degraded, 0), botOf(degraded, 1)];
    for (const bot of [busy, holder]) await world.holds(degraded, bot);
    await world.kill(`bot:${busy.id}`, "block");
    await world.takeProfit(degraded, busy);
    await until("it is known to be flat", async () => {
      return (await world.figures(busy))?.position === null;
    });
    const brokenAt = world.exchange.now();
    for (const path of READS) {
      const match = { account: degraded.name, endpoint: `GET ${path}` };
      await world.exchange.fault("html_200", { match });
    }
    await until("the breaker is open", async () => {
      return (await world.accountFigures(degraded))?.exchange === "degraded";
    });
    await world.release(`bot:${busy.id}`);
    await world.nextDecision(busy);
    expect(await openedSince(degraded, busy, brokenAt)).toEqual([]);
    const why = "the exchange does not answer well";
    expect(await world.person.read(`/bots/${busy.id}`)).toContain(why);
    await world.closePart(degraded, holder, "50");
    await world.exchange.clearFaults();
    await until("it enters again", async () => {
      return (await openedSince(degraded, busy, brokenAt)).length > 0;
    });
    await until("the page says that it is well", async () => {
      return (await world.accountFigures(degraded))?.exchange === "ok";
    });
  },
  TEST_MS,
);

test(
  "smoke 7: an event says that the exchange answers badly",
  async () => {
    expect(await world.events(degraded, "exchange_degraded_block")).toHaveLength(1);
  },
  TEST_MS,
);

test(
  "smoke 9: a bot and then its account are closed, verified, and end in a pause",
  async () => {
    const [first, second] = [botOf(closing, 0), botOf(closing, 1)];
    for (const bot of [first, second]) await world.holds(closing, bot);
    const { person } = world;
    await world.flatten(first);
    await until("the first is closed", async () => {
      const events = await world.events(closing, "flatten_completed");
      return events.some(({ botId }) => botId === first.id);
    });
    const { held, orders } = await world.exchange.book(closing);
    expect(Object.keys(held)).toEqual([second.symbol]);
    const resting = orders.filter(({ isWorking }) => isWorking);
    expect(new Set(resting.map(({ symbol }) => symbol))).toEqual(new Set([second.symbol]));
    await world.kill(`account:${closing.id}`, "flatten", "FLATTEN");
    await until("the account is stopped", async () => {
      return (await person.read("/trading")).includes("Everything closed; stopped since");
    });
    const empty = await world.exchange.book(closing);
    expect(empty.held).toEqual({});
    expect(empty.orders.filter(({ isWorking }) => isWorking)).toEqual([]);
    for (const { status } of await world.bots.list(world.scope, closing.id)) {
      expect(status).toBe("paused");
    }
    await world.nextDecision(second);
    expect(touches(await world.exchange.book(closing))).toEqual(touches(empty));
    expect(await world.differences(closing)).toEqual([]);
  },
  TEST_MS,
);
