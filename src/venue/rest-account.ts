// Requests about the account: balances, positions, modes, leverage, fees, funding payments, listen key.
// Replies have the shape of the published samples.
import {
  type Account,
  legSides,
  leverageOf,
  pendingOf,
  type PositionMode,
  setLeverage,
} from "./account.ts";
import { gridText, moneyText, unitsText } from "./decimal.ts";
import { type Endpoint, pageOf, type PrivateCall, TEN_A_SECOND, timeRange } from "./endpoint.ts";
import { badParameter, VenueError } from "./errors.ts";
import { act } from "./exchange.ts";
import { RATE_DECIMALS } from "./funding.ts";
import { freeCollateral, liquidationTicks, marginFigures, type MarginFigures } from "./margin.ts";
import { wordOf } from "./order-rules.ts";
import type { LegSide } from "./order.ts";
import { averagePrice, dayFigures, legAt, type Leg } from "./position.ts";
import { requestMode } from "./position-mode.ts";
import { type Exchange, type Market, marketOf, record } from "./state.ts";
import { rawNumber } from "./wire.ts";

const TEN_A_MINUTE = { count: 10, perMs: 60_000 };
/** Decimals of a ratio in a reply. */
const RATIO_DECIMALS = 4;
const DAY_MS = 86_400_000;

/** Coin in which everything is settled. */
export function settleCoin(x: Exchange): string {
  const [first] = x.markets.values();
  return first?.instrument.spec.quote ?? "USDT";
}

/** What the wallet shows: holding, frozen as margin, free. */
export function walletFigures(x: Exchange, account: Account) {
  const figures = marginFigures(x, account);
  const free = freeCollateral(figures);
  const least = free < account.wallet ? free : account.wallet;
  const available = least > 0n ? least : 0n;
  return { holding: account.wallet, frozen: account.wallet - available, available };
}

function balances({ x, account, wire }: PrivateCall) {
  const { holding, frozen, available } = walletFigures(x, account);
  const row = {
    token: settleCoin(x),
    holding: wire.num(moneyText(holding)),
    frozen: wire.num(moneyText(frozen)),
    staked: 0,
    unbonding: 0,
    vault: 0,
    interest: 0,
    pendingShortQty: 0,
    pendingLongQty: 0,
    availableBalance: wire.num(moneyText(available)),
    updatedTime: rawNumber(wire.time(x.now)),
  };
  return { data: { holding: [row] } };
}

/** Legs a positions reply shows: those of the mode that were ever touched, closed ones included. */
function shownLegs(account: Account): Leg[] {
  const sides = legSides(account.mode);
  return [...account.legs.values()].filter((leg) => leg.version > 0 && sides.includes(leg.side));
}

/** Signed lots as published: a SHORT leg of a hedge is negative unless the dialect says otherwise. */
export function shownLots(x: Exchange, leg: Leg, lots: number): number {
  const isAbsolute = leg.side === "SHORT" && x.settings.dialect.shortHolding === "absolute";
  return isAbsolute ? Math.abs(lots) : lots;
}

/** A crude rank by the share of margin used, from 1 (last to be deleveraged) to 5. */
export function adlQuantile(figures: MarginFigures): number {
  if (figures.equity <= 0n) return 5;
  return Number(1n + (figures.maintenance * 4n) / figures.equity);
}

function positions({ x, account, params, readAt }: PrivateCall) {
  const market = params.symbol === undefined ? null : marketOf(x, params.symbol);
  const figures = marginFigures(x, account);
  const rows = shownLegs(account)
    .filter((leg) => !market || leg.instrument === market.instrument)
    .flatMap((leg) => {
      const view = legAt(leg, readAt);
      return view ? [positionRow(x, account, { leg, view, quantile: adlQuantile(figures) })] : [];
    });
  return { data: { positions: rows } };
}

function positionRow(
  x: Exchange,
  account: Account,
  shown: { leg: Leg; view: { lots: number; cost: bigint }; quantile: number },
) {
  const { leg, view, quantile } = shown;
  const { instrument, side } = leg;
  const { buyLots, sellLots } = pendingOf(account, instrument, side);
  const average = averagePrice(instrument, view);
  const day = dayFigures(leg, x.now);
  const { markTicks } = marketOf(x, instrument.symbol);
  return {
    symbol: instrument.symbol,
    holding: gridText(shownLots(x, leg, view.lots), instrument.qty),
    pendingLongQty: gridText(buyLots, instrument.qty),
    pendingShortQty: gridText(sellLots, instrument.qty),
    settlePrice: average,
    averageOpenPrice: average,
    pnl24H: moneyText(day.pnl),
    fee24H: moneyText(day.fee),
    markPrice: gridText(markTicks, instrument.price),
    estLiqPrice: gridText(liquidationTicks(x, account, instrument, side), instrument.price),
    timestamp: x.now,
    adlQuantile: quantile,
    positionSide: side,
    marginMode: "CROSS",
    isolatedMarginToken: "",
    isolatedMarginAmount: "0",
    isolatedFrozenLong: "0",
    isolatedFrozenShort: "0",
    leverage: leverageOf(account, instrument, side),
  };
}

