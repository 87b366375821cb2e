// The account probe names what is wrong: key, clock, address, permission, mode, withdraw permission,
// against the loopback double and against scripted answers of the exchanges that tell more.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { createAccountProbe } from "../../../src/adapters/ccxt/account-probe.ts";
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import type { ProbeReport, ProbeRequest } from "../../../src/ports/account-probe.ts";
import { DOUBLE_KEYS, startWooxDouble } from "../../contract/woox-double.ts";
import { silentLog } from "../../support/silent-log.ts";
import { KEYS } from "./broker-capture.ts";
import { ANSWERS } from "./broker-expected/answers.ts";

const double = await startWooxDouble();
afterAll(() => double.stop());
beforeEach(() => {
  double.fault = null;
  double.clockAheadMs = 0;
  double.isHedge = true;
});

const clock = createClock();
const probeAt = (url: string) =>
  createAccountProbe({
    clock,
    open: ({ exchangeId, mode, credentials }) =>
      createCcxtBroker(
        { clock, log: silentLog, loopbackUrl: url, timeoutMs: 300 },
        { exchangeId, kind: "perps", mode, credentials, isTestnet: false },
      ),
  });
const request = (change: Partial<ProbeRequest> & { apiSecret?: string } = {}): ProbeRequest => ({
  exchangeId: "woox",
  mode: "demo",
  credentials: {
    apiKey: createSecret(DOUBLE_KEYS.apiKey),
    apiSecret: createSecret(change.apiSecret ?? DOUBLE_KEYS.apiSecret),
    passphrase: createSecret(KEYS.passphrase),
    uid: null,
  },
  symbol: "BTC/USDT:USDT",
  signal: new AbortController().signal,
  ...change,
});
const probe = (change: Parameters<typeof request>[0] = {}) =>
  probeAt(double.url).probe(request(change));
const outcomes = ({ checks }: ProbeReport) =>
  Object.fromEntries(checks.map(({ name, outcome, fault }) => [name, fault ?? outcome]));

test("a good key passes every check, and what the exchange does not tell is a warning", async () => {
  const report = await probe();
  expect(outcomes(report)).toEqual({
    reachable: "pass",
    clock: "pass",
    key: "pass",
    balances: "pass",
    positions: "pass",
    orders: "pass",
    order_book: "pass",
    position_mode: "pass",
    withdraw_permission: "warn",
  });
  expect(report.mayWithdraw).toBeNull();
  expect(Math.abs(report.clockOffsetMs ?? 1e9)).toBeLessThan(1000);
});

test("a wrong secret is a wrong key, and what needs a key is not tried", async () => {
  double.requests.length = 0;
  const report = await probe({ apiSecret: "mistyped" });
  expect(outcomes(report)).toMatchObject({
    reachable: "pass",
    clock: "pass",
    key: "key",
    balances: "skipped",
    order_book: "pass",
    position_mode: "skipped",
    withdraw_permission: "skipped",
  });
  expect(JSON.stringify(report)).not.toContain("mistyped");
});

test("a clock that is off is named with its offset, and the key is not blamed for it", async () => {
  double.clockAheadMs = 45_000;
  const report = await probe();
  expect(outcomes(report)).toMatchObject({ clock: "clock", key: "pass", balances: "pass" });
  expect(report.clockOffsetMs).toBeGreaterThan(44_000);
  expect(report.checks[1]?.sentence).toMatch(/clock is 45\.\d s behind the exchange's/);
});

test("an account in one-way mode is warned about, with words that nothing was changed", async () => {
  double.isHedge = false;
  const report = await probe();
  const check = report.checks.find(({ name }) => name === "position_mode");
  expect(check).toMatchObject({ outcome: "warn", fault: "mode" });
  expect(double.requests.every(({ method }) => method === "GET")).toBe(true);
});

test("an exchange out of reach is one fault, and nothing else is tried", async () => {
  double.fault = () => "drop";
  const report = await probe();
  const { reachable, ...others } = outcomes(report);
  expect(reachable).toBe("unreachable");
  expect(new Set(Object.values(others))).toEqual(new Set(["skipped"]));
});

test("what cannot be opened is told, not thrown", async () => {
  const report = await probe({ exchangeId: "kraken" });
  expect(report.checks[0]).toMatchObject({ outcome: "fail", fault: "other" });
  expect(report.checks[0]?.sentence).toMatch(/cannot be traded/);
  expect(report.checks).toHaveLength(9);
});

test("a stopped probe ends with the reason", async () => {
  const signal = AbortSignal.abort(new Error("left the page"));
  await expect(probe({ signal })).rejects.toThrow("left the page");
});

/** Probes an exchange that answers one address in its own way. */
async function probeTold(
  exchangeId: string,
  path: string,
  answer: unknown,
  status = 200,
  told?: (typeof WITHDRAWING)[number],
) {
  const known = ANSWERS[exchangeId];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ method, url }) {
      const { pathname } = new URL(url);
      if (pathname === path) return Response.json(answer, { status });
      if (pathname === told?.[1]) return Response.json(told[3]);
      const own = known?.setup[pathname] ?? known?.answers[`${method} ${pathname}`];
      return Response.json(own ?? known?.fallback);
    },
  });
  const report = await probeAt(`http://127.0.0.1:${server.port}`).probe(request({ exchangeId }));
  await server.stop(true);
  return report;
}

