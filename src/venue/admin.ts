// The loopback admin interface below /__venue__/: time, faults, accounts, events. Guarded by a token of
// its own; no client of the exchange ever needs it.
import { addAccount, advance, deposit } from "./exchange.ts";
import { moneyText } from "./decimal.ts";
import type { Clock } from "./clock.ts";
import { applyFault, FaultRequestError, type StreamDeeds } from "./deeds.ts";
import { DEEDS, type FaultRequest, type FaultRule, SWITCHES } from "./faults.ts";
import { stepMarket } from "./house.ts";
import { settle } from "./aftermath.ts";
import { gridCount } from "./decimal.ts";
import { marginFigures } from "./margin.ts";
import type { Exchange } from "./state.ts";

/** Prefix of every admin address. */
export const ADMIN_PREFIX = "/__venue__/";

/** What the admin interface works on. */
export type AdminDeps = {
  readonly x: Exchange;
  readonly clock: Clock;
  readonly deeds: StreamDeeds;
  streams(): number;
};

/** An admin request, its body parsed. */
export type AdminRequest = {
  readonly method: string;
  /** What follows the prefix, e.g. `faults/3`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
};

/** Status and JSON body. */
export type AdminReply = { readonly status: number; readonly body: object };

type Json = Readonly<Record<string, unknown>>;
type Handler = (deps: AdminDeps, request: AdminRequest, body: Json) => object;

const STEP_MAX_MS = 366 * 86_400_000;

const HANDLERS: Readonly<Record<string, Handler>> = {
  "GET state": (deps) => stateOf(deps),
  "GET faults": ({ x }) => ({
    armed: x.faults.list().map(shownRule),
    switches: SWITCHES,
    deeds: DEEDS,
  }),
  "POST faults": armFault,
  "DELETE faults": ({ x }) => {
    x.faults.clear();
    return { armed: [] };
  },
  "POST advance": step,
  "POST speed": setSpeed,
  "POST price": setPrice,
  "POST market": setMarket,
  "POST accounts": openAccount,
  "POST deposit": pay,
  "GET events": ({ x }, { query }) => ({ events: x.log.since(Number(query.get("after") ?? 0)) }),
};

/** Answers an admin request; bad input is 400 with one sentence. */
export function adminAnswer(deps: AdminDeps, request: AdminRequest): AdminReply {
  const [first = "", second] = request.path.split("/");
  if (request.method === "DELETE" && first === "faults" && second !== undefined) {
    const isGone = deps.x.faults.disarm(Number(second));
    return isGone
      ? { status: 200, body: { disarmed: Number(second) } }
      : { status: 404, body: { error: `fault "${second}" is not armed` } };
  }
  const handler = HANDLERS[`${request.method} ${request.path}`];
  if (!handler) return { status: 404, body: { error: `no ${request.method} ${request.path}` } };
  const body = request.body ?? {};
  if (typeof body !== "object" || Array.isArray(body)) {
    return { status: 400, body: { error: "the body must be a JSON object" } };
  }
  try {
    return { status: 200, body: handler(deps, request, body as Json) };
  } catch (error) {
    if (error instanceof RangeError || error instanceof FaultRequestError) {
      return { status: 400, body: { error: error.message } };
    }
    throw error;
  }
}

function shownRule(rule: FaultRule) {
  const { random: _, until: __, ...shown } = rule;
  return shown;
}

function stateOf({ x, clock, streams }: AdminDeps) {
  return {
    now: x.now,
    speed: clock.speed(),
    seed: x.settings.seed,
    events: x.log.count(),
    hash: x.log.hash(),
    streams: streams(),
    faults: x.faults.list().map(shownRule),
    accounts: [...x.accounts.values()].map((account) => ({
      name: account.name,
      applicationId: account.applicationId,
      apiKey: account.apiKey,
      secret: account.secret,
      positionMode: account.mode,
      wallet: moneyText(account.wallet),
      feesPaid: moneyText(account.feesPaid),
      fundingReceived: moneyText(account.fundingReceived),
      equity: moneyText(marginFigures(x, account).equity),
      openOrders: account.open.size,
    })),
    house: { wallet: moneyText(x.house.wallet), feePool: moneyText(x.feePool) },
  };
}

function textOf(body: Json, field: string): string {
  const value = body[field];
  if (typeof value !== "string" || value === "") throw new RangeError(`${field} must be text`);
  return value;
}

function numberIn(body: Json, field: string, min: number, max: number): number {
  const value = body[field];
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    throw new RangeError(`${field} "${String(value)}" must be a number from ${min} to ${max}`);
  }
  return value;
}

