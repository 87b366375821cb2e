// The pre-flight on the real simulated exchange with real rows: what it finds out, what it does while something does
// not answer, and when an account may be armed.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import { formatClientOrderId } from "../../../src/model/client-order-id.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { User, UserId } from "../../../src/ports/access-store.ts";
import type { AccountId, AccountLimits, AccountMode } from "../../../src/ports/account-store.ts";
import type { BotConfig, BotId } from "../../../src/ports/bot-store.ts";
import type { Broker, NewOrder } from "../../../src/ports/broker.ts";
import type { PreflightKey } from "../../../src/risk/preflight-check.ts";
import { createCandleFeed } from "../../../src/services/live/candle-feed.ts";
import {
  createPreflight,
  type Preflight,
  type PreflightDeps,
  RUN_FRESH_MS,
} from "../../../src/services/live/preflight.ts";
import type { OpenedForChecks } from "../../../src/services/live/preflight-facts.ts";
import {
  botConfig,
  eagerStrategy,
  type LiveSession,
  openSession,
  SYMBOL,
} from "../../support/live-session.ts";
import { silentLog } from "../../support/silent-log.ts";

const TIMEOUT_MS = 60_000;
const INSTANCE = 7;
const GIB = 1024 ** 3;
const signal = new AbortController().signal;

let session: LiveSession;
let broker: Broker;
let opened: OpenedForChecks;
let accounts = 0;

beforeAll(async () => {
  session = await openSession();
  const { venue, clock, account, database } = session;
  const secrets = { apiKey: createSecret(account.apiKey), apiSecret: createSecret(account.secret) };
  broker = await createCcxtBroker(
    { clock, log: silentLog, loopbackUrl: venue.url, timeoutMs: 5000 },
    {
      ...{ exchangeId: "woox", kind: "perps", mode: "demo", isTestnet: false },
      credentials: { ...secrets, passphrase: null, uid: createSecret(account.name) },
    },
  );
  const market = createMarketData({ clock, log: silentLog, loopbackUrls: { demo: venue.url } });
  const store = createCandleRepository(database.sql);
  opened = {
    broker,
    candles: createCandleFeed({
      ...{ store, market, clock, log: silentLog },
      signal: new AbortController().signal,
    }),
    marketOf: (symbol) => market.normaliseMarket("demo", symbol, "perps"),
    close: async () => undefined,
  };
}, TIMEOUT_MS);
afterAll(() => session.close());

const LIMITS: AccountLimits = {
  maxDailyLossUsd: decimal("50"),
  maxTotalLossUsd: decimal("500"),
  maxDrawdownPct: null,
  maxSymbolExposureUsd: null,
  maxGrossExposureUsd: decimal("5000"),
};

type Change = {
  readonly mode?: AccountMode;
  readonly limits?: Partial<AccountLimits>;
  readonly config?: Partial<BotConfig>;
  readonly broker?: Partial<Broker>;
  readonly candles?: OpenedForChecks["candles"];
  readonly deps?: Partial<PreflightDeps>;
};

type Case = { readonly id: AccountId; readonly name: string; readonly preflight: Preflight };

/** A live account of its own with one bot; it is checked at the same simulated exchange. */
async function open(change: Change = {}): Promise<Case> {
  const { scope, clock, bots, trading, control, database } = session;
  accounts += 1;
  const name = `Main ${accounts}`;
  const { mode = "live" } = change;
  const made = await session.accounts.create(
    scope,
    { name, exchangeId: "woox", mode },
    null,
    clock.now(),
  );
  if (!made.ok) throw new Error(made.detail);
  const { id } = made.value;
  const limits = { ...LIMITS, ...change.limits };
  await session.accounts.change(scope, id, { limits }, clock.now());
  const config = botConfig(eagerStrategy(), { leverage: 10, ...change.config });
  await session.addBot({ accountId: id, name: `Eager ${accounts}`, config });
  const preflight = createPreflight({
    ...{ accounts: session.accounts, bots, trading, control, clock, log: silentLog },
    settings: createSettingsRepository(database.sql),
    audit: createAuditRepository(database.sql),
    open: async () => ({
      ...opened,
      broker: { ...broker, ...change.broker },
      ...(change.candles ? { candles: change.candles } : {}),
    }),
    freeBytes: async () => 10 * GIB,
    schema: async () => ({ current: 1, latest: 1 }),
    hasAlarm: async () => true,
    instance: INSTANCE,
    keyId: "0123456789abcdef",
    ...change.deps,
  });
  return { id, name, preflight };
}

