// What a person does by the pages and what the tests wait for, in the words of the smoke list. Used by smoke-world.ts;
// every wait names what it waits for and asks the exchange's books or the rows, never the clock alone.
import type { BotStore, Bot, BotId, NewBot, StoredEvent } from "../../src/ports/bot-store.ts";
import type { Database } from "../../src/adapters/postgres/database.ts";
import { decimal } from "../../src/model/decimal.ts";
import type { EventKind } from "../../src/model/event-kinds.ts";
import type { AccountFigures, BotFigures } from "../../src/model/live-figures.ts";
import type { PositionSide } from "../../src/model/order.ts";
import { MINUTE_MS } from "../../src/model/time.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { botConfig } from "../support/live-session.ts";
import { symbolOf } from "../support/venue-process.ts";
import { closing, type SmokeExchange } from "./smoke-exchange.ts";
import type { Person, Sent } from "./smoke-person.ts";
import type { SmokeKeys } from "./smoke-venue.ts";

/** A live account: its name is the same here and at the exchange. */
export type SmokeAccount = { readonly name: string; readonly id: AccountId };

/** What the steps are taken with. */
export type StepDeps = {
  readonly person: Person;
  readonly exchange: SmokeExchange;
  readonly database: Pick<Database, "target">;
  readonly bots: BotStore;
  readonly scope: Scope;
};

/** Real time in which what is waited for comes true, on a machine that has other things to do. */
const UNTIL_MS = 60_000;
const LOOK_EVERY_MS = 50;
const EVENTS_READ = 500;
/** Take-profit, protective stop and one rung. */
const ORDERS_OF_A_POSITION = 3;
/** A price so far beyond a take-profit fills it. */
const BEYOND_RATIO = 1.002;
const NOTHING_SHOWN = { lastCandleAt: null, lastDecision: null };
/** Wide enough that only tests of limits meet them. */
const LIMITS = { maxDailyLossUsd: "5000", maxTotalLossUsd: "5000", maxDrawdownPct: "90" };
const NO_EXPOSURE_LIMITS = { maxSymbolExposureUsd: "", maxGrossExposureUsd: "" };

/** Everything a person does by forms. */
export function personSteps({ person, exchange, bots, scope }: StepDeps) {
  const setLimits = async ({ id }: Pick<SmokeAccount, "id">, limits: Record<string, string>) => {
    const typed = { ...NO_EXPOSURE_LIMITS, ...limits };
    pathOf(await person.send(`/accounts/${id}/limits`, typed));
  };
  return {
    setLimits,
    /** Adds the account with its first keys. */
    async addAccount(name: string, limits: Record<string, string> = LIMITS): Promise<SmokeAccount> {
      const place = { name, exchange: "woox", mode: "live" };
      const keys = typedKeys(exchange.keys({ name }));
      const path = pathOf(await person.send("/accounts", { ...place, ...keys }));
      const id = Number(/^\/accounts\/(\d+)/.exec(path)?.[1]) as AccountId;
      await setLimits({ id }, limits);
      return { name, id };
    },
    /** A bot that is to run on a contract: it enters at the next close and holds until somebody acts. */
    async addBot(account: SmokeAccount, market: number, side: PositionSide = "long"): Promise<Bot> {
      const wanted: NewBot = {
        ...{ accountId: account.id, symbol: symbolOf(market), timeframeMin: 1, runId: null },
        ...{ name: `${account.name} ${side} ${market}`, sides: [side] },
        ...{ strategyName: "dca-atr", strategyVersion: "1.0.0" },
        config: botConfig(strategyOf(side), { allocation: decimal("2000") }),
      };
      const made = await bots.create(scope, wanted, "ann@example.org", exchange.now());
      if (!made.ok) throw new Error(made.detail);
      pathOf(await person.send(`/bots/${made.value.id}/run`));
      return made.value;
    },
    /** Runs the pre-flight and arms the account. */
    async arm({ id, name }: SmokeAccount): Promise<void> {
      pathOf(await person.send(`/accounts/${id}/preflight`));
      await until("the pre-flight has ended", async () => {
        return !(await person.read(`/accounts/${id}`)).includes("this machine are asked…");
      });
      const words = { typedName: name, keyBackup: "yes" };
      pathOf(await person.send(`/accounts/${id}/arm`, words));
    },
    async disarm({ id }: SmokeAccount): Promise<void> {
      pathOf(await person.send(`/accounts/${id}/disarm`, { confirm: "DISARM" }));
    },
    /** @param scopeKey `global`, `account:1`, `bot:1` */
    async kill(scopeKey: string, level: string, confirm = ""): Promise<void> {
      const wish = { scope: scopeKey, level, reason: "the smoke list", confirm };
      pathOf(await person.send("/trading/kill", wish));
    },
    async release(scopeKey: string): Promise<void> {
      const wish = { scope: scopeKey, reason: "", confirm: "RESUME" };
      pathOf(await person.send("/trading/resume", wish));
    },
    async flatten({ id }: Bot): Promise<void> {
      pathOf(await person.send(`/bots/${id}/flatten`, { confirm: "FLATTEN" }));
    },
    /** Closes a part of what a bot holds, and waits until the exchange accepted the order. */
    async closePart(account: SmokeAccount, { id, symbol }: Bot, pct: string): Promise<void> {
      const askedAt = exchange.now();
      pathOf(await person.send(`/bots/${id}/commands`, { action: "close_part", pct }));
      await until(`an order that closes ${pct} % of ${symbol} passed`, async () => {
        const orders = closing(await exchange.book(account));
        return orders.some((order) => order.symbol === symbol && order.at > askedAt);
      });
    },
  };
}

