// The paper broker keeps the broker contract, on a book in the test's hands.
import { createClock } from "../../src/adapters/system/clock.ts";
import { decimal } from "../../src/model/decimal.ts";
import { BTC, OPTIONS, paperBench } from "../support/paper-market.ts";
import { brokerContract } from "./broker.contract.ts";

brokerContract("the paper broker", async () => {
  const clock = createClock();
  const bench = paperBench({
    clock,
    balance: "100000",
    rulesChange: { minNotional: decimal("100") },
  });
  const calm = () => bench.book("50000", "50000.1");
  calm();
  const fresh = setInterval(calm, 1000);
  return {
    broker: bench.broker,
    symbol: BTC,
    restingBid: decimal("49000.1"),
    takingBid: decimal("50100"),
    qty: decimal("0.003"),
    doubleQty: decimal("0.006"),
    dustQty: decimal("0.001"),
    async fill(_id, qty, price) {
      const ask = (Number(price) - 0.1).toFixed(1);
      bench.book((Number(ask) - 0.1).toFixed(1), ask, "1", qty);
      await bench.broker.openOrders(null, OPTIONS);
      calm();
    },
    loseNextAnswer: null,
    close: async () => clearInterval(fresh),
  };
});
