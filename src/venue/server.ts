// The simulated exchange as a real server on loopback: WOO X V3 REST, its WebSocket streams and the
// admin interface on one port. Started by `dragon venue`, by the demo exchange's thread and by tests.
import type { Server, ServerWebSocket } from "bun";
import { randomBytes, timingSafeEqual } from "node:crypto";
import { ADMIN_PREFIX, type AdminDeps, adminAnswer } from "./admin.ts";
import { type Clock, createClock } from "./clock.ts";
import { applyFault, type StreamDeeds } from "./deeds.ts";
import { advance, createExchange } from "./exchange.ts";
import { answer, type HttpDeps, shownNow } from "./http.ts";
import { createRateLimits } from "./rate-limits.ts";
import { accountEndpoints, createListenKeys, type ListenKeys } from "./rest-account.ts";
import { ALGO_ENDPOINTS } from "./rest-algo.ts";
import { ORDER_ENDPOINTS } from "./rest-orders.ts";
import { PUBLIC_ENDPOINTS } from "./rest-public.ts";
import type { VenueSettings } from "./settings.ts";
import type { Exchange } from "./state.ts";
import { createStreams, type Stream, STREAMS_MAX, type Streams } from "./streams.ts";

/** How the server runs. */
export type ServerOptions = {
  readonly settings: VenueSettings;
  /** 1 real time, N accelerated, 0 stepped through the admin interface. */
  readonly speed: number;
  /** 0 takes a free port. */
  readonly port: number;
  /** Time passes while the machine sleeps, and follows its clock when that is set forward. */
  readonly followsWallClock?: boolean;
};

/** A running venue. */
export type Venue = {
  readonly url: string;
  readonly wsUrl: string;
  readonly adminToken: string;
  readonly exchange: Exchange;
  readonly clock: Clock;
  stop(): Promise<void>;
};

/** What a connection is before it is open. */
type Seat = { isPrivate: boolean; listenKey: string | null; stream: Stream | null };

type Running = {
  readonly x: Exchange;
  readonly clock: Clock;
  readonly http: HttpDeps;
  readonly keys: ListenKeys;
  readonly streams: Streams;
  readonly admin: AdminDeps;
  readonly adminToken: string;
};

const TICK_MS = 50;
const PING_MS = 10_000;
const BODY_BYTES_MAX = 1_000_000;
const MESSAGE_BYTES_MAX = 64_000;
/** Longest a reply is held back. */
const DELAY_MAX_MS = 300_000;

/** Starts a venue. */
export function startVenue(options: ServerOptions): Venue {
  const running = prepare(options);
  const { x, clock, streams } = running;
  const server: Server<Seat> = Bun.serve<Seat>({
    hostname: "127.0.0.1",
    port: options.port,
    development: false,
    // Without this a second process may bind the same port and take half of the connections.
    reusePort: false,
    idleTimeout: 0,
    maxRequestBodySize: BODY_BYTES_MAX,
    fetch: (request, self) => serve(running, request, self),
    websocket: {
      maxPayloadLength: MESSAGE_BYTES_MAX,
      open: (socket) => openStream(running, socket),
      message: (socket, text) => hear(running, socket, String(text)),
      close: (socket) => {
        if (socket.data.stream) streams.close(socket.data.stream);
      },
    },
  });
  const tick = setInterval(() => advance(x, clock.now()), TICK_MS);
  const ping = setInterval(() => pingAll(running), PING_MS);
  const origin = `127.0.0.1:${server.port}`;
  return {
    url: `http://${origin}`,
    wsUrl: `ws://${origin}`,
    adminToken: running.adminToken,
    exchange: x,
    clock,
    async stop() {
      clearInterval(tick);
      clearInterval(ping);
      await server.stop(true);
    },
  };
}

function prepare({ settings, speed, followsWallClock }: ServerOptions): Running {
  const x = createExchange(settings);
  const source = followsWallClock ? risingClock() : () => performance.now();
  const clock = createClock(settings.startAt, speed, source);
  const streams = createStreams(x);
  x.listener = streams.listener;
  const endKey = (name: string | undefined) =>
    streams.drop(
      ({ account, listenKey }) => listenKey !== null && (!name || account?.name === name),
      1001,
      "listen key expired",
    );
  const keys = createListenKeys(settings.seed, ({ name }) => endKey(name));
  const deeds = streamDeeds(x, streams, { keys, endKey });
  for (const fault of settings.faults) applyFault(x, fault, deeds);
  const authNow = () => (settings.authClock === "wall" ? Date.now() : clock.now());
  const endpoints = [
    ...PUBLIC_ENDPOINTS,
    ...ORDER_ENDPOINTS,
    ...ALGO_ENDPOINTS,
    ...accountEndpoints(keys),
  ];
  return {
    x,
    clock,
    streams,
    keys,
    http: { x, endpoints, limits: createRateLimits(), authNow },
    admin: { x, clock, deeds, streams: streams.count },
    adminToken: randomBytes(24).toString("hex"),
  };
}

