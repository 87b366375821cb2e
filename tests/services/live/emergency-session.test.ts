// A kill on a whole live side: everything is closed while bots trade, the scope ends halted and flat, and nothing is
// opened any more; a release lets them go on.
import { expect, test } from "bun:test";
import { composeEmergency } from "../../../src/emergency.ts";
import { actorIn } from "../../support/emergency-case.ts";
import { openSession, SYMBOL } from "../../support/live-session.ts";
import { silentLog } from "../../support/silent-log.ts";

const HOUR_MS = 3_600_000;

test("flatten then halt: bots end flat, paused and halted, and the books agree", async () => {
  const session = await openSession();
  const { database, clock, scope, trading, accountId, bots } = session;
  const side = composeEmergency({
    ...{ sql: database.sql, clock, log: silentLog, version: "9.9.9" },
    key: new Uint8Array(32).fill(7),
  });
  try {
    const bot = await session.addBot();
    const worker = await session.startWorker();
    side.start();
    const held = async () =>
      (await trading.holdings(scope, accountId)).some(({ holder }) => holder === `bot:${bot.id}`);
    await session.until("it holds something", held, 3 * HOUR_MS);
    const wish = { scope: "global", level: "flatten", reason: "a test", confirm: "FLATTEN" };
    expect(await side.emergency.kill(actorIn(scope, "trader"), wish)).toMatchObject({ ok: true });
    const stateOf = async () =>
      (await side.emergency.view(scope)).states.find(({ key }) => key === "global")?.state;
    await session.until("everything is halted", async () => (await stateOf()) === "halted");
    expect(await held()).toBe(false);
    expect((await bots.find(scope, bot.id))?.status).toBe("paused");
    const [round] = (await side.emergency.view(scope)).rounds;
    expect(round?.rows).toMatchObject([{ outcome: "closed" }]);
    const fills = (await trading.fills(scope, accountId, SYMBOL)).length;
    // A person who wishes it to run does not lift the stop.
    await bots.wish(scope, bot.id, { status: "running" }, clock.now());
    await clock.sleep(20 * 60_000);
    expect((await trading.fills(scope, accountId, SYMBOL)).length).toBe(fills);
    const release = { scope: "global", reason: "", confirm: "RESUME" };
    await side.emergency.resume(actorIn(scope, "owner"), release);
    await session.until("it holds something again", held, 3 * HOUR_MS);
    await worker.stop();
    expect(await session.differences()).toEqual([]);
  } finally {
    await side.stop();
    await session.close();
  }
}, 180_000);
