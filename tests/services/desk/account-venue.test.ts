// A demo account from end to end: the service, the real probe over ccxt, and the simulated exchange as a
// server on loopback, with good, wrong and ended keys.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createAccountProbe } from "../../../src/adapters/ccxt/account-probe.ts";
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import type { TradingAccounts } from "../../../src/services/desk/trading-accounts.ts";
import { startVenue, type Venue } from "../../../src/venue/server.ts";
import { DEFAULT_MARKETS, venueSettings } from "../../../src/venue/settings.ts";
import { testAccounts } from "../../support/account-probe.ts";
import {
  silentLog,
  type TestDatabase,
  testDatabase,
  testScope,
} from "../../support/test-database.ts";

const clock = createClock();
let database: TestDatabase;
let venue: Venue;
let accounts: TradingAccounts;
let actor: Actor;
let keys: { apiKey: string; apiSecret: string; passphrase: string };

beforeAll(async () => {
  database = await testDatabase();
  const account = { name: "demo", deposit: "10000", mode: "ONE_WAY" } as const;
  const settings = venueSettings({
    ...{ seed: 1, startAt: clock.now(), markets: DEFAULT_MARKETS, accounts: [account] },
    ...{ authClock: "virtual", faults: [] },
  });
  venue = startVenue({ settings, speed: 1, port: 0 });
  const [demo] = [...venue.exchange.accounts.values()];
  if (!demo) throw new Error("the venue has no account");
  keys = { apiKey: demo.apiKey, apiSecret: demo.secret, passphrase: "" };
  const probe = createAccountProbe({
    clock,
    open: ({ exchangeId, mode, credentials }) =>
      createCcxtBroker(
        { clock, log: silentLog, loopbackUrl: venue.url, timeoutMs: 5000 },
        { exchangeId, mode, credentials, kind: "perps", isTestnet: false },
      ),
  });
  accounts = await testAccounts(database.sql, clock, { probe });
  const scope = await testScope(database.sql, "one");
  const user = { id: scope.userId, email: "ann@example.org", timeZone: "UTC" };
  actor = { scope, user: { ...user, createdAt: 0, disabledAt: null } };
}, 30_000);
afterAll(async () => {
  await venue.stop();
  await database.drop();
});

const wish = (name: string) => ({ name, exchange: "woox", mode: "demo", ...keys });

test("good keys are accepted, and every check has its sentence", async () => {
  const made = await accounts.create(actor, wish("Good"));
  if (!made.ok) throw new Error(made.detail);
  const outcomes = made.account.probe?.checks.map(({ name, outcome }) => [name, outcome]);
  expect(outcomes).toEqual(
    expect.arrayContaining([
      ["reachable", "pass"],
      ["clock", "pass"],
      ["balances", "pass"],
      ["positions", "pass"],
      ["orders", "pass"],
      ["order_book", "pass"],
    ]),
  );
  expect(made.account.probe?.checks.some(({ outcome }) => outcome === "fail")).toBe(false);
  const again = await accounts.test(actor, made.account.id, "ETH/USDT:USDT");
  expect(again).toMatchObject({ ok: true, account: { probe: { symbol: "ETH/USDT:USDT" } } });
});

test("a wrong secret and an unknown key are named and not stored", async () => {
  for (const wrong of [{ apiSecret: "x".repeat(24) }, { apiKey: "y".repeat(24) }]) {
    const refused = await accounts.create(actor, { ...wish("Wrong"), ...wrong });
    expect(refused).toMatchObject({ ok: false, reason: "keys_refused" });
    if (refused.ok || refused.reason !== "keys_refused") throw new Error("it was stored");
    const key = refused.report.checks.find(({ name }) => name === "key");
    expect(key).toMatchObject({ outcome: "fail", fault: "key" });
  }
  expect((await accounts.list(actor.scope)).map(({ name }) => name)).toEqual(["Good"]);
});

test("an exchange that is gone is told as unreachable", async () => {
  const [account] = await accounts.list(actor.scope);
  await venue.stop();
  const tested = await accounts.test(actor, account?.id ?? (0 as never), "");
  if (!tested.ok) throw new Error(tested.detail);
  expect(tested.account.probe?.checks[0]).toMatchObject({
    ...{ name: "reachable", outcome: "fail", fault: "unreachable" },
  });
}, 30_000);
