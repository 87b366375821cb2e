// What every trading store must do about leases, write-ahead intents and the life of an order. Run on the
// simulated store and on real PostgreSQL by trading-store.test.ts.
import { expect } from "bun:test";
import { decimal } from "../../src/model/decimal.ts";
import type { IntentId, StoredIntent, TradingStore } from "../../src/ports/trading-store.ts";
import { committed, leased, type StoreTest, TTL_MS } from "../support/store-world.ts";
import { aFill, anIntent, BTC, idOf, START } from "../support/trading.ts";

/** Leases, intents and orders. */
export function tradingOrdersContract(register: StoreTest): void {
  leases(register);
  writeAhead(register);
  withdrawal(register);
  orderLife(register);
  lists(register);
}

function leases(register: StoreTest): void {
  register("an account is traded by one holder at a time, until it lets go", async (world) => {
    const { store, scope } = world;
    const mine = await leased(world);
    const other = () => store.takeLease(scope, mine.accountId, "worker-2", TTL_MS, false);
    expect(await other()).toMatchObject({ ok: false, reason: "held" });
    expect(await store.renewLease(scope, mine, TTL_MS, true)).toBeGreaterThanOrEqual(
      mine.expiresAt,
    );
    expect(await store.releaseLease(scope, mine)).toBe(true);
    expect(await store.releaseLease(scope, mine)).toBe(false);
    expect(await store.renewLease(scope, mine, TTL_MS, true)).toBeNull();
    const theirs = await other();
    if (!theirs.ok) throw new Error(theirs.detail);
    expect(theirs.value.token).toBeGreaterThan(mine.token);
  });

  register("an expired lease may be taken, and its former holder writes nothing", async (world) => {
    const { store, scope } = world;
    const first = await store.takeLease(scope, await world.newAccount(), "worker-1", 0, false);
    if (!first.ok) throw new Error(first.detail);
    const late = first.value;
    const taken = await store.takeLease(scope, late.accountId, "worker-2", TTL_MS, false);
    expect(taken).toMatchObject({ ok: true });
    const lost = { ok: false, reason: "lease_lost" } as const;
    const place = [anIntent({ clientOrderId: idOf(late, 0) })];
    const epoch = await store.epoch(scope);
    expect(await store.commitIntents(scope, late, epoch, { place, send: [] }, START)).toMatchObject(
      lost,
    );
    expect(await store.recordFill(scope, late, aFill())).toMatchObject(lost);
    const funding = { symbol: BTC, paymentId: "f", amount: decimal(1), asset: "USDT", at: START };
    expect(await store.recordFunding(scope, late, funding)).toMatchObject(lost);
    const transfer = { ref: "t", amount: decimal(1), asset: "USDT", settleAmount: null, at: START };
    expect(await store.recordTransfer(scope, late, transfer)).toMatchObject(lost);
    expect(await store.rebuild(scope, late)).toMatchObject(lost);
    expect(await store.freshStamp(scope, late)).toBeNull();
    expect(await store.ledger(scope, late.accountId, 10)).toEqual([]);
    expect(await store.aliveIntents(scope, late.accountId)).toEqual([]);
  });

  for (const [row, ttlMs] of [
    ["running", TTL_MS],
    ["expired", 0],
  ] as const) {
    for (const hadLock of [true, false]) {
      for (const ownsLock of [true, false]) {
        const mayTake = (ownsLock && hadLock) || row === "expired";
        const former = hadLock ? "had the lock" : "never had the lock";
        const lock = ownsLock ? "free" : "held by another";
        const outcome = mayTake ? "taken at once" : "left";
        register(`a ${row} lease whose holder ${former}, now ${lock}, is ${outcome}`, async (w) => {
          const { store, scope } = w;
          const accountId = await w.newAccount();
          const first = await store.takeLease(scope, accountId, "worker-1", ttlMs, hadLock);
          if (!first.ok) throw new Error(first.detail);
          const taken = await store.takeLease(scope, accountId, "worker-2", TTL_MS, ownsLock);
          expect(taken).toMatchObject(mayTake ? { ok: true } : { ok: false, reason: "held" });
          const renewed = await store.renewLease(scope, first.value, TTL_MS, hadLock);
          expect(renewed === null).toBe(mayTake);
        });
      }
    }
  }

  register("a renewal with the lock makes the lease one that a free lock ends", async (world) => {
    const { store, scope } = world;
    const accountId = await world.newAccount();
    const first = await store.takeLease(scope, accountId, "worker-1", TTL_MS, false);
    if (!first.ok) throw new Error(first.detail);
    await store.renewLease(scope, first.value, TTL_MS, true);
    const taken = await store.takeLease(scope, accountId, "worker-2", TTL_MS, true);
    expect(taken.ok).toBe(true);
  });

  register("stamps rise with every lease and every fresh one", async (world) => {
    const { store, scope } = world;
    const first = await leased(world);
    const fresh = await store.freshStamp(scope, first);
    expect(fresh).toBeGreaterThan(first.stampS);
    const again = await store.takeLease(scope, first.accountId, "worker-1", TTL_MS, false);
    if (!again.ok) throw new Error(again.detail);
    expect(again.value.stampS).toBeGreaterThan(fresh ?? 0);
    expect(await store.renewLease(scope, first, TTL_MS, true)).toBeNull();
  });

  register("trading rows are out of reach from another workspace", async (world) => {
    const { store, scope, stranger } = world;
    const lease = await leased(world);
    const { accountId } = lease;
    const [intent] = await committed(world, lease, anIntent({ clientOrderId: idOf(lease, 0) }));
    await store.recordFill(scope, lease, aFill());
    expect(await store.takeLease(stranger, accountId, "x", TTL_MS, false)).toMatchObject({
      ok: false,
    });
    expect(await store.renewLease(stranger, lease, TTL_MS, true)).toBeNull();
    expect(await store.releaseLease(stranger, lease)).toBe(false);
    expect(await store.freshStamp(stranger, lease)).toBeNull();
    const place = [anIntent({ clientOrderId: idOf(lease, 1) })];
    const batch = { place, send: [] };
    const epoch = await store.epoch(stranger);
    const lost = { reason: "lease_lost" };
    expect(await store.commitIntents(stranger, lease, epoch, batch, START)).toMatchObject(lost);
    const news = { event: "accepted" } as const;
    expect(await store.recordNews(stranger, lease, intent!.id, news, START)).toMatchObject(lost);
    const second = aFill({ tradeId: "2" });
    expect(await store.recordFill(stranger, lease, second)).toMatchObject(lost);
    expect(await store.rebuild(stranger, lease)).toMatchObject(lost);
    expect(await store.findIntent(stranger, accountId, idOf(lease, 0))).toBeNull();
    expect(await store.aliveIntents(stranger, accountId)).toEqual([]);
    expect(await store.holdings(stranger, accountId)).toEqual([]);
    expect(await store.fills(stranger, accountId, BTC)).toEqual([]);
    expect(await store.cycles(stranger, accountId, 10)).toEqual([]);
    expect(await store.ledger(stranger, accountId, 10)).toEqual([]);
    const all = { sinceAt: 0, owner: null };
    expect((await store.totals(stranger, accountId, all)).fees).toBe(decimal(0));
    expect(await store.findIntent(scope, accountId, idOf(lease, 0))).toEqual(intent!);
  });
}