async function run({ preflight, id }: Case) {
  const made = await preflight.run(session.scope, id, signal);
  if (!made.ok) throw new Error(made.detail);
  return made.value;
}

/** Keys that failed; warnings with a question mark. */
async function bad(one: Case): Promise<string[]> {
  const { checks } = await run(one);
  return checks.flatMap(({ key, level }) => {
    if (level === "pass") return [];
    return [level === "warn" ? `${key}?` : key];
  });
}

const actor = () => {
  const user: User = {
    id: session.scope.userId as UserId,
    ...{ email: "ann@example.org", timeZone: "UTC", createdAt: 0, disabledAt: null },
  };
  return { scope: session.scope, user };
};

const arm = ({ preflight, id, name }: Case, typedName = name, hasKeyBackup = true) =>
  preflight.arm(actor(), { accountId: id, typedName, hasKeyBackup });

const reasonOf = (answer: Awaited<ReturnType<Preflight["arm"]>>) =>
  answer.ok ? "armed" : answer.reason;

test(
  "an account in order passes but for the word on the master key, and the run is kept",
  async () => {
    const one = await open();
    expect(await one.preflight.last(session.scope, one.id)).toBeNull();
    expect(await bad(one)).toEqual(["master_key_backup?"]);
    const last = await one.preflight.last(session.scope, one.id);
    expect(last?.level).toBe("warn");
    const balance = last?.checks.find(({ key }) => key === "balance")?.sentence;
    expect(balance).toMatch(/^Every ladder to its last rung needs [1-9][\d.]* USDT of margin;/);
  },
  TIMEOUT_MS,
);

const refused = () => Promise.reject(new Error("nobody is there"));

const CASES: readonly (readonly [name: string, change: Change, keys: readonly PreflightKey[]])[] = [
  [
    "keys that may withdraw",
    {
      broker: {
        permissions: async () => ({ mayTrade: true, mayWithdraw: true, isAddressBound: null }),
      },
    },
    ["withdraw_permission"],
  ],
  [
    "keys that are refused",
    { broker: { permissions: refused } },
    ["credentials", "withdraw_permission"],
  ],
  [
    "a clock two minutes off",
    { broker: { serverTime: async () => session.clock.now() + 120_000 } },
    ["clock"],
  ],
  ["an unknown position mode", { broker: { positionMode: refused } }, ["position_mode"]],
  ["too much leverage", { config: { leverage: 51 } }, ["leverage"]],
  ["a tiny allocation", { config: { allocation: decimal("0.01") } }, ["minimums"]],
  ["an allocation beyond the account", { config: { allocation: decimal("9000000") } }, ["balance"]],
  [
    "unknown rules",
    { broker: { orderRules: refused } },
    ["symbol_rules", "minimums", "balance", "candles"],
  ],
  ["an unknown balance", { broker: { balances: refused } }, ["credentials", "balance"]],
  ["no candles", { candles: { history: refused } }, ["minimums", "balance", "candles"]],
  ["an unknown list of orders", { broker: { openOrders: refused } }, ["unexplained", "lease"]],
  ["no limits", { limits: { maxDailyLossUsd: null, maxTotalLossUsd: null } }, ["limits"]],
  ["a full disk", { deps: { freeBytes: async () => 1000 } }, ["disk"]],
  ["an old schema", { deps: { schema: async () => ({ current: 1, latest: 2 }) } }, ["migrations"]],
];

describe("fails where it should, and only there:", () => {
  for (const [name, change, keys] of CASES) {
    test(
      name,
      async () => {
        const found = await bad(await open(change));
        expect(found.filter((key) => !key.endsWith("?"))).toEqual([...keys]);
      },
      TIMEOUT_MS,
    );
  }

  test(
    "an exchange that cannot be opened",
    async () => {
      const found = await bad(await open({ deps: { open: refused } }));
      expect(found).toContain("credentials");
      expect(found).not.toContain("disk");
    },
    TIMEOUT_MS,
  );

  test(
    "a question nobody answers, which is not waited for",
    async () => {
      const never = () => new Promise<never>(() => undefined);
      const one = await open({ broker: { serverTime: never } });
      const { checks } = await run(one);
      const sentence = checks.find(({ key }) => key === "clock")?.sentence;
      expect(sentence).toContain("there was no answer within 15 s");
    },
    TIMEOUT_MS,
  );

  test(
    "an order nobody knows, and one of another Dragon",
    async () => {
      const { price } = await broker.markPrice(SYMBOL, { signal });
      const parts = { stampS: 200_000_000, instance: INSTANCE + 1, bot: 1 as BotId, sequence: 1 };
      const order: NewOrder = {
        clientOrderId: formatClientOrderId(parts),
        ...{ symbol: SYMBOL, side: "buy", positionSide: null, qty: decimal("0.01") },
        terms: { kind: "limit", price: decimal(String(Math.floor(Number(price) * 0.95))) },
        ...{ isReduceOnly: false, visibleQty: null, leverage: null },
      };
      const placed = await broker.place(order, { signal });
      expect(placed).toMatchObject({ outcome: "accepted" });
      const found = await bad(await open());
      await broker.cancelAll(SYMBOL, { signal });
      expect(found).toEqual(["unexplained", "lease", "master_key_backup?"]);
    },
    TIMEOUT_MS,
  );
});

