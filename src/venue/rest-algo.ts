// Requests about algo orders. Reads plans out of nested bodies, hands them to algo.ts, and writes rows in
// the shape of the published samples.
import { type Account, heldLots } from "./account.ts";
import {
  cancelAlgo,
  enterBracket,
  openAlgo,
  type AlgoPlan,
  stopKind,
  watchedTicks,
} from "./algo.ts";
import { type Algo, executedOf, isAlgoOpen } from "./algo-order.ts";
import { gridText, moneyText, toUnits } from "./decimal.ts";
import { type Endpoint, pageOf, type PrivateCall, TEN_A_SECOND, timeRange } from "./endpoint.ts";
import { badParameter, VenueError } from "./errors.ts";
import { act } from "./exchange.ts";
import {
  booleanOf,
  clientIdOf,
  integerOf,
  legSideOf,
  lotsOf,
  requireTradable,
  ticksOf,
  wordOf,
} from "./order-rules.ts";
import type { OrderType, Side } from "./order.ts";
import { pricePerLot } from "./position.ts";
import { type Exchange, type Market, marketFor, marketOf } from "./state.ts";
import { isObject, scalarsOf, type TextObject, type Wire } from "./wire.ts";

const ALGO_TYPES = ["STOP", "TRAILING_STOP", "POSITIONAL_TP_SL", "BRACKET"] as const;
const PLAIN_TYPES: readonly OrderType[] = ["LIMIT", "MARKET", "IOC", "FOK", "POST_ONLY"];
const CHILDREN_MAX = 4;
const STATUSES: Readonly<Record<string, readonly Algo["status"][]>> = {
  INCOMPLETE: ["NEW", "PARTIAL_FILLED"],
  COMPLETED: ["CANCELLED", "FILLED", "REJECTED"],
  NEW: ["NEW"],
  PARTIAL_FILLED: ["PARTIAL_FILLED"],
  FILLED: ["FILLED"],
  CANCELLED: ["CANCELLED"],
  REJECTED: ["REJECTED"],
};

type Params = PrivateCall["params"];

/** The part of a plan every algo order has. */
function commonPlan(account: Account, market: Market, params: Params) {
  if (params.triggerPriceType === "INDEX_PRICE") throw new VenueError(317144);
  return {
    instrument: market.instrument,
    clientId: clientIdOf("clientAlgoOrderId", params.clientAlgoOrderId),
    tag: params.algoOrderTag ?? params.orderTag ?? "default",
    positionSide: legSideOf(account, params.positionSide),
    reduceOnly: booleanOf("reduceOnly", params.reduceOnly),
    triggerPriceType: wordOf("triggerPriceType", params.triggerPriceType ?? "MARKET_PRICE", [
      "MARKET_PRICE",
      "MARK_PRICE",
    ]),
    triggerTicks: null,
    firesAbove: false,
    ticks: null,
    lots: 0,
    activationTicks: null,
    callbackTicks: null,
    callbackPpm: null,
  } satisfies Partial<AlgoPlan>;
}

/** Side, type, size and price of an algo order that becomes a plain one. */
function plainPart(market: Market, params: Params) {
  const side = wordOf<Side>("side", params.side, ["BUY", "SELL"]);
  const type = wordOf("type", params.type, PLAIN_TYPES);
  if (params.quantity === undefined) throw new VenueError(317140);
  const isPriced = type !== "MARKET";
  if (isPriced && params.price === undefined) {
    throw badParameter("price", undefined, `${type} orders need one`);
  }
  const ticks = isPriced ? ticksOf(market, params.price ?? "") : null;
  return { side, type, lots: lotsOf(market, params.quantity), ticks };
}

function stopPlan(account: Account, market: Market, params: Params): AlgoPlan {
  const common = commonPlan(account, market, params);
  const plain = plainPart(market, params);
  if (params.triggerPrice === undefined) throw badParameter("triggerPrice", undefined, "a price");
  const triggerTicks = ticksOf(market, params.triggerPrice);
  const firesAbove = triggerTicks > watchedTicks(market, common.triggerPriceType);
  const algoType = stopKind(plain.side, firesAbove);
  return { ...common, ...plain, algoType, triggerTicks, firesAbove };
}