/** Equity over a value, "10" (the published cap) when nothing is at risk. */
function ratioText(equity: bigint, value: bigint): string {
  if (value === 0n) return "10";
  return unitsText((equity * 10n ** BigInt(RATIO_DECIMALS)) / value, RATIO_DECIMALS);
}

/** Parts per million as basis points, a JSON number. */
const bps = (ppm: bigint) => rawNumber(unitsText(ppm, 2));

function accountInfo({ x, account }: PrivateCall) {
  const figures = marginFigures(x, account);
  const equity = moneyText(figures.equity);
  const [first] = x.markets.values();
  const open = ratioText(figures.equity, figures.exposure);
  return {
    data: {
      applicationId: account.applicationId,
      account: account.name,
      alias: account.name,
      otpauth: true,
      accountMode: "FUTURES",
      positionMode: account.mode,
      leverage: 0,
      makerFeeRate: bps(account.makerPpm),
      takerFeeRate: bps(account.takerPpm),
      marginRatio: ratioText(figures.equity, figures.positions),
      openMarginRatio: open,
      initialMarginRatio: open,
      maintenanceMarginRatio: first?.instrument.spec.maintenanceRatio ?? "0",
      totalCollateral: equity,
      freeCollateral: moneyText(freeCollateral(figures)),
      totalAccountValue: equity,
      totalTradingValue: equity,
      totalVaultValue: "0",
      totalStakingValue: "0",
      totalLaunchpadValue: "0",
      totalEarnValue: "0",
      referrerID: null,
      accountType: "Main",
    },
  };
}

/** The keys of the account; each has one here. A key that works from everywhere has no addresses. */
function credentials({ x, account, params }: PrivateCall) {
  const { id: userId, name: accountName, apiKey, permissions, allowedIps } = account;
  const key = { accountName, userId, apiKey, permissions };
  const row = allowedIps === null ? key : { ...key, allowedIPs: allowedIps };
  return { data: pageOf([row], params, { standard: x.settings.dialect.pageRows }) };
}

function symbolConfig({ x, params }: PrivateCall) {
  const markets =
    params.symbol === undefined ? [...x.markets.values()] : [marketOf(x, params.symbol)];
  const rows = markets.map(({ instrument: { spec } }) => ({
    symbol: spec.symbol,
    maxLeverage: spec.maxLeverage,
    maxPosition: spec.maxPosition,
    margin_factor: spec.maintenanceRatio,
  }));
  return { data: { rows } };
}

function tradingFee({ x, account, params }: PrivateCall) {
  const { instrument } = marketOf(x, params.symbol);
  const [takerFee, makerFee] = [unitsText(account.takerPpm, 2), unitsText(account.makerPpm, 2)];
  return { data: { symbol: instrument.symbol, takerFee, makerFee } };
}

function getLeverage({ x, account, params }: PrivateCall) {
  const { instrument } = marketOf(x, params.symbol);
  wordOf("marginMode", params.marginMode ?? "CROSS", ["CROSS"]);
  const details = legSides(account.mode).map((positionSide) => ({
    positionSide,
    leverage: leverageOf(account, instrument, positionSide),
  }));
  const { mode: positionMode } = account;
  return { data: { symbol: instrument.symbol, marginMode: "CROSS", positionMode, details } };
}

function putLeverage({ x, account, params }: PrivateCall) {
  const market = marketOf(x, params.symbol);
  wordOf("marginMode", params.marginMode ?? "CROSS", ["CROSS"]);
  const text = params.leverage ?? "";
  const leverage = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (leverage < 1 || leverage > market.instrument.spec.maxLeverage) throw new VenueError(302306);
  const side = leverageSide(account, params.positionSide);
  const before = leverageOf(account, market.instrument, side);
  setLeverage(account, market.instrument, side, leverage);
  const figures = marginFigures(x, account);
  if (leverage < before && figures.initial > figures.equity) {
    setLeverage(account, market.instrument, side, before);
    throw new VenueError(302305);
  }
  record(x, "leverage", {
    account: account.name,
    symbol: market.instrument.symbol,
    side,
    leverage,
  });
  return {};
}

function leverageSide(account: Account, text: string | undefined): LegSide {
  const sides = legSides(account.mode);
  const wanted = text ?? (account.mode === "ONE_WAY" ? "BOTH" : undefined);
  const side = sides.find((each) => each === wanted);
  if (side === undefined) throw new VenueError(302186);
  return side;
}