function writeAhead(register: StoreTest): void {
  register("an intent comes back as it was committed", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const wanted = anIntent({
      clientOrderId: idOf(lease, 0),
      qty: decimal("0.000000000000000001"),
    });
    const parked = anIntent({ status: "parked", targetKey: "dca:1", purpose: "rung" });
    const [sending, waiting] = await committed(world, lease, wanted, parked);
    expect(sending).toMatchObject({ ...wanted, filledQty: "0", sentAt: START, updatedAt: START });
    expect(waiting).toMatchObject({ ...parked, clientOrderId: null, sentAt: null });
    expect(await store.findIntent(scope, lease.accountId, idOf(lease, 0))).toEqual(sending!);
    expect(await store.aliveIntents(scope, lease.accountId)).toEqual([sending!, waiting!]);
  });

  register("a client order id is used once, and a refused batch leaves nothing", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    await committed(world, lease, anIntent({ clientOrderId: idOf(lease, 0) }));
    const place = [
      anIntent({ clientOrderId: idOf(lease, 1) }),
      anIntent({ clientOrderId: idOf(lease, 0) }),
    ];
    const epoch = await store.epoch(scope);
    const again = await store.commitIntents(scope, lease, epoch, { place, send: [] }, START);
    expect(again).toMatchObject({ ok: false, reason: "duplicate_id" });
    expect(await store.findIntent(scope, lease.accountId, idOf(lease, 1))).toBeNull();
  });

  register("a parked intent is sent once", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const [parked] = await committed(world, lease, anIntent({ status: "parked" }));
    const epoch = await store.epoch(scope);
    const send = [{ id: parked!.id, clientOrderId: idOf(lease, 0) }];
    const batch = { place: [], send };
    const sent = await store.commitIntents(scope, lease, epoch, batch, START + 5);
    expect(sent).toMatchObject({
      ok: true,
      value: [{ status: "sending", clientOrderId: idOf(lease, 0), sentAt: START + 5 }],
    });
    const twice = { place: [], send: [{ id: parked!.id, clientOrderId: idOf(lease, 1) }] };
    expect(await store.commitIntents(scope, lease, epoch, twice, START)).toMatchObject({
      reason: "not_waiting",
    });
    expect(await store.findIntent(scope, lease.accountId, idOf(lease, 1))).toBeNull();
  });
}

