// The desk of bots on a real database: how they stand, sums to the last digit, wishes and what they refuse, and
// that another workspace does not exist.
import { expect } from "bun:test";
import { createWorkerRepository } from "../../../src/adapters/postgres/worker-repository.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { BotStatus } from "../../../src/model/bot.ts";
import type { BotId } from "../../../src/ports/bot-store.ts";
import type { WorkerBeat } from "../../../src/ports/worker-store.ts";
import type { BotWish } from "../../../src/services/desk/bots.ts";
import { aPosition } from "../../support/bot-desk.ts";
import { aConfig } from "../../support/bots.ts";
import { ETH } from "../../support/trading.ts";
import { type DeskCase, deskTest, START } from "./bot-desk-case.ts";

const RUNNING = { status: "running", desiredStatus: "running" } as const;

async function rowOf({ bots, scope }: DeskCase, id: BotId) {
  const { rows } = await bots.overview(scope);
  const found = rows.find(({ bot }) => bot.id === id);
  if (!found) throw new Error("no such row");
  return found;
}

deskTest(
  "a bot is stale from 15 seconds and 1 ms on, and only while it is to be driven",
  async (desk) => {
    const account = await desk.seeder.account("Paper");
    const { id } = await desk.seeder.bot(account, { ...RUNNING, figures: {} });
    const stopped = await desk.seeder.bot(account, {
      ...{ name: "Stopped", symbol: ETH, status: "stopped", desiredStatus: "stopped" },
      figures: {},
    });
    desk.advance(15_000);
    expect(await rowOf(desk, id)).toMatchObject({ flags: [], health: "ok" });
    desk.advance(1);
    const stale = await rowOf(desk, id);
    expect(stale.flags.map(({ flag }) => flag)).toEqual(["stale"]);
    expect(stale.health).toBe("warning");
    expect(stale.nextAction).toBe("Unknown: its worker has not been heard of");
    expect(await rowOf(desk, stopped.id)).toMatchObject({ flags: [], health: "ok" });
    await desk.seeder.figures(stale.bot, { position: aPosition() }, 15_001);
    await desk.seeder.bots.saveFigures(desk.scope, [], []);
    expect((await rowOf(desk, id)).flags.map(({ flag }) => flag)).toEqual(["stale"]);
  },
);

deskTest("a bot whose worker lives is stale from 330 seconds and 1 ms on", async (desk) => {
  const workers = createWorkerRepository(desk.sql);
  const account = await desk.seeder.account("Paper");
  const { id } = await desk.seeder.bot(account, { ...RUNNING, figures: {} });
  const worker: WorkerBeat = {
    ...{ name: "worker-1", host: "h", pid: 1, version: "1", startedAt: START },
    ...{ role: "worker", epochs: new Map() },
  };
  await workers.beat(worker);
  desk.advance(330_000);
  expect(await rowOf(desk, id)).toMatchObject({ flags: [], health: "ok" });
  desk.advance(1);
  const sentence = "Its worker has shown nothing of it for more than five minutes.";
  expect((await rowOf(desk, id)).flags).toEqual([{ flag: "stale", sentence }]);

  // A worker that was killed beats no more.
  await desk.seeder.figures({ id, accountId: account }, {}, 16_000);
  expect((await rowOf(desk, id)).flags).toEqual([]);
  const silence = (s: number) =>
    desk.sql`update workers set beat_at = clock_timestamp() - ${s} * interval '1 s'`;
  await silence(20);
  expect((await rowOf(desk, id)).flags).toEqual([]);
  await silence(26);
  const unheard = "Its worker has not been heard of for more than 15 seconds.";
  expect((await rowOf(desk, id)).flags).toEqual([{ flag: "stale", sentence: unheard }]);
  // One that ended in good order is gone at once.
  await workers.beat(worker);
  expect((await rowOf(desk, id)).flags).toEqual([]);
  await workers.leave("worker-1");
  expect((await rowOf(desk, id)).flags).toEqual([{ flag: "stale", sentence: unheard }]);
});