/** What the rows and the exchange tell, and waiting for it. */
export function lookSteps({ exchange, database, bots, scope }: StepDeps) {
  const shown = async (accountId: AccountId, botId: BotId | null): Promise<unknown> => {
    const all = await bots.snapshots(scope, accountId);
    return all.find((each) => each.botId === botId)?.body ?? null;
  };
  const figures = async ({ id, accountId }: Pick<Bot, "id" | "accountId">) =>
    (await shown(accountId, id)) as BotFigures | null;
  return {
    /** What a worker showed of a bot last; null before it showed anything. */
    figures,
    async accountFigures({ id }: SmokeAccount): Promise<AccountFigures | null> {
      return (await shown(id, null)) as AccountFigures | null;
    },
    /** Durable events of an account, oldest first. */
    async events({ id }: SmokeAccount, kind: EventKind): Promise<StoredEvent[]> {
      const query = { accountId: id, botId: null, severities: null, beforeId: null };
      const found = await bots.events(scope, { ...query, limit: EVENTS_READ });
      return found.filter((event) => event.kind === kind).reverse();
    },
    /** Differences between the exchange's books and the rows of an account at rest. */
    differences: (account: SmokeAccount) =>
      exchange.differences(account, { target: database.target, scope, accountId: account.id }),
    /** What a bot decided at a close that comes after this call. */
    async nextDecision(bot: Bot): Promise<string | null> {
      const since = exchange.now();
      let decided: string | null = null;
      await until(`${bot.name} decided at another close`, async () => {
        const { lastCandleAt, lastDecision } = (await figures(bot)) ?? NOTHING_SHOWN;
        decided = lastDecision;
        return lastCandleAt !== null && lastCandleAt + MINUTE_MS >= since;
      });
      return decided;
    },
    /** Waits until a bot holds something with take-profit, stop and rung at the exchange, and shows it. */
    async holds(account: SmokeAccount, bot: Bot): Promise<void> {
      await until(`${bot.name} holds a position that is complete`, async () => {
        const { orders, held } = await exchange.book(account);
        const own = orders.filter(({ symbol }) => symbol === bot.symbol);
        const isComplete = own.filter(({ isWorking }) => isWorking).length === ORDERS_OF_A_POSITION;
        const isShown = (await figures(bot))?.position?.stopPrice != null;
        return isShown && isComplete && bot.symbol in held;
      });
    },
    /** Moves the price past the take-profit that rests at the exchange, and waits until it is filled. */
    async takeProfit(account: SmokeAccount, { symbol }: Bot): Promise<void> {
      let price: string | null = null;
      await until(`a take-profit of ${symbol} rests`, async () => {
        const resting = closing(await exchange.book(account)).find((order) => {
          return order.symbol === symbol && order.isWorking;
        });
        price = resting?.price ?? null;
        return price !== null;
      });
      await exchange.push(symbol, (Number(price) * BEYOND_RATIO).toFixed(1));
      await until(`the take-profit of ${symbol} is filled`, async () => {
        return !(symbol in (await exchange.book(account)).held);
      });
    },
  };
}

/**
 * A strategy that wants to enter at every close while it is flat: nobody waits for a signal. Prices do not come near
 * its other orders by themselves.
 */
function strategyOf(side: PositionSide): Json {
  const config = parseConfig({
    general: {
      ...{ allow_long: side === "long", allow_short: side === "short" },
      ...{ use_indicator_consensus: false, entry_order_style: "market", exit_order_style: "limit" },
      ...{ entry_cooldown_min: 0, initial_entry_balance_pct: 5, max_entries: 2 },
    },
    trend: { enabled: false, ma_interval_min: 1 },
    // Of one close both bands are that close, so that it lies at or beyond them.
    bbands: { interval_min: 1, length: 1, dev_up: 0.5, dev_down: 0.5 },
    macd: { interval_min: 1, fast: 1, slow: 2, signal: 1 },
    rsi: { interval_min: 1, length: 1 },
    exits: { tp_mode: "PCT", tp_pct: 5, sl_pct: 10, trail_distance_pct: 0 },
    dca: { base_deviation_pct: 4, deviation_multiplier: 1 },
  });
  return config as unknown as Json;
}

/** Keys as the forms take them. */
export function typedKeys({ apiKey, secret }: SmokeKeys) {
  return { apiKey, apiSecret: secret, passphrase: "" };
}

/** Where a form led. @throws with what the page said when it was refused */
export function pathOf(sent: Sent): string {
  if ("leadsTo" in sent) return sent.leadsTo;
  throw new Error(`the form was refused: ${sent.refused}`);
}

/** Waits by the machine's clock. @throws when it does not come true in time */
export async function until(
  what: string,
  isTrue: () => Promise<boolean>,
  limitMs = UNTIL_MS,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await Bun.sleep(LOOK_EVERY_MS);
  }
}
