// The ccxt broker on a small WOO X keeps the broker contract.
import { decimal } from "../../src/model/decimal.ts";
import { brokerContract } from "./broker.contract.ts";
import { openWooxBroker } from "./woox-broker.ts";
import { SYMBOL } from "./woox-double-book.ts";
import { startWooxDouble } from "./woox-double.ts";

brokerContract("the ccxt broker on WOO X", async () => {
  const double = await startWooxDouble();
  return {
    broker: await openWooxBroker(double.url),
    symbol: SYMBOL,
    restingBid: decimal("49000.1"),
    takingBid: decimal("50100"),
    qty: decimal("0.003"),
    doubleQty: decimal("0.006"),
    dustQty: decimal("0.0001"),
    fill: async (id, qty, price) => double.fill(id, qty, price),
    loseNextAnswer(isCarriedOut) {
      double.fault = ({ method }, handle) => {
        if (method === "GET") return null;
        double.fault = null;
        if (isCarriedOut) handle();
        return "drop";
      };
    },
    close: () => double.stop(),
  };
});
