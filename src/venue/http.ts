// From a request's bytes to a reply: route, signature, limits, handler, envelope, and the misbehaviour
// that concerns replies. Synchronous, so that requests are served strictly in the order they arrive.
import type { Account } from "./account.ts";
import type { Answer, Call, Endpoint } from "./endpoint.ts";
import { VenueError } from "./errors.ts";
import { type FaultRule, flagOf, numberOf, type Occasion, textOf } from "./faults.ts";
import type { RateLimits } from "./rate-limits.ts";
import { type SignedRequest, verifyV1, verifyV3 } from "./signature.ts";
import { type Exchange, record } from "./state.ts";
import {
  type DriftStyle,
  driftingWire,
  isObject,
  parseExact,
  PUBLISHED,
  scalarsOf,
  type TextObject,
} from "./wire.ts";

/** What goes back: nothing at all when the connection is dropped. */
export type Reply = {
  readonly status: number;
  readonly body: string;
  readonly type: "application/json" | "text/html";
  readonly isDropped: boolean;
  /** Real milliseconds to hold the reply back. */
  readonly delayMs: number;
};

/** What the HTTP layer needs. */
export type HttpDeps = {
  readonly x: Exchange;
  readonly endpoints: readonly Endpoint[];
  readonly limits: RateLimits;
  /** The clock that signatures are compared with, without skew. */
  authNow(): number;
};

const UNKNOWN_CODE = 399_999;
const STORM_MS = 60_000;
const HTML = "<!doctype html><title>502</title><h1>Bad gateway</h1>";
const EMPTY: TextObject = {};

/** The clock as clients see it: skewed while that switch is on. */
export function shownNow(x: Exchange, now: number): number {
  const rule = x.faults.on("clock_skew", {});
  return rule ? now + numberOf(rule, "ms", 0) : now;
}

/** Answers one request. */
export function answer(deps: HttpDeps, request: SignedRequest, address: string): Reply {
  const { x } = deps;
  const path = request.target.split("?")[0] ?? "";
  const found = findEndpoint(deps.endpoints, request.method, path);
  const name = `${request.method} ${path.replace(/^\/v3\//, "").replace(/^\//, "")}`;
  const delayMs = delayOf(x, { endpoint: name });
  const outcome = tryAnswer(deps, request, { found, name, address });
  return { ...outcome, delayMs: outcome.delayMs + delayMs };
}

type Route = { readonly endpoint: Endpoint; readonly oid: string | undefined };
type Target = { readonly found: Route | null; readonly name: string; readonly address: string };

function findEndpoint(endpoints: readonly Endpoint[], method: string, path: string): Route | null {
  for (const endpoint of endpoints) {
    if (endpoint.method !== method) continue;
    if (endpoint.path === path) return { endpoint, oid: undefined };
    const [before = "", after = ""] = endpoint.path.split("{oid}");
    if (!endpoint.path.includes("{oid}") || !path.startsWith(before) || !path.endsWith(after))
      continue;
    const oid = path.slice(before.length, path.length - after.length);
    if (/^\d+$/.test(oid)) return { endpoint, oid };
  }
  return null;
}

function delayOf(x: Exchange, occasion: Occasion): number {
  const slow = x.faults.take("slow", occasion);
  const jitter = x.faults.take("jitter", occasion);
  const extra = jitter ? Math.floor(jitter.random() * numberOf(jitter, "ms", 200)) : 0;
  return (slow ? numberOf(slow, "ms", 1000) : 0) + extra;
}

function tryAnswer(deps: HttpDeps, request: SignedRequest, target: Target): Reply {
  const { x } = deps;
  try {
    return routed(deps, request, target);
  } catch (error) {
    if (!(error instanceof VenueError)) throw error;
    record(x, "refused", { endpoint: target.name, code: error.code });
    return failure(x, error);
  }
}

function routed(deps: HttpDeps, request: SignedRequest, target: Target): Reply {
  const { x } = deps;
  const { found, name } = target;
  if (!found) throw new VenueError(317171, "error path format", 404);
  const { endpoint } = found;
  if (x.faults.on("maintenance", {}) && endpoint.path !== "/v3/public/systemInfo") {
    throw new VenueError(-1011);
  }
  const banned = bannedReply(deps, name);
  if (banned) return banned;
  const { params, body } = parametersOf(request, found.oid);
  const account = callerOf(deps, endpoint, request);
  admit(deps, endpoint, { ...target, account, symbol: params.symbol });
  const occasion = {
    endpoint: name,
    account: account?.name,
    symbol: params.symbol,
    type: params.type,
  };
  if (x.faults.take("reject_then_drop", occasion)) return dropped();
  const broken = brokenReply(x, occasion);
  if (broken && !flagOf(broken.rule, "accept", false)) return broken.reply;
  const answered = run(x, endpoint, { params, body, account });
  if (broken) return broken.reply;
  const lost = lostReply(x, occasion);
  const reply = success(x, endpoint, answered);
  if (!lost) return reply;
  const lateMs = numberOf(lost, "ms", 0);
  return lateMs > 0 ? { ...reply, delayMs: lateMs } : dropped();
}