/** A fault request out of JSON. @throws FaultRequestError naming the field */
export function faultRequestOf(body: Json): FaultRequest {
  const { name, times, skip, chance, at, match, params } = body;
  const isName = typeof name === "string" && (name in SWITCHES || name in DEEDS);
  if (!isName) throw new FaultRequestError(`name "${String(name)}" is no fault`);
  for (const [field, value] of Object.entries({ times, skip, at })) {
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0)) continue;
    throw new FaultRequestError(`${field} "${String(value)}" must be a whole number from 0`);
  }
  if (chance !== undefined && !(typeof chance === "number" && chance >= 0 && chance <= 1)) {
    throw new FaultRequestError(`chance "${String(chance)}" must be from 0 to 1`);
  }
  for (const [field, value] of Object.entries({ match, params })) {
    if (value !== undefined && (typeof value !== "object" || value === null)) {
      throw new FaultRequestError(`${field} must be an object`);
    }
  }
  const known = { name, times, skip, chance, at, match, params };
  return Object.fromEntries(
    Object.entries(known).filter(([, value]) => value !== undefined),
  ) as unknown as FaultRequest;
}

function armFault({ x, deeds }: AdminDeps, _: AdminRequest, body: Json) {
  const rule = applyFault(x, faultRequestOf(body), deeds);
  return rule ? { armed: shownRule(rule) } : { done: body.name };
}

function step({ x, clock }: AdminDeps, _: AdminRequest, body: Json) {
  clock.step(numberIn(body, "ms", 0, STEP_MAX_MS));
  advance(x, clock.now());
  return { now: x.now, events: x.log.count(), hash: x.log.hash() };
}

function setSpeed({ x, clock }: AdminDeps, _: AdminRequest, body: Json) {
  clock.setSpeed(numberIn(body, "speed", 0, 100_000));
  return { now: x.now, speed: clock.speed() };
}

function marketIn({ x }: AdminDeps, body: Json) {
  const market = x.markets.get(textOf(body, "symbol"));
  if (!market) throw new RangeError(`symbol "${String(body.symbol)}" is no instrument`);
  return market;
}

/** One extra step of the path, now. */
function setPrice(deps: AdminDeps, _: AdminRequest, body: Json) {
  const { x } = deps;
  const market = marketIn(deps, body);
  const { instrument } = market;
  const ticks = gridCount(textOf(body, "price"), instrument.price);
  const lots = gridCount(typeof body.quantity === "string" ? body.quantity : "0", instrument.qty);
  if (ticks === null || ticks < instrument.minTicks || ticks > instrument.maxTicks) {
    throw new RangeError(`price "${String(body.price)}" is off the tick or out of range`);
  }
  if (lots === null || lots < 0)
    throw new RangeError(`quantity "${String(body.quantity)}" is off the step`);
  stepMarket(x, market, { at: x.now, ticks, lots });
  settle(x);
  x.listener.onBook(market);
  return { symbol: instrument.symbol, price: body.price };
}

/** Suspends or resumes trading of an instrument. */
function setMarket(deps: AdminDeps, _: AdminRequest, body: Json) {
  const market = marketIn(deps, body);
  if (typeof body.isSuspended !== "boolean")
    throw new RangeError("isSuspended must be true or false");
  market.isSuspended = body.isSuspended;
  return { symbol: market.instrument.symbol, isSuspended: market.isSuspended };
}

function openAccount({ x }: AdminDeps, _: AdminRequest, body: Json) {
  const mode = body.mode ?? "ONE_WAY";
  if (mode !== "ONE_WAY" && mode !== "HEDGE_MODE") {
    throw new RangeError(`mode "${String(mode)}" must be ONE_WAY or HEDGE_MODE`);
  }
  const account = addAccount(x, {
    name: textOf(body, "name"),
    deposit: textOf(body, "deposit"),
    mode,
    ...(typeof body.hasDeadMan === "boolean" ? { hasDeadMan: body.hasDeadMan } : {}),
  });
  const { name, applicationId, apiKey, secret } = account;
  return { name, applicationId, apiKey, secret };
}

function pay({ x }: AdminDeps, _: AdminRequest, body: Json) {
  const name = textOf(body, "account");
  const account = [...x.accounts.values()].find((each) => each.name === name);
  if (!account) throw new RangeError(`account "${name}" is not known`);
  deposit(x, account, textOf(body, "amount"));
  if (typeof body.isSuspended === "boolean") account.isSuspended = body.isSuspended;
  return { account: name, wallet: moneyText(account.wallet) };
}
