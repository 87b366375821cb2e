// What the capturing server answers: the instruments of each exchange, and the least that reads like
// success. Written from the exchanges' documents.
type Answers = {
  /** By path; requests for these are not captured. */
  readonly setup: Readonly<Record<string, unknown>>;
  /** By method and path. */
  readonly answers: Readonly<Record<string, unknown>>;
  readonly fallback: unknown;
};

const woox = (data: unknown) => ({ success: true, data, timestamp: 1_760_000_000_000 });
const rows = (total = 0) =>
  woox({ rows: [], meta: { total, recordsPerPage: 500, currentPage: 1 } });
const bybit = (result: unknown) => ({ retCode: 0, retMsg: "OK", result, time: 1_760_000_000_000 });
const okx = (row: unknown) => ({ code: "0", msg: "", data: [row] });
const kucoin = (data: unknown) => ({ code: "200000", data });

/** By our exchange ids. */
export const ANSWERS: Readonly<Record<string, Answers>> = {
  woox: {
    setup: {},
    answers: {
      "GET /v3/futures/positions": woox({ positions: [] }),
      "GET /v3/asset/balances": woox({ holding: [] }),
      "GET /v3/account/info": woox({ positionMode: "HEDGE_MODE" }),
      "GET /v3/futures/leverage": woox({ details: [{ positionSide: "BOTH", leverage: 10 }] }),
      "GET /v3/trade/tradingFee": woox({ makerFee: "2", takerFee: "5" }),
      "GET /v3/trade/orders": rows(),
      "GET /v3/trade/algoOrders": rows(),
      "GET /v3/trade/transactionHistory": rows(),
      "GET /v3/futures/fundingFee/history": rows(),
    },
    fallback: woox({ orderId: 60667653330, rows: [], status: "OK" }),
  },
  binance: {
    setup: {
      "/fapi/v1/exchangeInfo": {
        timezone: "UTC",
        symbols: [
          {
            symbol: "BTCUSDT",
            pair: "BTCUSDT",
            contractType: "PERPETUAL",
            deliveryDate: 4_133_404_800_000,
            onboardDate: 1_567_965_300_000,
            status: "TRADING",
            baseAsset: "BTC",
            quoteAsset: "USDT",
            marginAsset: "USDT",
            pricePrecision: 2,
            quantityPrecision: 3,
            baseAssetPrecision: 8,
            quotePrecision: 8,
            underlyingType: "COIN",
            filters: [
              {
                filterType: "PRICE_FILTER",
                minPrice: "261.10",
                maxPrice: "809484",
                tickSize: "0.10",
              },
              { filterType: "LOT_SIZE", stepSize: "0.001", minQty: "0.001", maxQty: "1000" },
              { filterType: "MARKET_LOT_SIZE", stepSize: "0.001", minQty: "0.001", maxQty: "120" },
              { filterType: "MIN_NOTIONAL", notional: "100" },
            ],
            orderTypes: ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT_MARKET"],
            timeInForce: ["GTC", "IOC", "FOK", "GTX"],
          },
        ],
      },
      "/fapi/v1/leverageBracket": [],
    },
    answers: {
      "GET /fapi/v1/openOrders": [],
      "GET /fapi/v1/openAlgoOrders": [],
      "GET /fapi/v1/userTrades": [],
      "GET /fapi/v3/positionRisk": [],
      "GET /fapi/v1/income": [],
      "GET /fapi/v1/time": { serverTime: 1_760_000_000_000 },
      "GET /fapi/v1/symbolConfig": [{ symbol: "BTCUSDT", leverage: 10, marginType: "CROSSED" }],
      "GET /fapi/v1/depth": { T: 1_760_000_000_000, bids: [["1", "2"]], asks: [["3", "4"]] },
    },
    fallback: { orderId: 77, algoId: 78, symbol: "BTCUSDT", code: 200 },
  },
  bybit: {
    setup: {
      "/v5/market/instruments-info": bybit({
        category: "linear",
        nextPageCursor: "",
        list: [
          {
            symbol: "BTCUSDT",
            contractType: "LinearPerpetual",
            status: "Trading",
            baseCoin: "BTC",
            quoteCoin: "USDT",
            settleCoin: "USDT",
            launchTime: "1585526400000",
            deliveryTime: "0",
            deliveryFeeRate: "",
            priceScale: "2",
            leverageFilter: { minLeverage: "1", maxLeverage: "100.00", leverageStep: "0.01" },
            priceFilter: { minPrice: "0.10", maxPrice: "1999999.80", tickSize: "0.10" },
            lotSizeFilter: {
              maxOrderQty: "1190.000",
              minOrderQty: "0.001",
              qtyStep: "0.001",
              minNotionalValue: "5",
            },
            unifiedMarginTrade: true,
            fundingInterval: 480,
          },
        ],
      }),
    },
    answers: {
      "GET /v5/order/realtime": bybit({ list: [] }),
      "GET /v5/execution/list": bybit({ list: [] }),
      "GET /v5/position/list": bybit({ list: [] }),
    },
    fallback: bybit({ orderId: "77", list: [{ orderId: "77" }] }),
  },
  okx: {
    setup: {
      "/api/v5/public/instruments": okx({
        instType: "SWAP",
        instId: "BTC-USDT-SWAP",
        uly: "BTC-USDT",
        instFamily: "BTC-USDT",
        baseCcy: "",
        quoteCcy: "",
        settleCcy: "USDT",
        ctVal: "0.01",
        ctMult: "1",
        ctValCcy: "BTC",
        ctType: "linear",
        lever: "100",
        listTime: "1611916828000",
        lotSz: "0.01",
        minSz: "0.01",
        tickSz: "0.1",
        state: "live",
      }),
    },
    answers: {
      "GET /api/v5/trade/orders-pending": { code: "0", data: [] },
      "GET /api/v5/trade/orders-algo-pending": { code: "0", data: [] },
      "GET /api/v5/trade/fills-history": { code: "0", data: [] },
      "GET /api/v5/account/positions": { code: "0", data: [] },
      "GET /api/v5/account/bills-archive": { code: "0", data: [] },
      "GET /api/v5/public/time": okx({ ts: "1760000000000" }),
    },
    fallback: okx({ ordId: "77", sCode: "0" }),
  },
  kucoin: {
    setup: {
      "/api/v1/contracts/active": kucoin([
        {
          symbol: "XBTUSDTM",
          rootSymbol: "USDT",
          type: "FFWCSX",
          baseCurrency: "XBT",
          quoteCurrency: "USDT",
          settleCurrency: "USDT",
          maxOrderQty: 1_000_000,
          maxPrice: 1_000_000,
          lotSize: 1,
          tickSize: 0.1,
          multiplier: 0.001,
          isInverse: false,
          status: "Open",
          nextFundingRateTime: 1,
          maxLeverage: 125,
        },
      ]),
    },
    answers: {
      "GET /api/v1/orders": kucoin({ items: [] }),
      "GET /api/v1/stopOrders": kucoin({ items: [] }),
      "GET /api/v1/fills": kucoin({ items: [] }),
      "GET /api/v1/timestamp": kucoin(1_760_000_000_000),
      "GET /api/v1/positions": kucoin([]),
      "GET /api/v1/funding-history": kucoin({ dataList: [] }),
    },
    fallback: kucoin({ orderId: "77" }),
  },
  upbit: {
    setup: {
      "/v1/market/all": [{ market: "KRW-BTC", korean_name: "b", english_name: "Bitcoin" }],
    },
    answers: { "GET /v1/orders/open": [], "GET /v1/accounts": [] },
    fallback: { uuid: "77", market: "KRW-BTC" },
  },
};