/** Parses query and body; a body that is no JSON object is refused. */
function parametersOf(request: SignedRequest, oid: string | undefined) {
  const query = request.target.split("?")[1] ?? "";
  const params: Record<string, string> = Object.fromEntries(new URLSearchParams(query));
  if (oid !== undefined) params.oid = oid;
  if (request.method === "GET" || request.method === "DELETE" || request.body.length === 0) {
    return { params, body: EMPTY };
  }
  const body = parsedBody(request.body);
  if (!isObject(body)) throw new VenueError(-1005, "The body must be a JSON object.");
  return { params: { ...params, ...scalarsOf(body) }, body };
}

function parsedBody(bytes: Uint8Array) {
  try {
    return parseExact(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new VenueError(-1005, `The body is no JSON: ${String(error)}`);
  }
}

function callerOf(deps: HttpDeps, endpoint: Endpoint, request: SignedRequest): Account | null {
  if (endpoint.access === "public") return null;
  const clock = shownNow(deps.x, deps.authNow());
  const account =
    endpoint.access === "v3" ? verifyV3(deps.x, request, clock) : verifyV1(deps.x, request, clock);
  const isTrading = endpoint.method !== "GET" && endpoint.path.startsWith("/v3/trade/");
  if (isTrading && !account.permissions.includes("TRADE")) throw new VenueError(-1002);
  return account;
}

/** Counts the request against its window: public ones per address, private ones per account. */
function admit(
  { x, limits }: HttpDeps,
  endpoint: Endpoint,
  caller: { address: string; account: Account | null; symbol: string | undefined },
): void {
  if (!x.settings.enforcesLimits) return;
  const who = caller.account ? `account ${caller.account.id}` : `address ${caller.address}`;
  const what = endpoint.limit.isPerSymbol ? ` ${caller.symbol ?? ""}` : "";
  const key = `${who} ${endpoint.method} ${endpoint.path}${what}`;
  if (!limits.admit(key, endpoint.limit, x.now)) throw new VenueError(-1003);
}

function run(
  x: Exchange,
  endpoint: Endpoint,
  given: { params: Call["params"]; body: TextObject; account: Account | null },
): Answer {
  const { account, ...rest } = given;
  const lag = x.faults.on("visibility_delay", { account: account?.name });
  const drift = x.faults.on("type_drift", { account: account?.name });
  const wire = drift
    ? driftingWire((textOf(drift, "style") ?? "mixed") as DriftStyle, drift.random)
    : PUBLISHED;
  const call: Call = { x, ...rest, wire, readAt: lag ? x.now - numberOf(lag, "ms", 1000) : x.now };
  if (endpoint.access === "public") return endpoint.run(call);
  if (!account) throw new VenueError(-1001);
  return endpoint.run({ ...call, account });
}

function lostReply(x: Exchange, occasion: Occasion): FaultRule | null {
  const isFinal = ["MARKET", "IOC", "FOK"].includes(occasion.type ?? "");
  const isPlacing = occasion.endpoint === "POST trade/order";
  const atMarket = isFinal && isPlacing ? x.faults.take("accept_then_drop_market", occasion) : null;
  if (atMarket) return atMarket;
  // Without a wish for another endpoint it is the placing of orders that loses replies.
  const rule = x.faults.on("accept_then_drop", occasion);
  if (!rule || (rule.match?.endpoint === undefined && !isPlacing)) return null;
  return x.faults.take("accept_then_drop", occasion);
}

/** 429 for the asked requests; the storm answers 418 for a while after its first 429. */
function bannedReply({ x }: HttpDeps, endpoint: string): Reply | null {
  const occasion = { endpoint };
  if (x.faults.lasting("storm_418", x.now)) {
    return plain(418, JSON.stringify({ success: false, code: -1003, message: "banned" }));
  }
  const storm = x.faults.take("storm_418", occasion);
  if (storm) {
    storm.until = x.now + numberOf(storm, "ms", STORM_MS);
    throw new VenueError(-1003);
  }
  if (x.faults.take("rate_429", occasion)) throw new VenueError(-1003);
  return null;
}

/** A reply that is no proper one. */
function brokenReply(x: Exchange, occasion: Occasion): { rule: FaultRule; reply: Reply } | null {
  const body = (code: number) =>
    JSON.stringify({ success: false, code, message: "Something nobody has documented." });
  for (const name of ["unknown_code_400", "unknown_code_200", "html_200", "empty_200"] as const) {
    const rule = x.faults.take(name, occasion);
    if (!rule) continue;
    if (name === "html_200") return { rule, reply: { ...plain(200, HTML), type: "text/html" } };
    if (name === "empty_200") return { rule, reply: plain(200, "") };
    const status = name === "unknown_code_400" ? 400 : 200;
    return { rule, reply: plain(status, body(numberOf(rule, "code", UNKNOWN_CODE))) };
  }
  return null;
}

const plain = (status: number, body: string): Reply => ({
  status,
  body,
  type: "application/json",
  isDropped: false,
  delayMs: 0,
});

const dropped = (): Reply => ({ ...plain(0, ""), isDropped: true });

function success(x: Exchange, endpoint: Endpoint, answered: Answer): Reply {
  const now = shownNow(x, x.now);
  const timestamp = endpoint.timestamp === "text" ? String(now) : now;
  const envelope =
    endpoint.timestamp === "none"
      ? { success: true, ...answered }
      : { success: true, ...answered, timestamp };
  return plain(200, JSON.stringify(envelope));
}

function failure(x: Exchange, { status, code, message }: VenueError): Reply {
  const timestamp = shownNow(x, x.now);
  return plain(status, JSON.stringify({ success: false, code, message, timestamp }));
}
