// The trading side of Dragon as a process of its own that tests can kill, freeze and cut off: storage and
// `composeLive` exactly as serve.ts ties them together, with demo accounts whose exchange is a simulated one in
// yet another process. Started by tests through child-program.ts. It can never reach a real exchange: demo
// accounts send to addresses of this machine only, and nothing of this file is part of the product.
import { type ConnectTarget, connect } from "../../src/adapters/postgres/connect.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { createLog } from "../../src/adapters/system/log.ts";
import { createSecret } from "../../src/adapters/vault/secret.ts";
import { composeLive } from "../../src/live.ts";
import { DEMO_EXCHANGE } from "../../src/model/demo-exchange.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { DemoExchange, DemoKeys } from "../../src/ports/demo-venue.ts";
import type { LeaseTiming } from "../../src/services/live/lease-keeper.ts";
import { say } from "./child-program.ts";
import type { VenueAddress } from "./venue-process.ts";

/** How a process is started. */
export type LiveTask = {
  readonly target: ConnectTarget;
  readonly venue: VenueAddress;
  readonly speed: number;
  /** The accounts of the exchange, in its order. */
  readonly accountIds: readonly AccountId[];
  readonly name: string;
  readonly lease: LeaseTiming;
};

/** What a process is told while it runs: its wall clock is off by so much, or how it is. */
export type LiveOrder =
  | { readonly tell: "shift"; readonly ms: number }
  | { readonly tell: "usage" }
  | { readonly tell: "stop" };

/** The exchange's public address for prices; the first answer from it belongs to the first tick. */
const PRICES = "/v3/public/futures";
const WRITE = "/v3/trade/";

/** The exchange's time and pace, and a wall clock that tests set wrong. */
function processClock({ venue, speed }: LiveTask) {
  const system = createClock();
  let shiftMs = 0;
  const clock: Clock = {
    now: () => Math.floor(venue.at + (system.now() - venue.wallAt) * speed) + shiftMs,
    monotonicMs: () => system.monotonicMs() * speed,
    sleep: (durationMs, signal) => system.sleep(durationMs / speed, signal),
  };
  return {
    clock,
    shift: (ms: number) => {
      shiftMs = ms;
    },
  };
}

/** The running exchange as the one of demo accounts. */
function exchangeOf({ venue, accountIds }: LiveTask): DemoExchange {
  const keys: DemoKeys[] = venue.accounts.map(({ apiKey, secret }) => ({
    apiKey: createSecret(apiKey),
    apiSecret: createSecret(secret),
  }));
  const { url, wsUrl, adminToken } = venue;
  return {
    ...{ url, wsUrl, adminToken, keys },
    async openAccount({ name }) {
      const at = accountIds.findIndex((id) => name.startsWith(`account-${id}-`));
      const own = keys[at];
      if (!own) throw new Error(`the exchange has no account for ${name}`);
      return own;
    },
    isLasting: true,
    stop: async () => undefined,
  };
}

/** Tells of every look at prices, the beginning of a tick, and of writes that leave; counts all requests. */
function watchRequests(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const send = globalThis.fetch;
  const watched = async (input: Parameters<typeof fetch>[0], init?: RequestInit) => {
    const path = new URL(String(input instanceof Request ? input.url : input)).pathname;
    const isWrite = init?.method !== undefined && init.method !== "GET" && path.startsWith(WRITE);
    const what = `${init?.method ?? "GET"} ${path}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
    if (isWrite) say("write", { method: init.method, path });
    const answer = await send(input, init);
    if (path.startsWith(PRICES)) say("tick", { atMs: performance.now() });
    return answer;
  };
  globalThis.fetch = Object.assign(watched, { preconnect: send.preconnect });
  return counts;
}

async function run(task: LiveTask): Promise<void> {
  const requests = watchRequests();
  const { target, venue, name, lease } = task;
  const { clock, shift } = processClock(task);
  const write = (line: string) => void process.stderr.write(`${line}\n`);
  const log = createLog({ level: "info", isTerminal: false, write });
  const sql = connect(target);
  const live = composeLive({
    ...{ sql, target, clock, log, name, lease },
    key: new Uint8Array(32).fill(7),
    instance: 7,
    demo: async () => exchangeOf(task),
    loopbackUrls: { [DEMO_EXCHANGE]: venue.url },
  });
  live.start();
  say("started");
  for await (const text of console) {
    const order: LiveOrder = JSON.parse(text);
    if (order.tell === "shift") shift(order.ms);
    else if (order.tell === "usage") {
      const rss = process.memoryUsage.rss();
      say("usage", { cpu: process.cpuUsage(), rss, requests: Object.fromEntries(requests) });
    } else break;
  }
  await live.stop();
  await sql.end({ timeout: 1 });
  process.exit(0);
}

if (import.meta.main) await run(JSON.parse(process.argv[2] ?? "{}"));
