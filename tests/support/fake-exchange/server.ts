// The HTTP side every fake exchange shares: a loopback server that writes down what it was asked
// and can be told to fail at chosen moments.
/** A request as it arrived. */
export type Asked = {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
};

/** Looks at the n-th request (from 0) and may answer in the exchange's place. */
export type Fault = (request: Asked, index: number) => Response | null;

/** How an exchange answers; null means no such address. */
export type Dialect = (request: Asked) => unknown;

/** A running fake exchange. */
export type FakeExchange = {
  readonly url: string;
  /** Everything asked so far, oldest first; tests may empty it. */
  readonly asked: Asked[];
  /** Requests for history: neither markets nor time. */
  history(): Asked[];
  fault: Fault;
  stop(): void;
};

const none: Fault = () => null;
const HISTORY = /kline|candles|funding/i;

/** Starts a dialect on a free loopback port. */
export function startFakeExchange(dialect: Dialect): FakeExchange {
  const asked: Asked[] = [];
  const exchange = {
    url: "",
    asked,
    history: () => asked.filter(({ path }) => HISTORY.test(path)),
    fault: none,
    stop: () => void server.stop(true),
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(raw) {
      const url = new URL(raw.url);
      const request = { path: url.pathname, params: Object.fromEntries(url.searchParams) };
      asked.push(request);
      const fault = exchange.fault(request, asked.length - 1);
      if (fault) return fault;
      const answer = dialect(request);
      return answer === null ? new Response("not found", { status: 404 }) : Response.json(answer);
    },
  });
  exchange.url = `http://127.0.0.1:${server.port}`;
  return exchange;
}

/** "Too many requests", with or without saying for how long. */
export function tooMany(retryAfter?: string): Response {
  const headers = retryAfter === undefined ? undefined : { "Retry-After": retryAfter };
  return Response.json(
    { code: -1003, msg: "too many requests" },
    { status: 429, ...(headers ? { headers } : {}) },
  );
}

/** Minutes of `1m`, `4h`, `1H`, `1Dutc`. */
export function minutesOf(interval: string): number {
  const unit = { m: 1, h: 60, d: 1440, w: 10_080 }[interval.replace(/\d|utc/g, "").toLowerCase()];
  if (unit === undefined) throw new Error(`the fake exchange has no interval ${interval}`);
  return Number.parseInt(interval, 10) * unit;
}