function withdrawal(register: StoreTest): void {
  register("what waits is withdrawn in the commit that replaces it", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const [parked, planned] = await committed(
      world,
      lease,
      anIntent({ status: "parked", targetKey: "dca:1" }),
      anIntent({ status: "planned", targetKey: "dca:2" }),
    );
    const epoch = await store.epoch(scope);
    const place = [anIntent({ clientOrderId: idOf(lease, 0) })];
    const batch = { place, send: [], withdraw: [parked!.id, planned!.id] };
    const made = await store.commitIntents(scope, lease, epoch, batch, START + 5);
    expect(made).toMatchObject({ ok: true, value: [{ clientOrderId: idOf(lease, 0) }] });
    const alive = await store.aliveIntents(scope, lease.accountId);
    expect(alive.map(({ targetKey }) => targetKey)).toEqual(["entry"]);
    const gone = await store.orders(scope, lease.accountId, [parked!.id, planned!.id]);
    const change = { status: "cancelled", updatedAt: START + 5 } as const;
    expect(gone.map(({ intent }) => intent)).toEqual([
      { ...parked!, ...change },
      { ...planned!, ...change },
    ]);
  });

  register(
    "what was sent or is gone cannot be withdrawn, and nothing is written",
    async (world) => {
      const { store, scope } = world;
      const lease = await leased(world);
      const [sending, parked] = await committed(
        world,
        lease,
        anIntent({ clientOrderId: idOf(lease, 0) }),
        anIntent({ status: "parked" }),
      );
      const epoch = await store.epoch(scope);
      const place = [anIntent({ clientOrderId: idOf(lease, 1) })];
      const attempt = (withdraw: IntentId[]) =>
        store.commitIntents(scope, lease, epoch, { place, send: [], withdraw }, START);
      const notWaiting = { ok: false, reason: "not_waiting" };
      expect(await attempt([parked!.id, sending!.id])).toMatchObject(notWaiting);
      expect(await attempt([parked!.id, (sending!.id + 999) as IntentId])).toMatchObject(
        notWaiting,
      );
      expect(await store.aliveIntents(scope, lease.accountId)).toEqual([sending!, parked!]);
      const batch = { place: [], send: [], withdraw: [parked!.id] };
      await store.commitIntents(scope, lease, epoch, batch, START);
      expect(await attempt([parked!.id])).toMatchObject(notWaiting);
    },
  );

  register("one commit does not send and withdraw the same intent", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const [parked] = await committed(world, lease, anIntent({ status: "parked" }));
    const epoch = await store.epoch(scope);
    const send = [{ id: parked!.id, clientOrderId: idOf(lease, 0) }];
    const batch = { place: [], send, withdraw: [parked!.id] };
    await expect(store.commitIntents(scope, lease, epoch, batch, START)).rejects.toThrow("once");
    expect(await store.aliveIntents(scope, lease.accountId)).toEqual([parked!]);
  });

  register("intents are sent together and answered in the order asked for", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const parked = await committed(
      world,
      lease,
      ...[1, 2, 3].map((n) => anIntent({ status: "parked", targetKey: `dca:${n}` })),
    );
    const [first, second, third] = parked.map(({ id }, n) => ({
      ...{ id, clientOrderId: idOf(lease, n) },
    }));
    const send = [third!, first!, second!];
    const epoch = await store.epoch(scope);
    const sent = await store.commitIntents(scope, lease, epoch, { place: [], send }, START);
    expect(sent).toMatchObject({ ok: true, value: send });
  });
}