function trailingPlan(account: Account, market: Market, params: Params): AlgoPlan {
  const { callbackRate, callbackValue, activatedPrice } = params;
  if ((callbackRate === undefined) === (callbackValue === undefined)) {
    throw badParameter("callbackRate", callbackRate, "either callbackRate or callbackValue");
  }
  const ppm = callbackRate === undefined ? null : toUnits(callbackRate, 6);
  if (callbackRate !== undefined && (ppm === null || ppm <= 0n || ppm >= 1_000_000n)) {
    throw badParameter("callbackRate", callbackRate, "a ratio above 0 and below 1");
  }
  return {
    ...commonPlan(account, market, params),
    ...plainPart(market, params),
    algoType: "TRAILING_STOP",
    activationTicks: activatedPrice === undefined ? null : ticksOf(market, activatedPrice),
    callbackTicks: callbackValue === undefined ? null : ticksOf(market, callbackValue),
    callbackPpm: ppm === null ? null : Number(ppm),
  };
}

/** Child orders of a body, at most a few. */
function childrenOf(body: TextObject): TextObject[] {
  const list = body.childOrders;
  const children = Array.isArray(list) ? list.filter(isObject) : [];
  if (children.length === 0 || children.length > CHILDREN_MAX) {
    throw badParameter("childOrders", undefined, `a list of 1 to ${CHILDREN_MAX} orders`);
  }
  return children;
}

/** A leg of a take-profit/stop-loss pair: closes the whole position at the market. */
function legPlan(market: Market, parent: AlgoPlan, child: TextObject): AlgoPlan {
  const params = scalarsOf(child);
  const algoType = wordOf("algoType", params.algoType, ["STOP_LOSS", "TAKE_PROFIT"]);
  const side = wordOf<Side>("side", params.side, ["BUY", "SELL"]);
  wordOf("type", params.type, ["CLOSE_POSITION"]);
  if (params.triggerPrice === undefined) throw badParameter("triggerPrice", undefined, "a price");
  const firesAbove = (algoType === "TAKE_PROFIT") === (side === "SELL");
  const triggerTicks = ticksOf(market, params.triggerPrice);
  const now = watchedTicks(market, parent.triggerPriceType);
  if (firesAbove ? triggerTicks <= now : triggerTicks >= now) {
    throw new VenueError(firesAbove ? 317150 : 317151);
  }
  return {
    ...parent,
    algoType,
    side,
    type: "CLOSE_POSITION",
    reduceOnly: true,
    clientId: "0",
    triggerTicks,
    firesAbove,
  };
}

type Tree = { readonly plan: AlgoPlan; readonly legs: readonly AlgoPlan[] };

function positionalTree(call: PrivateCall, market: Market, body: TextObject): Tree {
  const params = scalarsOf(body);
  const common = commonPlan(call.account, market, params);
  const children = childrenOf(body);
  const side = wordOf<Side>("side", scalarsOf(children[0] ?? {}).side, ["BUY", "SELL"]);
  const plan: AlgoPlan = { ...common, algoType: "POSITIONAL_TP_SL", side, type: "CLOSE_POSITION" };
  return { plan, legs: children.map((child) => legPlan(market, plan, child)) };
}

/** Opens a container with its legs below `parent`. */
function openTree(
  { x, account }: PrivateCall,
  tree: Tree,
  parent: Algo | null,
  isArmed: boolean,
): Algo {
  const root = openAlgo(x, account, tree.plan, { parent, isArmed });
  for (const leg of tree.legs) openAlgo(x, account, leg, { parent: root, isArmed });
  return root;
}

function openAsked(call: PrivateCall, market: Market): Algo {
  const { x, account, params, body } = call;
  const known: readonly string[] = ALGO_TYPES;
  if (!known.includes(params.algoType ?? "")) {
    throw new VenueError(317167, `unsupported algo type: ${params.algoType}`);
  }
  switch (params.algoType as (typeof ALGO_TYPES)[number]) {
    case "STOP":
      return openAlgo(x, account, stopPlan(account, market, params), {
        parent: null,
        isArmed: true,
      });
    case "TRAILING_STOP":
      return openAlgo(x, account, trailingPlan(account, market, params), {
        parent: null,
        isArmed: true,
      });
    case "POSITIONAL_TP_SL": {
      const tree = positionalTree(call, market, body);
      const held = heldLots(account, market.instrument, tree.plan.positionSide);
      if (held === 0) throw new VenueError(302118);
      return openTree(call, tree, null, true);
    }
    default:
      return openBracket(call, market);
  }
}

