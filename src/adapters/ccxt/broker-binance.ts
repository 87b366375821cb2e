// Binance USD-M futures for the broker. Source: Binance derivatives documents (fapi) and ccxt 4.5.84.
import type { BrokerCapabilities, KeyPermissions, NewOrder } from "../../ports/broker.ts";
import type { PrivateExchange } from "./broker-client.ts";
import { flagOrNull, rowOf, unreadable } from "./broker-fields.ts";
import type { BrokerProfile } from "./broker-profile.ts";
import { createUnifiedDialect, type Params, wholeList, type Words } from "./broker-unified.ts";
import { BINANCE_CODES } from "./unified-codes.ts";
import { judgeWith } from "./unified-judge.ts";

const WEEK_MS = 604_800_000;

const CAPABILITIES: BrokerCapabilities = {
  hedge: true,
  queueLevels: false,
  postOnlyAdjust: false,
  visibleQty: false,
  triggerOrders: true,
  amend: true,
  cancelAll: true,
  deadMan: false,
  leverage: true,
  leverageWithOrder: false,
  positionMode: true,
  switchesPositionMode: true,
  fundingPayments: true,
  markPrice: true,
  tradeRecords: true,
  tradesOfAll: false,
  reusesClientIds: true,
};

const WORDS: Words = {
  exchangeId: "binance",
  capabilities: CAPABILITIES,
  orderParams(order) {
    // A hedge account refuses the flag: the leg alone says that the order closes.
    const leg =
      order.positionSide === null
        ? onlyReducing(order)
        : { positionSide: order.positionSide.toUpperCase() };
    return { ...leg, ...triggerPrices(order) };
  },
  clientIdParams: ({ id, isTrigger }, use) => {
    if (isTrigger) return { clientAlgoId: id };
    return use === "amend" ? { origClientOrderId: id } : { clientOrderId: id };
  },
  triggerParams: { trigger: true },
  amendsTogether: true,
  fetchParams: {},
  openLists: [wholeList(false), wholeList(true, { trigger: true })],
  cancelAllParams: [{}, { trigger: true }],
  trades: { limit: 1000, spanMs: WEEK_MS, span: (_from, until) => ({ until }) },
  funding: { limit: 1000, spanMs: 13 * WEEK_MS, span: (_from, until) => ({ until }) },
  bookRows: 5,
  leverageParams: {},
  statesTicks: true,
  async positionMode(exchange, symbol) {
    const { hedged } = await exchange.fetchPositionMode(symbol);
    if (typeof hedged !== "boolean") throw unreadable("position mode");
    return hedged ? "hedge" : "one_way";
  },
  permissions,
  markPrice: (exchange, symbol) => exchange.fetchMarkPrice(symbol),
};

/** Binance USD-M futures. */
export const BINANCE_PROFILE: BrokerProfile = {
  exchangeId: "binance",
  hasTestnet: true,
  // Otherwise ccxt refuses to list the orders of all symbols.
  options: { warnOnFetchOpenOrdersWithoutSymbol: false },
  marketParams: {},
  capabilities: CAPABILITIES,
  saysFailed: (body) =>
    typeof body === "object" && body !== null && "code" in body && Number(body.code) < 0,
  meaningOf: judgeWith(BINANCE_CODES),
  dialect: (client) => createUnifiedDialect(client, WORDS),
};

function onlyReducing({ isReduceOnly }: NewOrder): Params {
  return isReduceOnly ? { reduceOnly: true } : {};
}

/** A stop moves against the order's own purpose, a take-profit with it; the exchange tells them apart. */
function triggerPrices({ terms, side }: NewOrder): Params {
  if (terms.kind !== "trigger") return {};
  const isStop = (side === "sell") === (terms.direction === "falling");
  return isStop ? { stopLossPrice: terms.triggerPrice } : { takeProfitPrice: terms.triggerPrice };
}

async function permissions(exchange: PrivateExchange): Promise<KeyPermissions> {
  const row = rowOf(
    await exchange.request("account/apiRestrictions", "sapi", "GET", {}),
    "permissions",
  );
  return {
    mayTrade: flagOrNull(row, "enableFutures"),
    mayWithdraw: flagOrNull(row, "enableWithdrawals"),
    isAddressBound: flagOrNull(row, "ipRestrict"),
  };
}
