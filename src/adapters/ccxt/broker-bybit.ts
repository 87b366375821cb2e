// Bybit linear perpetuals for the broker. Source: Bybit V5 documents and ccxt 4.5.84.
import type { BrokerCapabilities, KeyPermissions, PositionMode } from "../../ports/broker.ts";
import type { PrivateExchange } from "./broker-client.ts";
import { flagOrNull, rowOf, textOrNull, unreadable } from "./broker-fields.ts";
import type { BrokerProfile } from "./broker-profile.ts";
import { createUnifiedDialect, tickerMark, type Words } from "./broker-unified.ts";
import { infoOf } from "./unified-rows.ts";
import { BYBIT_CODES } from "./unified-codes.ts";
import { judgeWith } from "./unified-judge.ts";

const WEEK_MS = 604_800_000;
const OPEN_ROWS = 50;
const HISTORY_ROWS = 100;
/** Which leg of a hedge account; 0 is the one position of a one-way account. */
const LEG = { long: 1, short: 2 };

const CAPABILITIES: BrokerCapabilities = {
  hedge: true,
  queueLevels: false,
  postOnlyAdjust: false,
  visibleQty: false,
  triggerOrders: true,
  amend: true,
  cancelAll: true,
  // The exchange's timer starts when a stream breaks, not when we stop calling.
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
  exchangeId: "bybit",
  capabilities: CAPABILITIES,
  orderParams: ({ positionSide, isReduceOnly, terms }) => ({
    ...(isReduceOnly ? { reduceOnly: true } : {}),
    ...(positionSide === null ? {} : { positionIdx: LEG[positionSide] }),
    ...(terms.kind === "trigger"
      ? {
          triggerPrice: terms.triggerPrice,
          triggerDirection: terms.direction === "rising" ? "ascending" : "descending",
        }
      : {}),
  }),
  clientIdParams: ({ id }, use) => ({
    orderLinkId: id,
    ...(use === "fetch" ? { orderId: undefined } : {}),
  }),
  triggerParams: {},
  amendsTogether: false,
  // ccxt wants it said that only recent orders are found this way.
  fetchParams: { acknowledged: true },
  openLists: [
    {
      isTrigger: false,
      params: {},
      limit: OPEN_ROWS,
      after(rows) {
        const last = rows.at(-1);
        const cursor = last === undefined ? null : textOrNull(infoOf(last), "nextPageCursor");
        return cursor === null ? null : { cursor };
      },
    },
  ],
  cancelAllParams: [{}],
  trades: { limit: HISTORY_ROWS, spanMs: WEEK_MS, span: (_from, until) => ({ until }) },
  // ccxt names the limit wrongly here: the exchange would send half of what it is asked for.
  funding: {
    limit: HISTORY_ROWS,
    spanMs: WEEK_MS,
    span: (_from, endTime) => ({ endTime, limit: HISTORY_ROWS }),
  },
  bookRows: 1,
  leverageParams: {},
  statesTicks: true,
  positionMode,
  permissions,
  markPrice: tickerMark,
};

/** Bybit linear perpetuals of a unified account. */
export const BYBIT_PROFILE: BrokerProfile = {
  exchangeId: "bybit",
  hasTestnet: true,
  options: {
    fetchMarkets: { types: ["linear"] },
    // Otherwise every first call asks two more addresses what kind of account this is.
    enableUnifiedMargin: false,
    enableUnifiedAccount: true,
    // Sent as the referer; ccxt would name itself.
    brokerId: "dragon",
  },
  marketParams: {},
  capabilities: CAPABILITIES,
  saysFailed: (body) =>
    typeof body === "object" && body !== null && "retCode" in body && Number(body.retCode) !== 0,
  meaningOf: judgeWith(BYBIT_CODES),
  dialect: (client) => createUnifiedDialect(client, WORDS),
};

/** No address tells the mode; the rows of a symbol's position do, flat ones too. */
async function positionMode(exchange: PrivateExchange, symbol: string): Promise<PositionMode> {
  const [row] = await exchange.fetchPositions([symbol]);
  const index = row === undefined ? null : textOrNull(infoOf(row), "positionIdx");
  if (index === null) throw unreadable("position mode");
  return index === "0" ? "one_way" : "hedge";
}

async function permissions(exchange: PrivateExchange): Promise<KeyPermissions> {
  const answer = rowOf(await exchange.request("v5/user/query-api", "private", "GET", {}), "key");
  const key = rowOf(answer.result, "key");
  const granted = rowOf(key.permissions, "permissions");
  const wallet: unknown = granted.Wallet;
  const trade: unknown = granted.ContractTrade;
  const isReadOnly = flagOrNull(key, "readOnly");
  const ips: unknown = key.ips;
  return {
    mayTrade: Array.isArray(trade) ? trade.includes("Order") && isReadOnly !== true : null,
    mayWithdraw: Array.isArray(wallet) ? wallet.includes("Withdraw") : null,
    isAddressBound: Array.isArray(ips) ? !ips.includes("*") : null,
  };
}
