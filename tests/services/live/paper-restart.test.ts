// A paper account that ended between a report and its trade record: the execution is booked when the account is
// taken over, so that the position of the rows is the one that is traded on.
import { expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import { openSession, SYMBOL } from "../../support/live-session.ts";
import { anIntent, idOf } from "../../support/trading.ts";

test("an execution that was reported and never told is booked at the next start", async () => {
  const session = await openSession({ mode: "paper" });
  try {
    const { trading, scope, accountId, clock } = session;
    const taken = await trading.takeLease(scope, accountId, "before", 600_000, false);
    if (!taken.ok) throw new Error(taken.detail);
    const lease = taken.value;
    const bot = await session.addBot();
    const terms = { kind: "limit", price: decimal("60000") } as const;
    const plan = anIntent({
      ...{ symbol: SYMBOL, owner: `bot:${bot.id}`, clientOrderId: idOf(lease, 0, bot.id) },
      ...{ terms, qty: decimal("0.002"), decidedAt: clock.now() },
    });
    const epoch = await trading.epoch(scope);
    const batch = { place: [plan], send: [] };
    const made = await trading.commitIntents(scope, lease, epoch, batch, clock.now());
    const id = made.ok ? made.value[0]?.id : undefined;
    if (id === undefined) throw new Error("the order was not written");
    for (const news of [
      { event: "accepted", exchangeOrderId: "paper-1" },
      { event: "reported_filled", reportedFilledQty: decimal("0.002") },
    ] as const) {
      expect((await trading.recordNews(scope, lease, id, news, clock.now())).ok).toBe(true);
    }
    await trading.releaseLease(scope, lease);
    const worker = await session.startWorker();
    const fills = () => trading.fills(scope, accountId, SYMBOL);
    await session.until("it is booked", async () => (await fills()).length > 0);
    await worker.stop();
    const [fill] = await fills();
    expect(fill).toMatchObject({
      ...{ tradeId: `lost-${id}`, owner: `bot:${bot.id}`, price: "60000", qty: "0.002" },
      fee: { amount: "0.024", isEstimated: true },
    });
  } finally {
    await session.close();
  }
}, 60_000);
