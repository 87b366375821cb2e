// What a key may do, from the venue's list of keys to the accounts service: a key that may withdraw is
// refused and not stored; what cannot be read is unknown, never harmless.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { createAccountProbe } from "../../src/adapters/ccxt/account-probe.ts";
import { createCcxtBroker } from "../../src/adapters/ccxt/broker.ts";
import { permissionsOf } from "../../src/adapters/ccxt/woox-rows.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import type { Actor } from "../../src/services/desk/actor.ts";
import { testAccounts } from "../support/account-probe.ts";
import { silentLog, type TestDatabase, testDatabase, testScope } from "../support/test-database.ts";
import { openBrokerLab } from "./broker-lab.ts";
import { codeOf, type LabOptions, startLab, stopLabs } from "../venue/lab.ts";

const clock = createClock();
const UNKNOWN = { mayTrade: null, mayWithdraw: null, isAddressBound: null };
let database: TestDatabase;
let actor: Actor;
beforeAll(async () => {
  database = await testDatabase();
  const scope = await testScope(database.sql, "one");
  const user = { id: scope.userId, email: "ann@example.org", timeZone: "UTC" };
  actor = { scope, user: { ...user, createdAt: 0, disabledAt: null } };
}, 30_000);
afterAll(() => database.drop());
afterEach(stopLabs);

async function told(account: LabOptions["account"]) {
  const { broker } = await openBrokerLab({ account: { ...account } });
  return broker.permissions({ signal: new AbortController().signal });
}

test("the broker reads what the key may do and where it works", async () => {
  expect(await told({})).toEqual({ mayTrade: true, mayWithdraw: false, isAddressBound: false });
  expect(await told({ permissions: ["READ"], allowedIps: ["203.0.113.7"] })).toEqual({
    ...{ mayTrade: false, mayWithdraw: false, isAddressBound: true },
  });
  expect(await told({ permissions: ["READ", "TRADE", "WITHDRAWAL"] })).toMatchObject({
    mayWithdraw: true,
  });
});

test("a key that is not listed, or a list in other words, is unknown and never harmless", () => {
  const key = { apiKey: "k", permissions: ["READ", "TRADE"] };
  expect(permissionsOf([{ ...key, apiKey: "other" }, key], "k")).toMatchObject({
    mayWithdraw: false,
  });
  for (const rows of [
    ...[undefined, null, {}, [], "k", [null], ["k"], [{ ...key, apiKey: "other" }]],
    ...[[{ apiKey: "k" }], [{ ...key, permissions: "READ" }], [{ ...key, permissions: [7] }]],
    [{ ...key, permissions: ["READ", "WITHDRAW_ALL"] }],
  ]) {
    expect(permissionsOf(rows, "k")).toEqual(UNKNOWN);
  }
  const odd = permissionsOf([{ ...key, allowedIPs: "everywhere" }], "k");
  expect(odd.isAddressBound).toBeNull();
});

test("a key without the right to trade is refused by the exchange itself", async () => {
  const lab = startLab({ account: { permissions: ["READ"] } });
  const order = { symbol: lab.market.instrument.symbol, type: "MARKET", side: "BUY" };
  const reply = await lab.call("POST", "/v3/trade/order", { ...order, quantity: "1" });
  expect([reply.status, codeOf(reply)]).toEqual([401, -1002]);
  expect((await lab.call("GET", "/v3/asset/balances")).status).toBe(200);
});

test("the list of keys has the documented shape, without addresses when there are none", async () => {
  const open = startLab();
  const bound = startLab({ account: { allowedIps: ["203.0.113.7"] } });
  const rows = await Promise.all(
    [open, bound].map(async (lab) => (await lab.call("GET", "/v3/account/credentials")).json.data),
  );
  const { id: userId, apiKey } = open.account;
  expect(rows[0] as unknown).toEqual({
    rows: [{ accountName: "ann", userId, apiKey, permissions: ["READ", "TRADE"] }],
    meta: { total: 1, recordsPerPage: 25, currentPage: 1 },
  });
  expect(rows[1]?.rows?.[0]).toMatchObject({ allowedIPs: ["203.0.113.7"] } as never);
});

test("an account whose key may withdraw is refused and not stored", async () => {
  const stored: string[] = [];
  for (const permissions of [
    ["READ", "TRADE", "WITHDRAWAL"],
    ["READ", "TRADE"],
  ] as const) {
    const lab = startLab({ startAt: clock.now(), speed: 1, account: { permissions } });
    const probe = createAccountProbe({
      clock,
      open: ({ exchangeId, mode, credentials }) =>
        createCcxtBroker(
          { clock, log: silentLog, loopbackUrl: lab.venue.url, timeoutMs: 5000 },
          { exchangeId, mode, credentials, kind: "perps", isTestnet: false },
        ),
    });
    const accounts = await testAccounts(database.sql, clock, { probe });
    const { apiKey, secret: apiSecret } = lab.account;
    const wish = { exchange: "woox", mode: "demo", apiKey, apiSecret, passphrase: "" };
    const made = await accounts.create(actor, { name: permissions.at(-1) ?? "", ...wish });
    const { checks } = made.ok
      ? (made.account.probe ?? { checks: [] })
      : made.reason === "keys_refused"
        ? made.report
        : { checks: [] };
    const check = checks.find(({ name }) => name === "withdraw_permission");
    expect([made.ok, check?.outcome]).toEqual(made.ok ? [true, "pass"] : [false, "fail"]);
    if (made.ok) stored.push(made.account.name);
    expect((await accounts.list(actor.scope)).map(({ name }) => name)).toEqual(stored);
  }
  expect(stored).toEqual(["TRADE"]);
});