describe("arming", () => {
  test(
    "asks for a run, the name and the word on the key, and then lets the account trade, audited",
    async () => {
      const one = await open();
      const { scope, control, database } = session;
      const stateOf = async (kind: string) =>
        (await control.read(scope)).states.find((row) => row.scope.kind === kind)?.state;
      expect(await stateOf("live")).toBe("frozen");
      expect(reasonOf(await arm(one))).toBe("never_checked");
      await run(one);
      expect(reasonOf(await arm(one, "main"))).toBe("wrong_name");
      expect(reasonOf(await arm(one, one.name, false))).toBe("key_backup_missing");
      expect(await stateOf("live")).toBe("frozen");
      expect(reasonOf(await arm(one))).toBe("armed");
      const { states } = await control.read(scope);
      const active = states.filter(({ state }) => state === "active").map((row) => row.scope);
      expect(active).toContainEqual({ kind: "live" });
      expect(active).toContainEqual({ kind: "account", accountId: one.id });
      const entries = await createAuditRepository(database.sql).list(scope, { limit: 20 });
      const armed = entries.find(({ action }) => action === "live_armed");
      expect(armed).toMatchObject({ actor: "ann@example.org", object: `account:${one.id}` });
      expect(await bad(one)).toEqual([]);
      await control.setStates(
        scope,
        [{ scope: { kind: "live" }, state: "frozen", reason: "test", actor: "test" }],
        session.clock.now(),
      );
    },
    TIMEOUT_MS,
  );

  test(
    "is refused after ten minutes",
    async () => {
      let lateMs = 0;
      const clock = { ...session.clock, now: () => session.clock.now() + lateMs };
      const one = await open({ deps: { clock } });
      await run(one);
      lateMs = RUN_FRESH_MS;
      expect(reasonOf(await arm(one))).toBe("checked_too_long_ago");
      lateMs = -RUN_FRESH_MS;
      expect(reasonOf(await arm(one))).toBe("checked_too_long_ago");
    },
    TIMEOUT_MS,
  );

  test(
    "is refused when limits or bots are others than those that were checked",
    async () => {
      const one = await open();
      await run(one);
      const { scope, clock } = session;
      const limits = { ...LIMITS, maxDailyLossUsd: decimal("51") };
      await session.accounts.change(scope, one.id, { limits }, clock.now());
      expect(reasonOf(await arm(one))).toBe("changed_since");
      await run(one);
      const config = botConfig(eagerStrategy({ exits: { tp_mode: "PCT", tp_pct: 3, sl_pct: 2 } }));
      const [bot] = await session.bots.list(scope, one.id);
      if (!bot) throw new Error("there is no bot");
      const change = { seenVersion: bot.configVersion, config, note: "" };
      const changed = await session.bots.changeConfig(scope, bot.id, change, "ann", clock.now());
      expect(changed.ok).toBe(true);
      expect(reasonOf(await arm(one))).toBe("changed_since");
    },
    TIMEOUT_MS,
  );

  test(
    "is refused after a failure, for accounts without real money and for unknown ones",
    async () => {
      const failing = await open({ deps: { freeBytes: async () => 1000 } });
      await run(failing);
      expect(reasonOf(await arm(failing))).toBe("check_failed");
      const paper = await open({ mode: "paper" });
      await run(paper);
      expect(reasonOf(await arm(paper))).toBe("not_live");
      const unknown = { ...paper, id: 999_999 as AccountId };
      expect(reasonOf(await arm(unknown))).toBe("unknown_account");
      const one = await open();
      await run(one);
      const trader = { ...actor(), scope: { ...session.scope, role: "trader" as const } };
      const wish = { accountId: one.id, typedName: one.name, hasKeyBackup: true };
      expect(reasonOf(await one.preflight.arm(trader, wish))).toBe("not_allowed");
      const states = (await session.control.read(session.scope)).states;
      expect(states.find((row) => row.scope.kind === "live")?.state).toBe("frozen");
    },
    TIMEOUT_MS,
  );
});
