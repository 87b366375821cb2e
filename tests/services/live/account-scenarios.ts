// Ways in which an account comes apart from our rows, as data: strangers, other instances, the exchange's
// own doing. Run by the reconciler's tests on both kinds of store.
import { SYMBOL } from "../../support/reconcile-lab.ts";
import {
  AT_100,
  deed,
  hand,
  legOf,
  RESTING,
  rival,
  type Scenario,
  stop,
} from "./scenario-parts.ts";

/** Scenarios of the account. */
export const ACCOUNT_SCENARIOS: readonly Scenario[] = [
  // Strangers
  {
    name: "an order placed by hand is shown once and left alone",
    inDatabase: true,
    run: async (lab) => {
      await lab.lab.place({ price: "90", ...legOf(lab) });
      await lab.pass();
      await lab.pass();
    },
    told: ["stranger_order"],
    blocked: /was not placed here/,
  },
  {
    name: "an order placed by hand that is gone again blocks nothing",
    run: async (lab) => {
      const orderId = await lab.lab.place({ price: "90", ...legOf(lab) });
      await lab.pass();
      await lab.lab.call("DELETE", "/v3/trade/order", { symbol: SYMBOL, orderId });
    },
    told: ["stranger_order"],
  },
  {
    name: "an order of another instance blocks the account",
    inDatabase: true,
    run: async (lab) => void (await rival(lab)),
    told: ["second_instance"],
    blocked: /another instance/,
  },
  {
    name: "an order of another instance that is gone again blocks nothing",
    run: async (lab) => {
      const orderId = await rival(lab);
      await lab.pass();
      await lab.lab.call("DELETE", "/v3/trade/order", { symbol: SYMBOL, orderId });
    },
    told: ["second_instance"],
  },
  {
    name: "a market order of another instance is named by its trades",
    run: async (lab) => {
      await rival(lab, { type: "MARKET", price: undefined, quantity: "0.4" });
    },
    told: ["position_drift", "second_instance"],
    blocked: /account and its owners do not agree/,
  },
  {
    name: "a trade by hand on an empty account",
    inDatabase: true,
    run: async (lab) => void (await hand(lab, "BUY", "0.5")),
    told: ["position_drift"],
    blocked: /account and its owners do not agree/,
  },
  {
    name: "a trade by hand that was taken back",
    run: async (lab) => {
      await hand(lab, "BUY", "0.5");
      await lab.settle();
      await hand(lab, "SELL", "0.5");
    },
    told: ["position_drift", "position_drift_solved"],
  },
  {
    name: "a trade by hand against what a bot holds names the bot",
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.settle();
      await hand(lab, "SELL", "0.4");
    },
    told: ["position_drift", "position_drift"],
    blocked: /account and its owners do not agree/,
  },
  // The exchange's own doing
  {
    name: "a liquidation of what a bot holds",
    inDatabase: true,
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.settle();
      await lab.lab.fault("liquidation");
    },
    told: ["liquidated", "position_drift"],
    blocked: /account and its owners do not agree/,
  },
  {
    name: "a liquidation that cancels a resting order",
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.send(RESTING);
      await lab.settle();
      await lab.lab.fault("liquidation");
    },
    told: ["liquidated", "position_drift"],
    blocked: /account and its owners do not agree/,
  },
  {
    name: "a part of a position that was deleveraged",
    inDatabase: true,
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.settle();
      await deed(lab, "adl", { quantity: "0.3" });
    },
    told: ["liquidated", "position_drift"],
    blocked: /account and its owners do not agree/,
  },
  {
    name: "a liquidation while a stop waits",
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.send(stop("95"));
      await lab.settle();
      await lab.lab.fault("liquidation");
      await lab.pass();
      await lab.lab.step(120_000);
    },
    told: ["liquidated", "position_drift"],
    blocked: /account and its owners do not agree/,
  },
  {
    name: "funding that was charged, with and without a position",
    inDatabase: true,
    run: async (lab) => {
      await deed(lab, "funding_charge", { rate: "0.0003" });
      await lab.send(AT_100);
      await lab.settle();
      await deed(lab, "funding_charge", { rate: "0.0001" });
      await deed(lab, "funding_charge", { rate: "-0.0002" });
      await lab.ingest.funding(SYMBOL, new AbortController().signal);
    },
    told: ["funding_booked", "funding_booked"],
  },
  {
    name: "a mode that was switched with a position",
    inDatabase: true,
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.settle();
      await lab.lab.fault("mode_flip");
    },
    told: ["position_mode_changed"],
    blocked: /another mode/,
    differs: /there, .* here/,
  },
  {
    name: "a mode that was switched and switched back",
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.settle();
      await lab.lab.fault("mode_flip");
      await lab.pass();
      await lab.lab.fault("mode_flip");
    },
    told: ["position_mode_changed"],
  },
  {
    name: "an account that became one-way, with an order that was cancelled by it",
    modes: ["hedge"],
    run: async (lab) => {
      await lab.send(AT_100);
      await lab.send(RESTING);
      await lab.settle();
      await lab.lab.fault("one_way_account");
    },
    told: ["position_mode_changed"],
    blocked: /another mode/,
    differs: /there, .* here/,
  },
];