const WITHDRAWING: [exchangeId: string, path: string, may: unknown, mayNot: unknown][] = [
  [
    "binance",
    "/sapi/v1/account/apiRestrictions",
    { enableWithdrawals: true, enableFutures: true, ipRestrict: true },
    { enableWithdrawals: false, enableFutures: true, ipRestrict: true },
  ],
  [
    "bybit",
    "/v5/user/query-api",
    {
      retCode: 0,
      result: {
        readOnly: 0,
        ips: ["1.2.3.4"],
        permissions: { ContractTrade: ["Order", "Position"], Wallet: ["Withdraw"] },
      },
    },
    {
      retCode: 0,
      result: {
        readOnly: 0,
        ips: ["1.2.3.4"],
        permissions: { ContractTrade: ["Order", "Position"], Wallet: [] },
      },
    },
  ],
  [
    "okx",
    "/api/v5/account/config",
    { code: "0", data: [{ perm: "read_only,withdraw,trade", ip: "1.2.3.4", posMode: "net_mode" }] },
    { code: "0", data: [{ perm: "read_only,trade", ip: "1.2.3.4", posMode: "net_mode" }] },
  ],
  [
    "kucoin",
    "/api/v1/user/api-key",
    { code: "200000", data: { permission: "General,Futures,Withdrawal", ipWhitelist: "1.2.3.4" } },
    { code: "200000", data: { permission: "General,Futures", ipWhitelist: "1.2.3.4" } },
  ],
];

for (const [exchangeId, path, may, mayNot] of WITHDRAWING) {
  test(`${exchangeId}: a key that may withdraw is refused, one that may not passes`, async () => {
    const bad = await probeTold(exchangeId, path, may);
    expect(bad.mayWithdraw).toBe(true);
    expect(outcomes(bad)).toMatchObject({ key: "pass", withdraw_permission: "withdraw" });
    const good = await probeTold(exchangeId, path, mayNot);
    expect(good.mayWithdraw).toBe(false);
    expect(outcomes(good)).toMatchObject({ key: "pass", withdraw_permission: "pass" });
  });
}

test("a key that may not trade is a missing permission", async () => {
  const answer = { enableWithdrawals: false, enableFutures: false, ipRestrict: true };
  const report = await probeTold("binance", "/sapi/v1/account/apiRestrictions", answer);
  expect(outcomes(report)).toMatchObject({ key: "permission", balances: "skipped" });
});

test("a key that works from every address is warned about", async () => {
  const answer = { enableWithdrawals: false, enableFutures: true, ipRestrict: false };
  const report = await probeTold("binance", "/sapi/v1/account/apiRestrictions", answer);
  expect(outcomes(report)).toMatchObject({ key: "warn", withdraw_permission: "pass" });
});

const FOREIGN: [exchangeId: string, path: string, answer: unknown, status: number][] = [
  ["okx", "/api/v5/account/balance", { code: "50110", msg: "not in the whitelist" }, 401],
  ["bybit", "/v5/account/wallet-balance", { retCode: 10_010, retMsg: "Unmatched IP" }, 200],
  ["kucoin", "/api/v1/account-overview", { code: "400006", msg: "not in the whitelist" }, 401],
];

for (const [exchangeId, path, answer, status] of FOREIGN) {
  test(`${exchangeId}: a key bound to other addresses is an address fault`, async () => {
    const told = WITHDRAWING.find(([id]) => id === exchangeId);
    const report = await probeTold(exchangeId, path, answer, status, told);
    expect(outcomes(report).key).toBe("address");
  });
}
