// OKX perpetual swaps for the broker; quantities are contracts. Source: OKX V5 documents and ccxt 4.5.84.
import type { BrokerCapabilities, KeyPermissions } from "../../ports/broker.ts";
import type { PrivateExchange, Row } from "./broker-client.ts";
import { rowOf, rowsOf, textOf, textOrNull } from "./broker-fields.ts";
import type { BrokerProfile } from "./broker-profile.ts";
import { createUnifiedDialect, type OpenList, type Params, type Words } from "./broker-unified.ts";
import { BrokerError } from "./error-types.ts";
import { OKX_CODES } from "./unified-codes.ts";
import { judgeWith } from "./unified-judge.ts";
import { infoOf, modeOf } from "./unified-rows.ts";

const ROWS = 100;
const QUARTER_MS = 7_776_000_000;
const MODES = { hedge: "long_short_mode", one_way: "net_mode" };

const CAPABILITIES: BrokerCapabilities = {
  hedge: true,
  queueLevels: false,
  postOnlyAdjust: false,
  visibleQty: false,
  triggerOrders: true,
  amend: true,
  // Only a list of at most 20 ids can be cancelled at once: the caller cancels one by one.
  cancelAll: false,
  deadMan: true,
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

/** Pages go on behind the last row's id. */
function openList(isTrigger: boolean, params: Params): OpenList {
  const after = (rows: readonly Row[]) => {
    const last = rows.at(-1);
    return last === undefined ? null : { ...params, after: textOf(last, "id") };
  };
  return { isTrigger, params, limit: ROWS, after };
}

const WORDS: Words = {
  exchangeId: "okx",
  capabilities: CAPABILITIES,
  orderParams: ({ positionSide, isReduceOnly, terms, clientOrderId }) => ({
    // In hedge mode the leg says what the order closes; the flag is for one-way accounts.
    ...(positionSide === null ? oneWay(isReduceOnly) : { posSide: positionSide }),
    ...(terms.kind === "trigger"
      ? { triggerPrice: terms.triggerPrice, algoClOrdId: clientOrderId }
      : {}),
  }),
  clientIdParams({ id, isTrigger }, use) {
    if (!isTrigger) return { clOrdId: id };
    // ccxt drops the id and would cancel nothing.
    if (use === "cancel") {
      throw new BrokerError("not_supported", "a client id cannot cancel a trigger order here");
    }
    return { algoClOrdId: id, algoId: undefined };
  },
  triggerParams: { trigger: true },
  amendsTogether: false,
  fetchParams: {},
  openLists: [openList(false, {}), openList(true, { trigger: true, ordType: "trigger" })],
  cancelAllParams: [],
  trades: { limit: ROWS, spanMs: QUARTER_MS, span: (_from, until) => ({ until }) },
  funding: { limit: ROWS, spanMs: QUARTER_MS, span: (begin, end) => ({ begin, end }) },
  bookRows: 1,
  leverageParams: { marginMode: "cross" },
  statesTicks: true,
  positionMode: async (exchange, symbol) =>
    modeOf(infoOf(await exchange.fetchPositionMode(symbol)), "posMode", MODES),
  permissions,
  markPrice: (exchange, symbol) => exchange.fetchMarkPrice(symbol),
};

/** OKX perpetual swaps. */
export const OKX_PROFILE: BrokerProfile = {
  exchangeId: "okx",
  hasTestnet: true,
  options: { fetchMarkets: { types: ["swap"] }, createOrder: "privatePostTradeOrder" },
  marketParams: {},
  capabilities: CAPABILITIES,
  saysFailed: (body) =>
    typeof body === "object" && body !== null && "code" in body && String(body.code) !== "0",
  meaningOf: judgeWith(OKX_CODES),
  dialect: (client) => createUnifiedDialect(client, WORDS),
};

function oneWay(isReduceOnly: boolean): Params {
  return isReduceOnly ? { reduceOnly: true } : {};
}

async function permissions(exchange: PrivateExchange): Promise<KeyPermissions> {
  const answer = rowOf(await exchange.request("account/config", "private", "GET", {}), "account");
  const [account = {}] = rowsOf(answer.data, "account");
  const granted = textOrNull(account, "perm")?.split(",") ?? null;
  return {
    mayTrade: granted?.includes("trade") ?? null,
    mayWithdraw: granted?.includes("withdraw") ?? null,
    isAddressBound: account.ip === undefined ? null : textOrNull(account, "ip") !== null,
  };
}