/** Entry now, take-profit and stop-loss once it fills; everything is read before anything is opened. */
function openBracket(call: PrivateCall, market: Market): Algo {
  const { x, account, params, body } = call;
  const common = commonPlan(account, market, params);
  const plain = plainPart(market, params);
  const { positionSide } = common;
  const trees = childrenOf(body).map((child) =>
    positionalTree(call, market, { positionSide, ...child }),
  );
  const plan: AlgoPlan = { ...common, ...plain, algoType: "BRACKET" };
  const root = openAlgo(x, account, plan, { parent: null, isArmed: true });
  for (const tree of trees) openTree(call, tree, root, false);
  enterBracket(x, account, root);
  return root;
}

function place(call: PrivateCall) {
  const { x, account, params } = call;
  const market = marketOf(x, params.symbol);
  requireTradable(x, account, market);
  refuseRepeatedId(account, params.clientAlgoOrderId);
  const algo = act(x, market, () => openAsked(call, market));
  const row = {
    orderId: String(algo.id),
    clientOrderId: algo.clientId,
    algoType: algo.algoType,
    quantity: gridText(algo.lots, market.instrument.qty),
  };
  return { data: { rows: [row] } };
}

function refuseRepeatedId(account: Account, text: string | undefined): void {
  const clientId = clientIdOf("clientAlgoOrderId", text);
  if (clientId === "0") return;
  for (const algo of account.algos.values()) {
    if (algo.clientId === clientId && isAlgoOpen(algo)) throw new VenueError(302117);
  }
}

/** The algo order a request names; the latest with a client id. */
function named({ account, params }: PrivateCall, missing: number): Algo {
  let found: Algo | undefined;
  if (params.algoOrderId !== undefined) {
    const id = integerOf("algoOrderId", params.algoOrderId, { min: 1, max: 2 ** 53 });
    found = account.algos.get(id);
  } else if (params.clientAlgoOrderId !== undefined) {
    const clientId = clientIdOf("clientAlgoOrderId", params.clientAlgoOrderId);
    for (const algo of account.algos.values()) if (algo.clientId === clientId) found = algo;
  } else {
    throw badParameter("algoOrderId", undefined, "algoOrderId or clientAlgoOrderId is needed");
  }
  if (!found) throw new VenueError(missing);
  return found;
}

function cancel(call: PrivateCall) {
  const { x, account } = call;
  const algo = named(call, -1006);
  act(x, null, () => cancelAlgo(x, account, algo, "cancelled by the client"));
  return { data: { status: "CANCEL_SENT" } };
}

function cancelAlgos({ x, account, params }: PrivateCall) {
  const market = params.symbol === undefined ? null : marketOf(x, params.symbol);
  for (const algo of account.algos.values()) {
    const isMeant = isAlgoOpen(algo) && (!market || algo.instrument === market.instrument);
    if (isMeant) cancelAlgo(x, account, algo, "cancelled by the client");
  }
  return { data: { status: "CANCEL_ALL_SENT" } };
}

/** Trigger, price and quantity may change until it goes off. */
function amend(call: PrivateCall) {
  const { x, params } = call;
  const algo = named(call, 302129);
  if (!isAlgoOpen(algo) || algo.order) throw new VenueError(317177);
  const market = marketFor(x, algo.instrument);
  const { triggerPrice, price, quantity } = params;
  const triggerTicks =
    triggerPrice === undefined ? algo.triggerTicks : ticksOf(market, triggerPrice);
  const ticks = price === undefined ? algo.ticks : ticksOf(market, price);
  const lots = quantity === undefined ? algo.lots : lotsOf(market, quantity);
  act(x, market, () => {
    Object.assign(algo, { triggerTicks, ticks, lots, updatedAt: x.now });
    x.listener.onAlgo(call.account, algo);
  });
  return { data: { status: "EDIT_SENT" } };
}

