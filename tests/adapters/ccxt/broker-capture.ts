// A loopback server that writes down every request of a broker as it came over the wire and answers
// with a small success, and an opened broker pointed at it. Used by the request tests.
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import type { Broker } from "../../../src/ports/broker.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { silentLog } from "../../support/silent-log.ts";
import { ANSWERS } from "./broker-expected/answers.ts";

/** A request, taken apart. */
export type Captured = {
  readonly method: string;
  readonly path: string;
  /** As sent, undecoded. */
  readonly query: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** A broker whose requests are captured; markets and their like are not written down. */
export type CapturedBroker = {
  readonly broker: Broker;
  readonly captured: Captured[];
  stop(): void;
};

export const KEYS = { apiKey: "key-1", apiSecret: "secret-of-key-1", passphrase: "phrase-1" };
export const NOW = 1_760_000_000_000;
const clock: Clock = {
  now: () => NOW,
  monotonicMs: () => NOW,
  sleep: async () => undefined,
};

/** Opens an exchange over a server of its own. */
export async function captureBroker(
  exchangeId: string,
  isTestnet = false,
): Promise<CapturedBroker> {
  const captured: Captured[] = [];
  const { setup, answers, fallback } = ANSWERS[exchangeId] ?? fail(exchangeId);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const url = new URL(request.url);
      const known = setup[url.pathname];
      if (known !== undefined) return Response.json(known);
      captured.push({
        method: request.method,
        path: url.pathname,
        query: url.search.slice(1),
        body: await request.text(),
        headers: Object.fromEntries(request.headers),
      });
      return Response.json(answers[`${request.method} ${url.pathname}`] ?? fallback);
    },
  });
  const broker = await createCcxtBroker(
    { clock, log: silentLog, loopbackUrl: `http://127.0.0.1:${server.port}`, timeoutMs: 5000 },
    {
      exchangeId,
      kind: exchangeId === "upbit" ? "spot" : "perps",
      mode: "live",
      credentials: {
        apiKey: createSecret(KEYS.apiKey),
        apiSecret: createSecret(KEYS.apiSecret),
        passphrase: createSecret(KEYS.passphrase),
        uid: null,
      },
      isTestnet,
    },
  );
  return { broker, captured, stop: () => void server.stop(true) };
}

function fail(exchangeId: string): never {
  throw new Error(`no answers are written for ${exchangeId}`);
}
