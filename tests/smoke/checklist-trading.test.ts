// The smoke list, 1 to 4: how often the worker looks, what it shows, what the live switch and the kill switch hold
// back. The real program trades two live accounts on the simulated exchange, whose books have the last word.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { BotFigures } from "../../src/model/live-figures.ts";
import { MINUTE_MS } from "../../src/model/time.ts";
import type { Bot } from "../../src/ports/bot-store.ts";
import type { Serving } from "../support/dragon.ts";
import { opening, stops, touches } from "./smoke-exchange.ts";
import { type SmokeAccount, until } from "./smoke-steps.ts";
import { openSmokeWorld, type SmokeWorld } from "./smoke-world.ts";

const TEST_MS = 120_000;
/** Real time in which a kill has reached every worker. */
const OBEYED_MS = 1000;
/** By the exchange's time. */
const LOOK_EVERY_MS = 3000;

let world: SmokeWorld;
let worker: Serving;
/** Armed, with a bot that trades and one that holds. */
let alpha: SmokeAccount;
let busy: Bot;
let holder: Bot;
/** Never armed until its test does. */
let beta: SmokeAccount;
let waiting: Bot;

beforeAll(async () => {
  world = await openSmokeWorld({ seed: 11, markets: 3, accounts: ["Alpha", "Beta"] });
  alpha = await world.addAccount("Alpha");
  beta = await world.addAccount("Beta");
  busy = await world.addBot(alpha, 0);
  holder = await world.addBot(alpha, 1);
  waiting = await world.addBot(beta, 2);
  await world.arm(alpha);
  worker = await world.startWorker();
}, TEST_MS);

afterAll(() => world.close());

/** What a bot showed, one entry for each time it was written, until a condition holds of the newest. */
async function watch(bot: Bot, what: string, isEnough: (seen: readonly BotFigures[]) => boolean) {
  const seen: BotFigures[] = [];
  await until(what, async () => {
    const figures = await world.figures(bot);
    if (figures && figures.lastTickAt !== seen.at(-1)?.lastTickAt) seen.push(figures);
    return isEnough(seen);
  });
  return seen;
}

test(
  "smoke 1: the worker looks every three seconds and takes each closed candle exactly once",
  async () => {
    const closesOf = (all: readonly BotFigures[]) => [
      ...new Set(all.flatMap(({ lastCandleAt }) => lastCandleAt ?? [])),
    ];
    const seen = await watch(holder, "three candles closed", (all) => closesOf(all).length >= 3);
    const closes = closesOf(seen);
    expect(closes).toEqual(closes.map((_, n) => (closes[0] ?? 0) + n * MINUTE_MS));
    const [from, to] = closes.map((at) => seen.find(({ lastCandleAt }) => lastCandleAt === at));
    if (!from || !to) throw new Error("no candle was seen");
    const looks = to.heartbeats.length - from.heartbeats.length;
    const everyMs = (to.lastTickAt - from.lastTickAt) / looks;
    // Hints of the exchange come in between, and a busy machine is late.
    expect(everyMs).toBeGreaterThan(LOOK_EVERY_MS / 3);
    expect(everyMs).toBeLessThan(LOOK_EVERY_MS * 3);
    const entries = await world.database.sql<{ owner: string; decidedAt: number }[]>`
    select owner, decided_at from order_intents where purpose = 'entry'`;
    expect(new Set(entries.map(({ owner, decidedAt }) => `${owner} ${decidedAt}`)).size).toBe(
      entries.length,
    );
    expect(entries.filter(({ decidedAt }) => decidedAt % MINUTE_MS !== 0)).toEqual([]);
    const accepted = opening(await world.exchange.book(alpha)).filter(
      ({ isTrigger }) => !isTrigger,
    );
    expect(accepted.length).toBe(entries.length);
    expect(accepted.length).toBeGreaterThan(1);
  },
  TEST_MS,
);

test(
  "smoke 2: figures that cannot be written stop nothing, and are written again by themselves",
  async () => {
    const { sql } = world.database;
    await sql`
    create function refuse_figures() returns trigger language plpgsql as $$
    begin raise exception 'no figures are taken'; end $$`;
    await sql`
    create trigger refuse_figures before insert or update on snapshots
    for each row execute function refuse_figures()`;
    const before = await world.figures(busy);
    const { length: entered } = opening(await world.exchange.book(alpha));
    await world.takeProfit(alpha, busy);
    await until("it enters again unseen", async () => {
      return opening(await world.exchange.book(alpha)).length > entered;
    });
    expect(await world.person.read(`/bots/${busy.id}`)).toContain(busy.name);
    expect(await world.figures(busy)).toEqual(before);
    for (const { status, lastError } of await world.bots.list(world.scope, alpha.id)) {
      expect([status, lastError]).toEqual(["running", null]);
    }
    expect(await world.events(alpha, "bot_error")).toEqual([]);
    await sql`drop trigger refuse_figures on snapshots`;
    await until("figures are written again", async () => {
      return ((await world.figures(busy))?.lastTickAt ?? 0) > (before?.lastTickAt ?? 0);
    });
  },
  TEST_MS,
);