deskTest(
  "a stale bot that holds something is an error, a wish of a moment ago is none",
  async (desk) => {
    const account = await desk.seeder.account("Paper");
    const holding = await desk.seeder.bot(account, {
      ...{ ...RUNNING, figures: { position: aPosition() }, ageMs: 20_000 },
    });
    const wished = await desk.seeder.bot(account, {
      ...{ name: "Wished", symbol: ETH, desiredStatus: "running" },
    });
    expect((await rowOf(desk, holding.id)).health).toBe("error");
    expect(await rowOf(desk, wished.id)).toMatchObject({
      flags: [],
      nextAction: "Waits for its worker",
    });
    desk.advance(15_001);
    expect((await rowOf(desk, wished.id)).flags).toEqual([
      { flag: "stale", sentence: "No worker has taken it up." },
    ]);
  },
);

deskTest("flags tell what is wrong around a bot", async (desk) => {
  const account = await desk.seeder.account("Live", "live");
  const since = START;
  const choices = ["adopt"] as const;
  await desk.seeder.show(account, {
    exchange: "open",
    blocks: ["a limit is reached"],
    findings: [
      { key: "k", kind: "position_drift", symbol: ETH, sentence: "Drift.", since, choices },
    ],
  });
  const { id } = await desk.seeder.bot(account, {
    ...RUNNING,
    figures: {
      health: "error",
      position: aPosition({ stopPrice: null }),
      gates: [{ key: "trading_state", isOpen: false, sentence: "halted: by Ann", since }],
    },
  });
  const { flags } = await rowOf(desk, id);
  expect(Object.fromEntries(flags.map(({ flag, sentence }) => [flag, sentence]))).toEqual({
    unprotected: "The position has no protective stop at the exchange.",
    kill: "Trading state: halted: by Ann.",
    blocked: "The account opens nothing new: a limit is reached.",
    exchange: "The exchange does not answer: nothing but closing is tried.",
    finding: "Drift.",
  });
});

deskTest("a document of another format is as good as none", async (desk) => {
  const account = await desk.seeder.account("Paper");
  const { id } = await desk.seeder.bot(account, { ...RUNNING });
  const body = { format: 2, health: "ok", pnl: "?" };
  const at = START;
  const snapshot = { accountId: account, botId: id, worker: "w", at, body };
  await desk.seeder.bots.saveFigures(desk.scope, [snapshot], []);
  expect(await rowOf(desk, id)).toMatchObject({ figures: null, shownAt: null });
});

deskTest(
  "warnings and errors of 24 hours are counted, older and harmless ones are not",
  async (desk) => {
    const account = await desk.seeder.account("Paper");
    const { id } = await desk.seeder.bot(account, {
      ...{ ...RUNNING, figures: {} },
      events: ["bot_error", "order_withheld", "maker_expected", "bot_started", "order_filled"],
    });
    const alerts = { warnings: 2, errors: 1, isMore: false };
    expect((await rowOf(desk, id)).alerts).toEqual(alerts);
    desk.advance(86_400_000);
    expect((await rowOf(desk, id)).alerts).toEqual(alerts);
    desk.advance(1);
    expect((await rowOf(desk, id)).alerts).toEqual({ warnings: 0, errors: 0, isMore: false });
  },
);

deskTest("more events than are read are said to be more", async (desk) => {
  const account = await desk.seeder.account("Paper");
  const many = Array.from({ length: 2001 }, () => "order_withheld" as const);
  const { id } = await desk.seeder.bot(account, { ...RUNNING, events: many });
  expect((await rowOf(desk, id)).alerts).toEqual({ warnings: 2000, errors: 0, isMore: true });
});