function lists(register: StoreTest): void {
  register("orders come with what was executed of them, oldest fill first", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const { accountId } = lease;
    const [one, two] = await committed(
      world,
      lease,
      anIntent({ clientOrderId: idOf(lease, 0) }),
      anIntent({ clientOrderId: idOf(lease, 1) }),
    );
    const news = { event: "accepted", exchangeOrderId: "x1" } as const;
    await store.recordNews(scope, lease, one!.id, news, START);
    await store.recordFill(scope, lease, aFill({ tradeId: "2", at: START + 2000 }));
    await store.recordFill(scope, lease, aFill({ tradeId: "1", at: START + 1000 }));
    await store.recordFill(scope, lease, aFill({ tradeId: "3", exchangeOrderId: "foreign" }));
    const none = (two!.id + 999) as IntentId;
    const orders = await store.orders(scope, accountId, [two!.id, none, one!.id]);
    expect(orders.map(({ intent }) => intent.id)).toEqual([one!.id, two!.id]);
    expect(orders[0]?.intent).toMatchObject({ status: "filled", filledQty: "2" });
    const all = await store.fills(scope, accountId, BTC);
    expect(orders[0]?.fills).toEqual(all.filter(({ exchangeOrderId }) => exchangeOrderId === "x1"));
    expect(orders[0]?.fills.map(({ tradeId }) => tradeId)).toEqual(["1", "2"]);
    expect(orders[1]).toEqual({ intent: two!, fills: [] });
    expect(await store.orders(scope, accountId, [])).toEqual([]);
    expect(await store.orders(world.stranger, accountId, [one!.id])).toEqual([]);
    const other = await world.newAccount();
    expect(await store.orders(scope, other, [one!.id])).toEqual([]);
    const many = Array<IntentId>(501).fill(one!.id);
    await expect(store.orders(scope, accountId, many)).rejects.toThrow("ids");
  });

  register("recent intents come newest first, of all owners or of one", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const { accountId } = lease;
    const [first, second, third] = await committed(
      world,
      lease,
      anIntent({ clientOrderId: idOf(lease, 0) }),
      anIntent({ status: "parked", owner: "bot:2" }),
      anIntent({ status: "parked" }),
    );
    const recent = (owner: "bot:1" | "bot:2" | "foreign" | null, limit: number) =>
      store.recentIntents(scope, accountId, { owner, limit });
    expect(await recent(null, 10)).toEqual([third!, second!, first!]);
    expect(await recent(null, 2)).toEqual([third!, second!]);
    expect(await recent("bot:1", 10)).toEqual([third!, first!]);
    expect(await recent("foreign", 10)).toEqual([]);
    const all = { owner: null, limit: 10 };
    expect(await store.recentIntents(world.stranger, accountId, all)).toEqual([]);
    expect(await store.recentIntents(scope, await world.newAccount(), all)).toEqual([]);
    await expect(recent(null, 1001)).rejects.toThrow("limit");
  });
}