function putPositionMode({ x, account, params }: PrivateCall) {
  const mode = wordOf<PositionMode>("positionMode", params.positionMode, ["ONE_WAY", "HEDGE_MODE"]);
  act(x, null, () => requestMode(x, account, mode));
  return {};
}

function fundingFees({ x, account, params }: PrivateCall) {
  const market: Market | null = params.symbol === undefined ? null : marketOf(x, params.symbol);
  const { from, to } = timeRange(params);
  const found = account.payments
    .filter(
      ({ at, instrument }) =>
        at >= from && at <= to && (!market || instrument === market.instrument),
    )
    .reverse();
  const { rows, meta } = pageOf(found, params, { standard: x.settings.dialect.pageRows });
  return {
    data: {
      meta,
      rows: rows.map(({ id, instrument, at, rateE8, markTicks, amount }) => ({
        id,
        symbol: instrument.symbol,
        fundingRate: rawNumber(unitsText(rateE8, RATE_DECIMALS)),
        markPrice: gridText(markTicks, instrument.price),
        fundingFee: moneyText(amount < 0n ? -amount : amount),
        fundingIntervalHours: instrument.spec.fundingIntervalHours,
        paymentType: amount < 0n ? "Pay" : "Receive",
        status: "COMPLETED",
        createdTime: at,
        updatedTime: at,
      })),
    },
  };
}

/** Keys that open a private V3 stream; the newest of an account alone is valid. */
export type ListenKeys = {
  issue(account: Account, at: number): { key: string; expiredTime: number };
  /** The account of a valid key. */
  owner(key: string, at: number): Account | null;
  /** Ends the keys of an account, of all when null. */
  revoke(account: Account | null): void;
};

/** No key issued. `onEnd` is told when a newer key replaces one. */
export function createListenKeys(seed: number, onEnd: (account: Account) => void): ListenKeys {
  const current = new Map<Account, { key: string; expiredTime: number }>();
  let issued = 0;
  return {
    issue(account, at) {
      if (current.has(account)) onEnd(account);
      const text = `listen ${seed} ${account.apiKey} ${++issued}`;
      const key = new Bun.CryptoHasher("sha256").update(text).digest("hex");
      const made = { key, expiredTime: at + DAY_MS };
      current.set(account, made);
      return made;
    },
    owner(key, at) {
      for (const [account, made] of current) {
        if (made.key === key && at < made.expiredTime) return account;
      }
      return null;
    },
    revoke(account) {
      if (account) current.delete(account);
      else current.clear();
    },
  };
}

const v3 = { access: "v3", limit: TEN_A_SECOND } as const;

/** All requests about the account; `keys` issues listen keys. */
export function accountEndpoints(keys: ListenKeys): readonly Endpoint[] {
  return [
    { ...v3, method: "GET", path: "/v3/asset/balances", run: balances },
    {
      ...v3,
      method: "GET",
      path: "/v3/futures/positions",
      limit: { count: 30, perMs: 10_000 },
      run: positions,
    },
    { ...v3, method: "GET", path: "/v3/account/info", limit: TEN_A_MINUTE, run: accountInfo },
    { ...v3, method: "GET", path: "/v3/account/symbolConfig", run: symbolConfig },
    {
      ...v3,
      method: "GET",
      path: "/v3/account/credentials",
      limit: TEN_A_MINUTE,
      run: credentials,
    },
    {
      ...v3,
      method: "GET",
      path: "/v3/account/subAccounts/all",
      limit: TEN_A_MINUTE,
      run: () => ({ data: { rows: [] } }),
    },
    {
      ...v3,
      method: "GET",
      path: "/v3/trade/tradingFee",
      limit: { count: 2, perMs: 1000 },
      run: tradingFee,
    },
    { ...v3, method: "GET", path: "/v3/futures/leverage", limit: TEN_A_MINUTE, run: getLeverage },
    { ...v3, method: "PUT", path: "/v3/futures/leverage", limit: TEN_A_MINUTE, run: putLeverage },
    {
      ...v3,
      method: "PUT",
      path: "/v3/futures/positionMode",
      limit: { count: 5, perMs: 60_000 },
      run: putPositionMode,
    },
    {
      ...v3,
      method: "GET",
      path: "/v3/futures/fundingFee/history",
      limit: { count: 20, perMs: 60_000 },
      run: fundingFees,
    },
    {
      ...v3,
      method: "POST",
      path: "/v3/account/listenKey",
      limit: { count: 5, perMs: 10_000 },
      run({ x, account, params }: PrivateCall) {
        if (params.type !== "WEBSOCKET") throw badParameter("type", params.type, "WEBSOCKET");
        return { data: keys.issue(account, x.now) };
      },
    },
  ];
}