deskTest(
  "sums are exact, apart by kind of money, and unknown as soon as a part is",
  async (desk) => {
    const { seeder } = desk;
    const paper = await seeder.account("Paper");
    const live = await seeder.account("Live", "live");
    const figures = { equity: decimal("1000.000000000000000001"), position: aPosition() };
    const one = await seeder.bot(paper, { ...RUNNING, figures });
    const config = aConfig({ allocation: decimal("0.1") });
    await seeder.bot(paper, { name: "New", symbol: ETH, config });
    await seeder.bot(live, {
      ...{ name: "Live", status: "paused", desiredStatus: "paused" },
      figures: { equity: decimal("7") },
    });
    const guard = await seeder.leaseOf(paper);
    const amount = decimal("5");
    const transfer = { ref: "d", amount, asset: "USDT", settleAmount: amount, at: START };
    await seeder.trading.recordTransfer(desk.scope, guard, transfer);
    const funding = { symbol: ETH, asset: "USDT", amount: decimal("-0.3") };
    const dayStart = Date.UTC(2026, 2, 4);
    for (const [paymentId, at] of [
      ["p1", dayStart],
      ["p2", dayStart - 1],
    ] as const) {
      await seeder.trading.recordFunding(desk.scope, guard, { ...funding, paymentId, at });
    }
    const { totals } = await desk.bots.overview(desk.scope);
    const [first, second] = totals;
    expect(totals.length).toBe(2);
    const counts = { asset: "USDT", error: 0 };
    expect(first).toMatchObject({ ...counts, mode: "live", running: 0, paused: 1, bots: 1 });
    expect([first?.equity, first?.exposure, first?.today] as unknown[]).toEqual(["7", "0", "0"]);
    expect(second).toMatchObject({ ...counts, mode: "paper", running: 1, paused: 0, bots: 2 });
    // A deposit and what was paid before midnight are no profit of today.
    const sums = ["1000.100000000000000001", "512.5", "-0.3"];
    expect([second?.equity, second?.exposure, second?.today] as unknown[]).toEqual(sums);
    await seeder.figures(one, { equity: null, position: aPosition({ notional: null }) });
    const [, unknown] = (await desk.bots.overview(desk.scope)).totals;
    expect(unknown).toMatchObject({ equity: null, exposure: null });
    const odd = { ...transfer, ref: "odd", asset: "BTC", settleAmount: null };
    await seeder.trading.recordTransfer(desk.scope, guard, odd);
    const [, incomplete] = (await desk.bots.overview(desk.scope)).totals;
    expect(incomplete?.today).toBeNull();
  },
);

const WISHES: [wish: BotWish, status: BotStatus, isPossible: boolean][] = [
  ["running", "created", true],
  ["running", "paused", true],
  ["running", "stopped", true],
  ["running", "error", false],
  ["paused", "running", true],
  ["paused", "error", true],
  ["stopped", "running", true],
  ["stopped", "error", true],
  ["flatten", "running", true],
  ["flatten", "stopped", true],
  ["flatten", "error", true],
  ["flatten", "created", false],
];

deskTest(
  "every wish is written down or refused with the bot's name, by its status",
  async (desk) => {
    const account = await desk.seeder.account("Paper");
    for (const [n, [wish, status, isPossible]] of WISHES.entries()) {
      const bot = await desk.seeder.bot(account, {
        ...{ name: `Bot ${n}`, symbol: `A${n}/USDT:USDT`, status },
        ...(status === "error" ? { lastError: "it broke" } : {}),
      });
      const typed = { running: "", paused: "", stopped: "STOP", flatten: "FLATTEN" }[wish];
      const outcome = await desk.bots.wish(desk.me, bot.id, wish, typed);
      const found = await desk.seeder.bots.find(desk.scope, bot.id);
      if (isPossible) {
        expect(outcome.ok).toBe(true);
        const wanted = wish === "flatten" ? ["paused", "flatten"] : [wish, null];
        expect([found?.desiredStatus, found?.desiredAction] as unknown[]).toEqual(wanted);
      } else {
        expect(outcome).toMatchObject({ ok: false, reason: "not_possible" });
        if (!outcome.ok) expect(outcome.detail).toStartWith(`Bot ${n} `);
        expect([found?.desiredStatus, found?.desiredAction]).toEqual(["paused", null]);
      }
    }
  },
);

