// Ways in which orders and their fills come apart from our rows, as data: what happens, what people are
// told, what is blocked and what differs in the end. Run by the reconciler's tests on both kinds of store.
import { limit, SYMBOL } from "../../support/reconcile-lab.ts";
import { AT_100, deed, hand, RESTING, type Scenario, stop } from "./scenario-parts.ts";

/** Scenarios of orders and fills. */
export const ORDER_SCENARIOS: readonly Scenario[] = [
  // Orders as they should be
  {
    name: "a market order that filled at once",
    inDatabase: true,
    run: async (lab) => void (await lab.send(AT_100)),
  },
  {
    name: "a resting order that both sides show",
    run: async (lab) => void (await lab.send(RESTING)),
  },
  {
    name: "an order that filled between two looks",
    inDatabase: true,
    run: async (lab) => {
      await lab.send(RESTING);
      await lab.settle();
      await lab.lab.price("94");
    },
  },
  {
    name: "an order that fills in three pieces while it is looked at",
    inDatabase: true,
    run: async (lab) => {
      await deed(lab, "partial_fill", { parts: [0.2, 0.3, 0.5], ms: 700 });
      await lab.send(RESTING);
      for (let look = 0; look < 4; look++) {
        await lab.pass();
        await lab.lab.step(700);
      }
    },
  },
  {
    name: "an order that fills while it is cancelled",
    inDatabase: true,
    run: async (lab) => {
      await deed(lab, "fill_during_cancel", { ms: 2000, share: 0.5 });
      const order = await lab.send(RESTING);
      await lab.pass();
      await lab.cancel(order);
      await lab.pass();
      await lab.lab.step(3000);
    },
  },
  {
    name: "a cancel that nobody waited for",
    run: async (lab) => lab.cancel(await lab.send(RESTING)),
  },
  {
    name: "an order whose cancel takes effect late",
    run: async (lab) => {
      await deed(lab, "cancel_delay", { ms: 3000 });
      await lab.cancel(await lab.send(RESTING));
      await lab.pass();
      await lab.lab.step(4000);
    },
  },
  {
    name: "an order the exchange rejected after it took it",
    run: async (lab) => {
      await deed(lab, "bbo_reject");
      await lab.send({ terms: { kind: "queue", level: 1 } });
    },
  },
  {
    name: "a market order of which the book could fill a part",
    run: async (lab) => {
      await deed(lab, "partial_fill", { parts: [0.4] });
      await lab.send(AT_100);
    },
  },
  // Answers that were lost
  {
    name: "an accepted order whose answer was lost and that rests",
    inDatabase: true,
    run: async (lab) => void (await lab.send({ ...RESTING, isAnswerLost: true })),
  },
  {
    name: "an order given up too early that rests after all",
    inDatabase: true,
    run: async (lab) => {
      const order = await lab.send({ ...RESTING, isAnswerLost: true });
      const { lease, clock } = lab.deps;
      for (const event of ["unverified", "not_found"] as const) {
        await lab.store.recordNews(lab.scope, lease.guard, order.id, { event }, clock.now());
      }
    },
    told: ["order_adopted"],
  },
  {
    name: "an order believed cancelled that rests after all",
    run: async (lab) => {
      const order = await lab.send(RESTING);
      const { lease, clock } = lab.deps;
      const news = { event: "cancelled" } as const;
      await lab.store.recordNews(lab.scope, lease.guard, order.id, news, clock.now());
    },
  },
  {
    name: "an order that ended half an hour ago in our rows and rests after all",
    run: async (lab) => {
      const order = await lab.send(RESTING);
      const { lease, clock } = lab.deps;
      const news = { event: "cancelled" } as const;
      await lab.store.recordNews(lab.scope, lease.guard, order.id, news, clock.now());
      await lab.lab.step(30 * 60_000);
    },
  },
  {
    name: "an order the exchange has forgotten counts as cancelled after a minute",
    run: async (lab) => {
      const { exchangeOrderId } = await lab.send(RESTING);
      const order = lab.lab.account.orders.get(Number(exchangeOrderId));
      if (!order) throw new Error("the order is not there");
      await lab.lab.call("DELETE", "/v3/trade/order", { symbol: SYMBOL, orderId: order.id });
      lab.lab.account.orders.delete(order.id);
      lab.lab.account.byClientId.delete(order.clientOrderId);
      for (let look = 0; look < 4; look++) {
        await lab.lab.step(20_001);
        await lab.pass();
      }
    },
    told: ["order_missing_cancelled"],
  },
  // An exchange that shows things late, in part or in other words
  {
    name: "orders, positions and fills that are seen four seconds late",
    inDatabase: true,
    run: async (lab) => {
      await deed(lab, "visibility_delay", { ms: 4000 });
      await lab.send(AT_100);
      await lab.send(RESTING);
      for (let look = 0; look < 5; look++) {
        await lab.pass();
        await lab.lab.step(1000);
      }
    },
  },
  {
    name: "more open orders than a page holds",
    run: async (lab) => {
      await deed(lab, "snapshot_truncate");
      for (let n = 0; n < 30; n++) await lab.send({ terms: limit(`${80 + n / 2}`), qty: "0.1" });
    },
  },
  {
    name: "more vanished orders than are asked about in one pass",
    run: async (lab) => {
      for (let n = 0; n < 30; n++) await lab.send({ terms: limit(`${80 + n / 2}`), qty: "0.1" });
      await lab.lab.price("79");
    },
  },
  {
    name: "rows that write numbers and times differently every time",
    inDatabase: true,
    run: async (lab) => {
      await deed(lab, "type_drift", { style: "mixed" });
      await lab.send(AT_100);
      await lab.send(RESTING);
    },
  },
  {
    name: "fills of hedge legs that say only BUY and SELL",
    modes: ["hedge"],
    inDatabase: true,
    run: async (lab) => {
      await deed(lab, "trade_side_hedge_words", { words: false });
      await lab.send(AT_100);
      await lab.send({ side: "sell", positionSide: "short", qty: "0.5" });
    },
  },
  {
    name: "a trade by hand on a hedge leg that says only BUY",
    modes: ["hedge"],
    run: async (lab) => {
      await deed(lab, "trade_side_hedge_words", { words: false });
      await hand(lab, "BUY", "0.5");
    },
    told: ["position_drift"],
    blocked: /account and its owners do not agree/,
  },
  {
    name: "streams that drop, repeat and lose messages",
    run: async (lab) => {
      for (const name of ["ws_dup", "ws_gap", "ws_out_of_order", "ws_silent"])
        await deed(lab, name);
      await lab.send(AT_100);
      await lab.lab.fault("ws_drop");
    },
  },
  // Two owners, both legs
  {
    name: "two bots on one leg, one of which closes",
    inDatabase: true,
    run: async (lab) => {
      await lab.send({ bot: 1, qty: "1" });
      await lab.send({ bot: 2, qty: "0.7" });
      await lab.settle();
      await lab.lab.price("103");
      await lab.send({ bot: 1, side: "sell", qty: "1", isReduceOnly: true });
    },
  },
  {
    name: "a long and a short leg side by side, both reduced",
    modes: ["hedge"],
    inDatabase: true,
    run: async (lab) => {
      await lab.send({ qty: "1" });
      await lab.send({ side: "sell", positionSide: "short", qty: "0.9" });
      await lab.settle();
      await lab.lab.price("101.5");
      await lab.send({ side: "sell", qty: "0.3", isReduceOnly: true });
      await lab.send({ side: "buy", positionSide: "short", qty: "0.7", isReduceOnly: true });
    },
  },
  {
    name: "a one-way position that turns over",
    modes: ["one_way"],
    run: async (lab) => {
      await lab.send({ qty: "0.7" });
      await lab.lab.price("101");
      await lab.send({ side: "sell", qty: "1.3" });
    },
  },
  // Trigger orders
  {
    name: "a stop that waits",
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.send(stop("95"));
    },
  },
  {
    name: "a stop that went off: its fills are its owner's",
    inDatabase: true,
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.send(stop("95"));
      await lab.settle();
      await lab.lab.price("94");
    },
  },
  {
    name: "a stop that went off while nobody looked, found after a restart",
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.send(stop("95"));
      await lab.settle();
      await lab.lab.price("94");
      await lab.settle();
      lab.restart();
    },
  },
  {
    name: "a triggered limit order that rests in the book",
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.settle();
      await lab.send(stop("95", "99"));
      await lab.lab.price("94.5");
    },
  },
];
