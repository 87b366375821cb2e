// The network of a simulation: carries requests of workers to the venue on virtual time. A request is lost
// before or after it is carried out, comes late or after its client gave up, as the seed decides. Used by
// sim-exchange.ts; it looks at nothing but the id of an order.
import type { Send } from "../../src/adapters/ccxt/broker-wire.ts";
import { advance } from "../../src/venue/exchange.ts";
import { answer, type HttpDeps } from "../../src/venue/http.ts";
import { createRandom, type Random } from "../../src/venue/random.ts";
import type { SimClock } from "./sim-clock.ts";

/** How often, in thousandths of the requests, the network does what. */
export type Weather = {
  readonly lostBefore: number;
  readonly lostAfter: number;
  /** Carried out, answered after the client gave up. */
  readonly answeredLate: number;
  /** On the way for longer than the client waits, then carried out. */
  readonly arrivesLate: number;
  /** Some hundred milliseconds slower than the others, so that later requests come first. */
  readonly overtaken: number;
};

/** A network without trouble. */
export const CALM: Weather = {
  ...{ lostBefore: 0, lostAfter: 0, answeredLate: 0, arrivesLate: 0, overtaken: 0 },
};

/** One write as it left a worker. */
export type WireWrite = {
  readonly incarnation: number;
  readonly sentAt: number;
  readonly method: string;
  /** Null for requests that place nothing. */
  readonly clientOrderId: string | null;
};

/** The network and the strings to pull. */
export type Network = {
  /** The wire of one incarnation. */
  sendOf(incarnation: number): Send;
  setWeather(weather: Weather): void;
  /** Ends every request that is under way: nobody waits for it any more. */
  close(): void;
  /** How often what happened to requests. */
  readonly counts: ReadonlyMap<string, number>;
};

/** What a simulation decides. */
export type NetworkDeps = {
  readonly clock: SimClock;
  readonly seed: number;
  /** How long a client waits for an answer. */
  readonly timeoutMs: number;
  readonly onRequest: (line: string) => void;
  /** Every write at the moment it leaves. */
  readonly onWrite: (write: WireWrite) => void;
};

type Kind = keyof Weather | "normal";
type Fate = { readonly kind: Kind; readonly thereMs: number; readonly backMs: number };
type Parcel = { readonly method: string; readonly target: string; readonly text: string };

const KINDS = ["lostBefore", "lostAfter", "answeredLate", "arrivesLate", "overtaken"] as const;
const CLIENT_ID = /"client(?:Algo)?OrderId":"?(\d+)/;
/** Writes of one run; more are a loop. */
const WRITES_MAX = 20_000;
const LATE_MAX_MS = 40_000;

/** A calm network before a venue. */
export function createNetwork(deps: NetworkDeps, http: HttpDeps): Network {
  const { clock, timeoutMs } = deps;
  const random = createRandom(deps.seed, "network");
  const counts = new Map<string, number>();
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => "nobody waits");
  let weather = CALM;
  let writes = 0;
  const count = (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1);

  function leave(incarnation: number, { method, target, text }: Parcel, kind: Kind): void {
    count("request");
    if (kind !== "normal") count(kind);
    deps.onRequest(`${incarnation} ${method} ${target} ${kind}`);
    if (method === "GET") return;
    if (++writes > WRITES_MAX) throw new Error("the simulation sends without end");
    const clientOrderId = CLIENT_ID.exec(text)?.[1] ?? null;
    deps.onWrite({ incarnation, sentAt: clock.now(), method, clientOrderId });
  }

  const sendOf = (incarnation: number): Send => {
    return (address, init) => {
      const target = address.replace(/^https?:\/\/[^/]+/, "");
      const text = typeof init.body === "string" ? init.body : "";
      const parcel = { method: init.method ?? "GET", target, text };
      const fate = drawFate(random, weather, timeoutMs);
      leave(incarnation, parcel, fate.kind);
      const carried = carry(clock, http, parcel, new Headers(init.headers), fate);
      const gaveUp = clock.sleep(timeoutMs).then(() => {
        throw new DOMException("the client gave up", "AbortError");
      });
      for (const one of [carried, gaveUp]) one.catch(() => "whoever waits has heard it");
      return Promise.race([carried, gaveUp, aborted(init.signal), closed.promise]);
    };
  };

  return {
    sendOf,
    setWeather: (next) => {
      weather = next;
    },
    close: () => closed.reject(new DOMException("the run is over", "AbortError")),
    counts,
  };
}

/** What happens to a request, and how long it is on its way there and back. */
function drawFate(random: Random, weather: Weather, timeoutMs: number): Fate {
  const way = () => 5 + Math.floor(random() * 60);
  const [thereMs, backMs] = [way(), way()];
  let roll = random() * 1000;
  for (const kind of KINDS) {
    roll -= weather[kind];
    if (roll >= 0) continue;
    const late = timeoutMs + Math.floor(random() * (LATE_MAX_MS - timeoutMs));
    if (kind === "answeredLate") return { kind, thereMs, backMs: late };
    if (kind === "arrivesLate") return { kind, thereMs: late, backMs };
    if (kind === "overtaken") return { kind, thereMs: thereMs + 200 + random() * 1500, backMs };
    return { kind, thereMs, backMs };
  }
  return { kind: "normal", thereMs, backMs };
}

async function carry(
  clock: SimClock,
  http: HttpDeps,
  { method, target, text }: Parcel,
  headers: Headers,
  { kind, thereMs, backMs }: Fate,
): Promise<Response> {
  await clock.sleep(thereMs);
  if (kind === "lostBefore") throw new TypeError("the connection was reset");
  advance(http.x, clock.now());
  const body = new TextEncoder().encode(text);
  const reply = answer(http, { method, target, body, headers }, "127.0.0.1");
  await clock.sleep(backMs + reply.delayMs);
  if (kind === "lostAfter" || reply.isDropped) throw new TypeError("the connection was lost");
  const { status, type } = reply;
  return new Response(reply.body, { status, headers: { "content-type": type } });
}

/** Rejects when the client does not want to know any more; the request goes on its way. */
function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => "whoever waits has heard it");
  signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}
