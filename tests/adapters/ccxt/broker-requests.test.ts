// Every operation on every exchange sends exactly the documented request, correctly signed, through
// the real client to a real loopback server.
import { expect, test } from "bun:test";
import { type Captured, captureBroker, KEYS } from "./broker-capture.ts";
import { BINANCE } from "./broker-expected/binance.ts";
import { BYBIT } from "./broker-expected/bybit.ts";
import { KUCOIN } from "./broker-expected/kucoin.ts";
import { OKX } from "./broker-expected/okx.ts";
import {
  type Expected,
  type ExpectedByOperation,
  type OperationName,
  OPERATIONS,
} from "./broker-expected/operations.ts";
import { SIGNATURES } from "./broker-expected/signatures.ts";
import { UPBIT } from "./broker-expected/upbit.ts";
import { WOOX } from "./broker-expected/woox.ts";

const TABLES: Readonly<Record<string, ExpectedByOperation>> = {
  woox: WOOX,
  binance: BINANCE,
  bybit: BYBIT,
  okx: OKX,
  kucoin: KUCOIN,
  upbit: UPBIT,
};
/** Addresses that need no key. */
const PUBLIC = /\/(public|market|depth|premiumIndex|timestamp|mark-price|level2|orderbook|time)\b/;

/** A request without what the signature covers beyond the documented parameters. */
function plain({ method, path, query, body }: Captured): Expected {
  const withoutSeal = (text: string) => {
    const params = new URLSearchParams(text);
    for (const name of ["timestamp", "recvWindow", "signature"]) params.delete(name);
    return Object.fromEntries(params);
  };
  const shown = { method: method as Expected["method"], path };
  if (body === "") return { ...shown, query: withoutSeal(query) };
  return { ...shown, body: /^[[{]/.test(body) ? JSON.parse(body) : withoutSeal(body) };
}

function parsed(expected: Expected): Expected {
  return expected.body === undefined ? { query: {}, ...expected } : expected;
}

for (const [exchangeId, table] of Object.entries(TABLES)) {
  for (const name of Object.keys(OPERATIONS) as OperationName[]) {
    const expected = table[name];
    const title =
      expected.length > 0
        ? `${exchangeId}: ${name} sends the documented request, signed`
        : `${exchangeId}: ${name} sends nothing`;
    test(title, async () => {
      // A new broker each time: an operation may be the first one.
      const { broker, captured, stop } = await captureBroker(exchangeId);
      // Answers are only as complete as a request needs: reading them may fail here.
      await OPERATIONS[name](broker).catch((error: unknown) => {
        expect(error).toMatchObject({ name: "BrokerError" });
      });
      stop();
      expect(captured.map(plain)).toEqual(expected.map(parsed));
      for (const request of captured) {
        const verify = SIGNATURES[exchangeId];
        if (!PUBLIC.test(request.path)) expect(verify?.(request, KEYS)).toBe(true);
        expect(request.headers["user-agent"]).toBe("dragon");
        expect(JSON.stringify(request)).not.toMatch(/ccxt|partner|bc830de7|6b9ad766/i);
      }
    });
  }
}

test("okx is told by a header that the test environment is meant, and only then", async () => {
  for (const [isTestnet, header] of [
    [true, "1"],
    [false, undefined],
  ] as const) {
    const { broker, captured, stop } = await captureBroker("okx", isTestnet);
    await OPERATIONS.balances(broker).catch(() => undefined);
    stop();
    expect(captured[0]?.headers["x-simulated-trading"]).toBe(header);
  }
});

test("at least 101 operations are held against documented requests", () => {
  const held = Object.values(TABLES).flatMap((table) =>
    Object.values(table).filter((requests) => requests.length > 0),
  );
  expect(held.length).toBeGreaterThanOrEqual(101);
});
