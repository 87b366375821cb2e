// A running venue as the exchange inside the product: at every take-over it knows of an account what it is told,
// and nothing else. Used by the tests of demo accounts that go on after a restart.
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import type { DemoAccount, DemoExchange, DemoOrder } from "../../../src/ports/demo-venue.ts";
import type { Account } from "../../../src/venue/account.ts";
import { addAccount } from "../../../src/venue/exchange.ts";
import type { Venue } from "../../../src/venue/server.ts";
import type { Opening } from "../../../src/venue/settings.ts";

/** An exchange that opens a new account at every take-over, and the accounts it opened. */
export type TakeOvers = { readonly exchange: DemoExchange; readonly opened: readonly Account[] };

/** Take-overs at a venue. */
export function takeOversAt(venue: Venue): TakeOvers {
  const opened: Account[] = [];
  const { url, wsUrl, adminToken } = venue;
  return {
    opened,
    exchange: {
      ...{ url, wsUrl, adminToken, keys: [], stop: async () => undefined },
      async openAccount(given) {
        const account = addAccount(venue.exchange, {
          name: given.name,
          deposit: given.balance,
          mode: given.mode === "hedge" ? "HEDGE_MODE" : "ONE_WAY",
          opening: openingOf(given),
        });
        opened.push(account);
        return { apiKey: createSecret(account.apiKey), apiSecret: createSecret(account.secret) };
      },
    },
  };
}

function openingOf({ feesPaid, fundingReceived, ...given }: DemoAccount): Opening {
  return {
    ...{ feesPaid, fundingReceived, leverages: [] },
    positions: given.positions.map(({ symbol, positionSide, qty, averagePrice }) => ({
      symbol,
      side: positionSide === "long" ? "LONG" : "SHORT",
      quantity: qty,
      averagePrice,
    })),
    orders: given.orders.map((order) => ({
      ...commonOf(order),
      orderId: Number(order.exchangeOrderId),
      type: order.isPostOnly ? "POST_ONLY" : "LIMIT",
      price: order.price,
      executedQuantity: order.filledQty,
    })),
    triggers: given.triggers.map((trigger) => ({
      ...commonOf(trigger),
      algoOrderId: Number(trigger.exchangeOrderId),
      triggerPrice: trigger.triggerPrice,
      firesAbove: trigger.direction === "rising",
      price: trigger.price,
    })),
  };
}

function commonOf(order: Omit<DemoOrder, "price" | "filledQty" | "isPostOnly">) {
  const legs = { long: "LONG", short: "SHORT" } as const;
  return {
    symbol: order.symbol,
    side: order.side === "buy" ? ("BUY" as const) : ("SELL" as const),
    positionSide: order.positionSide === null ? ("BOTH" as const) : legs[order.positionSide],
    clientOrderId: order.clientOrderId ?? "0",
    quantity: order.qty,
    reduceOnly: order.isReduceOnly,
    createdAt: order.createdAt,
  };
}
