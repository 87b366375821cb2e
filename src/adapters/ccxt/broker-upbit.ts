// Upbit spot for the broker, as far as its interface goes: no positions, no leverage, no trade
// records. Source: Upbit documents and ccxt 4.5.84.
import type { BrokerCapabilities } from "../../ports/broker.ts";
import { unreadable } from "./broker-fields.ts";
import type { BrokerProfile } from "./broker-profile.ts";
import { createUnifiedDialect, type Words } from "./broker-unified.ts";
import { BrokerError } from "./error-types.ts";
import { UPBIT_CODES } from "./unified-codes.ts";
import { judgeWith } from "./unified-judge.ts";

const ROWS = 100;

const CAPABILITIES: BrokerCapabilities = {
  hedge: false,
  queueLevels: false,
  postOnlyAdjust: false,
  visibleQty: false,
  triggerOrders: false,
  // The exchange would replace the order by another one with another id.
  amend: false,
  cancelAll: false,
  deadMan: false,
  leverage: false,
  leverageWithOrder: false,
  positionMode: false,
  switchesPositionMode: false,
  fundingPayments: false,
  markPrice: false,
  tradeRecords: false,
  tradesOfAll: false,
  reusesClientIds: false,
};

const WORDS: Words = {
  exchangeId: "upbit",
  capabilities: CAPABILITIES,
  orderParams({ terms, side }) {
    if (terms.kind === "market" && side === "buy") {
      throw new BrokerError("not_supported", "market buys go by amount of money only");
    }
    return {};
  },
  clientIdParams: ({ id }) => ({ identifier: id, uuid: undefined }),
  triggerParams: {},
  amendsTogether: false,
  fetchParams: {},
  openLists: [
    {
      isTrigger: false,
      params: {},
      limit: ROWS,
      after: (_rows, pages) => ({ page: pages + 1 }),
    },
  ],
  cancelAllParams: [],
  trades: { limit: ROWS, spanMs: 1, span: () => ({}) },
  funding: { limit: ROWS, spanMs: 1, span: () => ({}) },
  bookRows: 1,
  leverageParams: {},
  statesTicks: false,
  positionMode: () => Promise.reject(unreadable("position mode")),
  permissions: async () => ({ mayTrade: null, mayWithdraw: null, isAddressBound: null }),
  markPrice: (exchange, symbol) => exchange.fetchMarkPrice(symbol),
};

/** Upbit spot. */
export const UPBIT_PROFILE: BrokerProfile = {
  exchangeId: "upbit",
  hasTestnet: false,
  options: {},
  marketParams: {},
  capabilities: CAPABILITIES,
  saysFailed: (body) => typeof body === "object" && body !== null && "error" in body,
  meaningOf: judgeWith(UPBIT_CODES),
  dialect: (client) => createUnifiedDialect(client, WORDS),
};
