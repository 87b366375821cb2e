// KuCoin perpetual futures for the broker; quantities are whole contracts. Source: KuCoin futures
// documents and ccxt 4.5.84.
import type { BrokerCapabilities, KeyPermissions, NewOrder } from "../../ports/broker.ts";
import type { PrivateExchange } from "./broker-client.ts";
import { rowOf, textOrNull } from "./broker-fields.ts";
import type { BrokerProfile } from "./broker-profile.ts";
import { createUnifiedDialect, type OpenList, type Params, type Words } from "./broker-unified.ts";
import { BrokerError } from "./error-types.ts";
import { KUCOIN_CODES } from "./unified-codes.ts";
import { judgeWith } from "./unified-judge.ts";
import { infoOf, modeOf } from "./unified-rows.ts";

const WEEK_MS = 604_800_000;
const ROWS = 1000;
const BOOK_ROWS = 20;
const MODES = { hedge: "1", one_way: "0" };

const CAPABILITIES: BrokerCapabilities = {
  hedge: true,
  queueLevels: false,
  postOnlyAdjust: false,
  visibleQty: false,
  triggerOrders: true,
  // ccxt sends a futures amendment to the spot exchange's address.
  amend: false,
  cancelAll: true,
  deadMan: false,
  leverage: true,
  leverageWithOrder: true,
  positionMode: true,
  switchesPositionMode: true,
  fundingPayments: true,
  markPrice: true,
  tradeRecords: true,
  tradesOfAll: false,
  reusesClientIds: false,
};

function openList(isTrigger: boolean, params: Params): OpenList {
  const after = (_rows: readonly unknown[], pages: number) => ({
    ...params,
    currentPage: pages + 1,
  });
  return { isTrigger, params, limit: ROWS, after };
}

const WORDS: Words = {
  exchangeId: "kucoin",
  capabilities: CAPABILITIES,
  orderParams(order) {
    if (order.terms.kind === "fok") {
      throw new BrokerError("not_supported", "there are no fill-or-kill orders here");
    }
    return {
      marginMode: "cross",
      ...(order.isReduceOnly ? { reduceOnly: true } : {}),
      ...(order.leverage === null ? {} : { leverage: order.leverage }),
      ...(order.positionSide === null ? {} : { positionSide: order.positionSide.toUpperCase() }),
      ...triggerPrices(order),
    };
  },
  clientIdParams: ({ id }, use) => (use === "fetch" ? { clientOid: id } : { clientOrderId: id }),
  triggerParams: {},
  amendsTogether: false,
  fetchParams: {},
  openLists: [
    openList(false, { pageSize: ROWS }),
    openList(true, { trigger: true, pageSize: ROWS }),
  ],
  cancelAllParams: [{}, { trigger: true }],
  trades: { limit: ROWS, spanMs: WEEK_MS, span: (_from, until) => ({ until }) },
  funding: { limit: ROWS, spanMs: WEEK_MS, span: (_from, endAt) => ({ endAt }) },
  bookRows: BOOK_ROWS,
  leverageParams: { marginMode: "cross" },
  statesTicks: true,
  positionMode: async (exchange, symbol) =>
    modeOf(infoOf(await exchange.fetchPositionMode(symbol)), "positionMode", MODES),
  permissions,
  markPrice: (exchange, symbol) => exchange.fetchMarkPrice(symbol),
};

/** KuCoin perpetual futures in cross margin. */
export const KUCOIN_PROFILE: BrokerProfile = {
  exchangeId: "kucoin",
  hasTestnet: false,
  options: {
    fetchMarkets: { types: ["contract"], fetchTickersFees: false },
    // Otherwise every first call asks what kind of account this is.
    uta: false,
    hf: true,
    partner: {},
  },
  marketParams: { marginables: false },
  capabilities: CAPABILITIES,
  saysFailed: (body) =>
    typeof body === "object" && body !== null && "code" in body && String(body.code) !== "200000",
  meaningOf: judgeWith(KUCOIN_CODES),
  dialect: (client) => createUnifiedDialect(client, WORDS),
};

function triggerPrices({ terms, side }: NewOrder): Params {
  if (terms.kind !== "trigger") return {};
  const isStop = (side === "sell") === (terms.direction === "falling");
  return isStop ? { stopLossPrice: terms.triggerPrice } : { takeProfitPrice: terms.triggerPrice };
}

async function permissions(exchange: PrivateExchange): Promise<KeyPermissions> {
  const answer = rowOf(await exchange.request("user/api-key", "private", "GET", {}), "key");
  const key = rowOf(answer.data, "key");
  const granted = textOrNull(key, "permission")?.split(",") ?? null;
  return {
    mayTrade: granted?.includes("Futures") ?? null,
    mayWithdraw: granted?.includes("Withdrawal") ?? null,
    isAddressBound: key.ipWhitelist === undefined ? null : textOrNull(key, "ipWhitelist") !== null,
  };
}
