// Misbehaviour that happens at once: trades the client did not send, interventions of the exchange,
// lost streams. Called by the admin interface and by faults planned for an instant.
import { type Account, legOf, legSides } from "./account.ts";
import { settle } from "./aftermath.ts";
import { gridCount, toUnits } from "./decimal.ts";
import {
  DEEDS,
  type DeedName,
  type FaultRequest,
  type FaultRule,
  numberOf,
  type SwitchName,
  SWITCHES,
  textOf,
} from "./faults.ts";
import { payFunding, RATE_DECIMALS } from "./funding.ts";
import { closeByExchange, liquidate, openLegs, tradeByExchange } from "./liquidation.ts";
import { forceMode } from "./position-mode.ts";
import { type Exchange, type Market, record } from "./state.ts";

/** What only the server can do. */
export type StreamDeeds = {
  dropStreams(rule: FaultRequest): void;
  expireKeys(rule: FaultRequest): void;
};

/** A fault request that cannot be done: one sentence naming field and allowed values. */
export class FaultRequestError extends Error {
  override readonly name = "FaultRequestError";
}

/** Arms a switch or does a deed, now or at its instant. @returns the rule of a switch */
export function applyFault(
  x: Exchange,
  request: FaultRequest,
  streams: StreamDeeds,
): FaultRule | null {
  if (!(request.name in SWITCHES) && !(request.name in DEEDS)) {
    throw new FaultRequestError(`name "${request.name}" is no fault`);
  }
  if (request.name in DEEDS) checkDeed(x, request);
  if (request.at !== undefined && request.at > x.now) {
    const { at, ...rest } = request;
    x.schedule.at(at, () => void applyFault(x, rest, streams));
    return null;
  }
  record(x, "fault_set", { name: request.name, params: JSON.stringify(request.params ?? {}) });
  if (request.name in SWITCHES) return x.faults.arm(request as FaultRequest & { name: SwitchName });
  doDeed(x, request, streams);
  settle(x);
  return null;
}

function checkDeed(x: Exchange, request: FaultRequest): void {
  const name = request.name as DeedName;
  if (name === "ws_drop" || name === "listenkey_expire") return;
  if (name === "funding_charge") {
    rateOf(request);
    symbolOf(x, request);
    return;
  }
  accountsOf(x, request);
  if (name !== "manual_trade" && name !== "adl") return;
  lotsOf(symbolOf(x, request), request);
}

function doDeed(x: Exchange, request: FaultRequest, streams: StreamDeeds): void {
  switch (request.name as DeedName) {
    case "ws_drop":
      streams.dropStreams(request);
      return;
    case "listenkey_expire":
      streams.expireKeys(request);
      return;
    case "funding_charge":
      payFunding(x, symbolOf(x, request), rateOf(request));
      return;
    default:
      for (const account of accountsOf(x, request)) doToAccount(x, account, request);
  }
}

function doToAccount(x: Exchange, account: Account, request: FaultRequest): void {
  switch (request.name as DeedName) {
    case "one_way_account":
      forceMode(x, account, "ONE_WAY", 0);
      return;
    case "mode_flip": {
      const mode = account.mode === "ONE_WAY" ? "HEDGE_MODE" : "ONE_WAY";
      forceMode(x, account, mode, numberOf(request, "ms", 0));
      return;
    }
    case "liquidation":
      liquidate(x, account);
      return;
    case "adl": {
      const market = symbolOf(x, request);
      const legs = openLegs(account).filter((leg) => leg.instrument === market.instrument);
      for (const leg of legs) closeByExchange(x, account, leg, "adl", lotsOf(market, request));
      return;
    }
    default:
      tradeByHand(x, account, request);
  }
}

/** A trade as if made by hand on the exchange's own pages. */
function tradeByHand(x: Exchange, account: Account, request: FaultRequest): void {
  const market = symbolOf(x, request);
  const side = textOf(request, "side") === "SELL" ? "SELL" : "BUY";
  const wanted = textOf(request, "positionSide");
  const sides = legSides(account.mode);
  const legSide = sides.find((one) => one === wanted) ?? sides[0] ?? "BOTH";
  const leg = legOf(account, market.instrument, legSide);
  const lots = lotsOf(market, request);
  const ticks = market.lastTicks;
  tradeByExchange(x, account, { leg, side, lots, ticks, tag: "default", isClosing: false });
}

function accountsOf(x: Exchange, request: FaultRequest): Account[] {
  const name = request.match?.account;
  const found = [...x.accounts.values()].filter((each) => name === undefined || each.name === name);
  if (found.length === 0) throw new FaultRequestError(`match.account "${name}" is no account`);
  return found;
}

function symbolOf(x: Exchange, request: FaultRequest): Market {
  const symbol = request.match?.symbol ?? [...x.markets.keys()][0] ?? "";
  const market = x.markets.get(symbol);
  if (!market) throw new FaultRequestError(`match.symbol "${symbol}" is no instrument`);
  return market;
}

function lotsOf(market: Market, request: FaultRequest): number {
  const text = String(request.params?.quantity ?? "");
  const lots = gridCount(text, market.instrument.qty);
  if (lots === null || lots <= 0) {
    const step = market.instrument.spec.baseTick;
    throw new FaultRequestError(`params.quantity "${text}" must be a positive multiple of ${step}`);
  }
  return lots;
}

function rateOf(request: FaultRequest): bigint {
  const text = String(request.params?.rate ?? "");
  const rate = toUnits(text, RATE_DECIMALS);
  if (rate === null) {
    throw new FaultRequestError(`params.rate "${text}" must be a decimal of at most 8 places`);
  }
  return rate;
}