deskTest("stop and flatten need their own word, and a wrong one changes nothing", async (desk) => {
  const account = await desk.seeder.account("Paper");
  const { id } = await desk.seeder.bot(account, RUNNING);
  for (const [wish, typed] of [
    ["stopped", ""],
    ["stopped", "FLATTEN"],
    ["flatten", "STOP"],
    ["flatten", "flatten"],
  ] as const) {
    const outcome = await desk.bots.wish(desk.me, id, wish, typed);
    expect(outcome).toMatchObject({ ok: false, reason: "needs_word" });
  }
  expect((await desk.bots.remove(desk.me, id, "delete")).ok).toBe(false);
  const found = await desk.seeder.bots.find(desk.scope, id);
  expect([found?.desiredStatus, found?.desiredAction]).toEqual(["running", null]);
});

deskTest("a bot that is closing everything is not told to run", async (desk) => {
  const account = await desk.seeder.account("Paper");
  const { id } = await desk.seeder.bot(account, { ...RUNNING, desiredAction: "flatten" });
  expect(await desk.bots.wish(desk.me, id, "running", "")).toMatchObject({
    reason: "not_possible",
  });
  expect((await desk.bots.wish(desk.me, id, "paused", "")).ok).toBe(true);
  expect((await desk.seeder.bots.find(desk.scope, id))?.desiredAction).toBe("flatten");
});

deskTest("several are asked each on its own, and the refusals are named", async (desk) => {
  const account = await desk.seeder.account("Paper");
  const good = await desk.seeder.bot(account, { ...RUNNING, name: "Good" });
  const bad = await desk.seeder.bot(account, {
    ...{ name: "Bad", symbol: ETH, status: "error", lastError: "it broke" },
  });
  const ids = [good.id, bad.id, 9999 as BotId];
  const outcome = await desk.bots.bulk(desk.me, ids, "running", "");
  expect(outcome.done).toBe(1);
  expect(outcome.refused).toEqual([
    "Bad stopped with an error: look at it and clear the error first",
    "there is no such bot",
  ]);
});

deskTest(
  "bots do not exist for another workspace, and every wish is in the audit log",
  async (desk) => {
    const account = await desk.seeder.account("Paper");
    const bot = await desk.seeder.bot(account, { ...RUNNING, figures: {} });
    expect((await desk.bots.overview(desk.stranger)).rows).toEqual([]);
    const unknown = { ok: false, reason: "unknown_bot" };
    expect(await desk.bots.wish(desk.other, bot.id, "paused", "")).toMatchObject(unknown);
    expect(await desk.bots.rename(desk.other, bot.id, "Mine")).toMatchObject(unknown);
    expect(await desk.bots.remove(desk.other, bot.id, "DELETE")).toMatchObject(unknown);
    expect(await desk.seeder.bots.find(desk.scope, bot.id)).toEqual(bot);
    await desk.bots.wish(desk.me, bot.id, "paused", "");
    const noted = await desk.sql<{ action: string; object: string }[]>`
    select action, object from audit_log order by id desc limit 1`;
    expect([...noted]).toEqual([{ action: "bot_wished", object: `bot:${bot.id}` }]);
  },
);

deskTest(
  "everybody who looks shares one reading, and the last one to leave ends it",
  async (desk) => {
    const account = await desk.seeder.account("Paper");
    await desk.seeder.bot(account, { ...RUNNING, figures: {} });
    const seen: number[] = [];
    const look = (who: number) =>
      new Promise<() => void>((resolve) => {
        const leave = desk.bots.watch(desk.scope, ({ rows }) => {
          expect(rows.length).toBe(1);
          seen.push(who);
          if (who === 2) resolve(leave);
        });
        if (who !== 2) resolve(leave);
      });
    const leaveFirst = await look(1);
    const second = look(2);
    expect(desk.asleep.length).toBe(1);
    desk.wake();
    const leaveSecond = await second;
    expect(seen).toEqual([1, 2]);
    leaveFirst();
    leaveSecond();
    leaveSecond();
    await Promise.resolve();
    desk.wake();
    await desk.bots.overview(desk.scope);
    expect(seen).toEqual([1, 2]);
  },
);
