// A real worker is killed while it gives a stranger's trades to a bot: everything is written down, nothing of it is
// booked. The next worker books it, the bot goes on with it, and its stop covers everything.
import { expect } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import {
  bookDifferences,
  gateOf,
  holders,
  holding,
  isClear,
  isFound,
  isProtected,
  type LiveSession,
  sessionTest,
  strangerTrades,
  wish,
} from "./findings-session.ts";

/** What belongs to nobody stays so until the work is done. */
async function whileNothingIsBooked({ database }: LiveSession, work: () => Promise<void>) {
  const { sql } = database;
  await sql.begin(async (tx) => {
    await tx`select 1 from fills where intent_id is null for update`;
    await work();
  });
}

const adopted = async ({ trading, scope, accountId }: LiveSession) => {
  const recent = await trading.recentIntents(scope, accountId, { owner: null, limit: 100 });
  return recent.filter(({ reason }) => reason === "ADOPTED");
};

sessionTest("what a killed worker had begun to give to a bot is the bot's, once", async (s) => {
  const { bot, worker } = await holding(s);
  const before = Number((await holders(s))[`bot:${bot.id}`]);
  await strangerTrades(s, "BUY", "0.01");
  await s.until("it is found", isFound(s, /gives it to the bot Eager/));
  let find: Awaited<ReturnType<typeof wish>> | null = null;
  let killed: Promise<void> = Promise.resolve();
  await whileNothingIsBooked(s, async () => {
    find = await wish(s, "adopt", { heir: bot.id });
    await s.until("it is written down", async () => (await adopted(s)).length > 0);
    killed = worker.kill();
    // Its connections are cut at once; what waits for the rows ends with them.
    await Promise.race([killed, s.clock.sleep(20_000)]);
  });
  await killed;
  expect((await adopted(s)).map(({ status }) => status)).toEqual(["sending"]);
  expect((await holders(s))[`bot:${bot.id}`]).toBe(decimal(before));
  const next = await s.startWorker();
  const whole = decimal((before + 0.01).toFixed(6));
  await s.until("the bot has it", async () => (await holders(s))[`bot:${bot.id}`] === whole);
  await s.until("its stop covers everything", isProtected(s, `bot:${bot.id}`, whole));
  await s.until("nothing is found", isClear(s));
  await s.until("entries go on", async () => (await gateOf(s)) === null);
  await s.until("it is told", async () => (await find?.())?.doneAt != null);
  expect((await adopted(s)).map(({ status, owner }) => [status, owner])).toEqual([
    ["filled", `bot:${bot.id}`],
  ]);
  await next.stop();
  expect(await bookDifferences(s)).toEqual([]);
});