/** An algo order as a row. */
function algoRow(x: Exchange, wire: Wire, algo: Algo) {
  const { instrument } = algo;
  const done = executedOf(algo);
  const price = (ticks: number | null) =>
    wire.num(ticks === null ? "0" : gridText(ticks, instrument.price));
  const lots = (count: number) => wire.num(gridText(count, instrument.qty));
  const root = x.accounts.get(algo.accountId)?.algos.get(algo.rootId);
  const isTriggered = algo.triggeredAt > 0;
  return {
    algoOrderId: wire.id(algo.id),
    clientAlgoOrderId: wire.id(algo.clientId),
    rootAlgoOrderId: wire.id(algo.rootId),
    parentAlgoOrderId: wire.id(algo.parentId),
    symbol: instrument.symbol,
    algoOrderTag: algo.tag,
    algoType: algo.algoType,
    side: algo.side,
    quantity: lots(algo.lots),
    isTriggered,
    triggerPrice: price(algo.triggerTicks),
    triggerStatus: !isTriggered ? "USELESS" : algo.status === "REJECTED" ? "FAILED" : "SUCCESS",
    type: algo.type,
    rootAlgoStatus: root?.status ?? algo.status,
    algoStatus: algo.status,
    triggerPriceType: algo.triggerPriceType,
    price: price(algo.ticks),
    triggerTime: isTriggered ? wire.time(algo.triggeredAt) : "0",
    totalExecutedQuantity: lots(done.lots),
    visibleQuantity: lots(algo.lots),
    averageExecutedPrice: wire.num(pricePerLot(instrument, done.value, done.lots)),
    totalFee: wire.num(moneyText(done.fee)),
    feeAsset: done.lots > 0 ? instrument.spec.quote : "",
    totalRebate: wire.num("0"),
    rebateAsset: "",
    reduceOnly: algo.reduceOnly,
    createdTime: wire.time(algo.createdAt),
    updatedTime: wire.time(algo.updatedAt),
    positionSide: algo.positionSide,
  };
}

function getAlgo(call: PrivateCall) {
  const algo = named(call, 317152);
  if (algo.createdAt > call.readAt) throw new VenueError(317152);
  return { data: algoRow(call.x, call.wire, algo) };
}

/** Newest first, legs as rows of their own. */
function listAlgos({ x, account, params, readAt, wire }: PrivateCall) {
  const market = params.symbol === undefined ? null : marketOf(x, params.symbol);
  const { from, to } = timeRange(params);
  const statuses =
    params.status === undefined
      ? null
      : STATUSES[wordOf("status", params.status, Object.keys(STATUSES))];
  const found = [...account.algos.values()].filter(
    (algo) =>
      algo.createdAt >= from &&
      algo.createdAt <= Math.min(to, readAt) &&
      (!market || algo.instrument === market.instrument) &&
      (params.side === undefined || params.side === algo.side) &&
      (params.algoType === undefined || params.algoType === algo.algoType) &&
      (!statuses || statuses.includes(algo.status)),
  );
  const page = pageOf(found.reverse(), params, { standard: x.settings.dialect.pageRows });
  return { data: { rows: page.rows.map((algo) => algoRow(x, wire, algo)), meta: page.meta } };
}

const v3 = { access: "v3", limit: TEN_A_SECOND } as const;
const path = "/v3/trade/algoOrder";
const PLACE_LIMIT = { count: 2, perMs: 1000 };

/** All requests about algo orders. */
export const ALGO_ENDPOINTS: readonly Endpoint[] = [
  { ...v3, method: "POST", path, limit: PLACE_LIMIT, timestamp: "text", run: place },
  { ...v3, method: "PUT", path, run: amend },
  { ...v3, method: "DELETE", path, run: cancel },
  { ...v3, method: "GET", path, run: getAlgo },
  { ...v3, method: "GET", path: "/v3/trade/algoOrders", run: listAlgos },
  { ...v3, method: "DELETE", path: "/v3/trade/algoOrders", run: cancelAlgos },
];