test(
  "smoke 3: nothing is sent while live trading is off, and trading follows the switch",
  async () => {
    const { person } = world;
    await world.holds(alpha, busy);
    const never = "frozen: the account was never armed";
    await until("the page says why", async () => {
      return (await person.read(`/bots/${waiting.id}`)).includes(never);
    });
    await world.disarm(alpha);
    await Bun.sleep(OBEYED_MS);
    const off = touches(await world.exchange.book(alpha));
    // What rests at the exchange stays there: its take-profit fills, and nobody enters again.
    await world.takeProfit(alpha, busy);
    expect(await world.nextDecision(busy)).toBe("no_new_entries");
    expect(touches(await world.exchange.book(alpha))).toEqual(off);
    expect(await person.read(`/bots/${busy.id}`)).toContain("frozen: Alpha was disarmed");
    expect((await world.exchange.book(beta)).orders).toEqual([]);
    const armedAt = world.exchange.now();
    for (const account of [alpha, beta]) await world.arm(account);
    for (const account of [alpha, beta]) {
      await until(`${account.name} trades`, async () => {
        return opening(await world.exchange.book(account)).some(({ at }) => at > armedAt);
      });
    }
  },
  TEST_MS,
);

test(
  "smoke 3: an event says that the live switch holds a bot back",
  async () => {
    expect(await world.events(beta, "live_trading_disabled_block")).not.toEqual([]);
  },
  TEST_MS,
);

test(
  "smoke 4: a kill reaches the wire, entries leave, what reduces passes, and a release lets go on",
  async () => {
    const { person } = world;
    const scope = `account:${beta.id}`;
    const blockedActions = async () => (await world.figures(waiting))?.blockedActions ?? 0;
    await world.holds(beta, waiting);
    await world.kill(scope, "block");
    await Bun.sleep(OBEYED_MS);
    const blockedAt = world.exchange.now();
    await until("entries that rested are gone", async () => {
      return !opening(await world.exchange.book(beta)).some(({ isWorking }) => isWorking);
    });
    await world.closePart(beta, waiting, "50");
    await world.takeProfit(beta, waiting);
    const counted = await blockedActions();
    await until("an entry was wanted and counted as blocked", async () => {
      return (await blockedActions()) > counted;
    });
    expect(opening(await world.exchange.book(beta)).filter(({ at }) => at > blockedAt)).toEqual([]);
    expect(await person.read(`/bots/${waiting.id}`)).toContain("reducing: the smoke list");
    await world.release(scope);
    await until("it enters again", async () => {
      return opening(await world.exchange.book(beta)).some(({ at }) => at > blockedAt);
    });
  },
  TEST_MS,
);

test(
  "smoke 4: stopped means stops stay and flattening passes, frozen means nothing is touched",
  async () => {
    const { person } = world;
    await world.holds(alpha, holder);
    await world.holds(beta, waiting);
    await world.kill("global", "stop");
    await Bun.sleep(OBEYED_MS);
    const stoppedAt = world.exchange.now();
    const jobs = await person.read("/jobs");
    expect(jobs).toContain("confirmed");
    expect(jobs).not.toContain("not yet");
    for (const account of [alpha, beta]) {
      await until(`entries of ${account.name} are gone`, async () => {
        return !opening(await world.exchange.book(account)).some(({ isWorking }) => isWorking);
      });
    }
    const guarded = stops(await world.exchange.book(alpha)).map(({ symbol }) => symbol);
    expect(guarded).toContain(holder.symbol);
    await world.flatten(holder);
    await until(
      "it is flat",
      async () => !(holder.symbol in (await world.exchange.book(alpha)).held),
    );
    await world.kill(`account:${beta.id}`, "freeze", "FREEZE");
    await Bun.sleep(OBEYED_MS);
    const frozen = touches(await world.exchange.book(beta));
    await world.flatten(waiting);
    await until("flattening was refused", async () => {
      const [refusal] = await world.events(beta, "flatten_incomplete");
      return refusal?.sentence.includes("Nothing was sent: the trading state is frozen") ?? false;
    });
    expect(touches(await world.exchange.book(beta))).toEqual(frozen);
    for (const account of [alpha, beta]) {
      const late = opening(await world.exchange.book(account)).filter(({ at }) => at > stoppedAt);
      expect(late).toEqual([]);
    }
  },
  TEST_MS,
);

test(
  "smoke 4: a worker that does not answer is missing among those that confirmed",
  async () => {
    process.kill(worker.pid, "SIGSTOP");
    try {
      await world.kill(`bot:${busy.id}`, "block");
      await Bun.sleep(OBEYED_MS);
      expect(await world.person.read("/trading")).not.toContain("1 of 1 worker confirmed");
    } finally {
      process.kill(worker.pid, "SIGCONT");
    }
  },
  TEST_MS,
);