/** The machine's clock, standing still while that goes back. */
function risingClock(): () => number {
  let latest = 0;
  return () => {
    latest = Math.max(latest, Date.now());
    return latest;
  };
}

function streamDeeds(
  x: Exchange,
  streams: Streams,
  { keys, endKey }: { keys: ListenKeys; endKey(name: string | undefined): void },
): StreamDeeds {
  return {
    dropStreams: ({ match }) =>
      streams.drop(
        ({ account }) => match?.account === undefined || account?.name === match.account,
        1011,
        "dropped",
      ),
    expireKeys({ match }) {
      const name = match?.account;
      const account = [...x.accounts.values()].find((each) => each.name === name);
      if (name === undefined || account) keys.revoke(account ?? null);
      endKey(name);
    },
  };
}

/** The path with its query exactly as it was sent. */
function targetOf(request: Request): string {
  return request.url.replace(/^https?:\/\/[^/]+/, "");
}

async function serve(running: Running, request: Request, server: Server<Seat>) {
  const target = targetOf(request);
  if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
    return upgrade(running, request, server);
  }
  const body = new Uint8Array(await request.arrayBuffer());
  const { x, clock } = running;
  advance(x, clock.now());
  if (target.startsWith(ADMIN_PREFIX)) return serveAdmin(running, request, target, body);
  const address = server.requestIP(request)?.address ?? "";
  const { method, headers } = request;
  const reply = answer(running.http, { method, target, body, headers }, address);
  if (reply.delayMs > 0) await Bun.sleep(Math.min(reply.delayMs, DELAY_MAX_MS));
  if (reply.isDropped) return brokenResponse();
  return new Response(reply.body, {
    status: reply.status,
    headers: { "content-type": reply.type },
  });
}

/** A response whose stream fails before its first byte: the connection is closed without an answer. */
function brokenResponse(): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.error() }));
}

function serveAdmin(
  running: Running,
  request: Request,
  target: string,
  body: Uint8Array,
): Response {
  const given = Buffer.from(request.headers.get("x-venue-token") ?? "");
  const token = Buffer.from(running.adminToken);
  if (given.length !== token.length || !timingSafeEqual(given, token)) {
    return Response.json({ error: "x-venue-token is missing or wrong" }, { status: 401 });
  }
  const url = new URL(target, "http://127.0.0.1");
  const parsed = adminBody(body);
  if (parsed instanceof SyntaxError) {
    return Response.json({ error: "the body is no JSON" }, { status: 400 });
  }
  const { status, body: reply } = adminAnswer(running.admin, {
    method: request.method,
    path: url.pathname.slice(ADMIN_PREFIX.length),
    query: url.searchParams,
    body: parsed,
  });
  return Response.json(reply, { status });
}

function adminBody(body: Uint8Array): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (error) {
    if (error instanceof SyntaxError) return error;
    throw error;
  }
}

/** Streams live at the addresses of both generations of the protocol. */
function upgrade(running: Running, request: Request, server: Server<Seat>): Response | undefined {
  const { pathname, searchParams } = new URL(request.url);
  const isPublic = /^\/(ws\/stream(\/[^/]*)?|v3\/public)$/.test(pathname);
  const isPrivate = /^\/(v2\/ws\/private\/stream\/[^/]*|v3\/private)$/.test(pathname);
  if (!isPublic && !isPrivate) return new Response("not found", { status: 404 });
  if (running.streams.count() >= STREAMS_MAX) return new Response("too many", { status: 429 });
  const listenKey = pathname === "/v3/private" ? (searchParams.get("key") ?? "") : null;
  if (listenKey !== null && !running.keys.owner(listenKey, running.x.now)) {
    return new Response("unknown key", { status: 401 });
  }
  const data: Seat = { isPrivate, listenKey, stream: null };
  return server.upgrade(request, { data })
    ? undefined
    : new Response("upgrade failed", { status: 400 });
}

function openStream({ streams, keys, x }: Running, socket: ServerWebSocket<Seat>): void {
  const { isPrivate, listenKey } = socket.data;
  const account = listenKey === null ? null : keys.owner(listenKey, x.now);
  const pipe = {
    send: (text: string) => socket.send(text),
    close: (code: number, reason: string) => socket.close(code, reason),
  };
  socket.data.stream = streams.open(pipe, { isPrivate, listenKey, account });
}

function hear(
  { x, clock, streams, http }: Running,
  socket: ServerWebSocket<Seat>,
  text: string,
): void {
  advance(x, clock.now());
  const { stream } = socket.data;
  if (stream) streams.receive(stream, text, shownNow(x, http.authNow()));
}

function pingAll({ x, clock, keys, streams }: Running): void {
  advance(x, clock.now());
  streams.ping((key) => keys.owner(key, x.now) !== null);
}