function orderLife(register: StoreTest): void {
  register("an answer moves the intent on and never erases what is known", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const [intent] = await committed(world, lease, anIntent({ clientOrderId: idOf(lease, 0) }));
    const tell = (news: Parameters<TradingStore["recordNews"]>[3]) =>
      store.recordNews(scope, lease, intent!.id, news, START + 9);
    await tell({ event: "unverified", detail: "no answer within 5 s" });
    const open = await tell({ event: "listed", exchangeOrderId: "x1" });
    expect(open).toMatchObject({
      value: { status: "open", exchangeOrderId: "x1", detail: "no answer within 5 s" },
    });
    await tell({ event: "listed", reportedFilledQty: decimal("1.5") });
    await tell({ event: "listed", reportedFilledQty: decimal("1") });
    const last = await tell({ event: "accepted" });
    expect(last).toMatchObject({ value: { exchangeOrderId: "x1", reportedFilledQty: "1.5" } });
    expect(await tell({ event: "park" })).toMatchObject({ ok: false, reason: "impossible" });
    expect(await tell({ event: "listed", exchangeOrderId: "x2" })).toMatchObject({
      reason: "impossible",
    });
    const unknown = (intent!.id + 999) as StoredIntent["id"];
    expect(
      await store.recordNews(scope, lease, unknown, { event: "accepted" }, START),
    ).toMatchObject({ reason: "unknown_intent" });
    expect(await store.findIntent(scope, lease.accountId, idOf(lease, 0))).toMatchObject({
      status: "open",
    });
  });

  register("fills before the acknowledgement find their order when it is known", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const { accountId } = lease;
    const [intent] = await committed(world, lease, anIntent({ clientOrderId: idOf(lease, 0) }));
    await store.recordFill(scope, lease, aFill());
    const before = await store.holdings(scope, accountId);
    expect(before.map(({ holder }) => holder)).toEqual(["account", "foreign"]);
    const news = { event: "accepted", exchangeOrderId: "x1" } as const;
    expect(await store.recordNews(scope, lease, intent!.id, news, START)).toMatchObject({
      value: { status: "partly_filled", filledQty: "1" },
    });
    const after = await store.holdings(scope, accountId);
    expect(after.map(({ holder }) => holder)).toEqual(["account", "bot:1"]);
    expect(await store.cycles(scope, accountId, 10)).toMatchObject([
      { owner: "bot:1", rungs: [{ reason: "ENTRY", purpose: "entry", qty: "1" }] },
    ]);
    expect((await store.fills(scope, accountId, BTC))[0]).toMatchObject({
      owner: "bot:1",
      clientOrderId: idOf(lease, 0),
    });
  });

  register("a fill after the cancel is booked and the order stays cancelled", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const [intent] = await committed(world, lease, anIntent({ clientOrderId: idOf(lease, 0) }));
    const news = { event: "cancelled", exchangeOrderId: "x1" } as const;
    await store.recordNews(scope, lease, intent!.id, news, START);
    expect(await store.recordFill(scope, lease, aFill())).toEqual({ ok: true, value: "booked" });
    const find = () => store.findIntent(scope, lease.accountId, idOf(lease, 0));
    expect(await find()).toMatchObject({ status: "cancelled", filledQty: "1" });
    await store.recordFill(scope, lease, aFill({ tradeId: "2" }));
    expect(await find()).toMatchObject({ status: "filled", filledQty: "2" });
  });
}
