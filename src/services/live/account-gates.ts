// Everything that must be right before a bot of the account may open or enlarge a position, in the order it is
// asked. Used by the account loop: the first closed gate keeps entries back, the whole list answers "why is it
// not trading?" on the page.
import type { GateKey, GateView } from "../../model/live-figures.ts";
import type { EpochMs } from "../../model/time.ts";
import type { TradingAccount } from "../../ports/account-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { ControlCell } from "./live-types.ts";

/** What the gates are judged by; null figures are not known. */
export type GateFacts = {
  readonly bot: Bot;
  readonly account: Pick<TradingAccount, "status" | "blocksNewEntries" | "name">;
  readonly cell: ControlCell;
  readonly leaseMs: number;
  readonly isReconciled: boolean;
  readonly reconcileBlock: string | null;
  readonly isInDoubt: boolean;
  readonly exchangeTrouble: string | null;
  readonly priceAgeMs: number | null;
  readonly candleAgeMs: number | null;
  /** Why limits of the account block; null when they do not. */
  readonly limitBlock: string | null;
  /** Why the last order of the bot had no room; null when it had. */
  readonly roomBlock: string | null;
  readonly positionModeBlock: string | null;
  readonly leverageBlock: string | null;
  readonly isWarm: boolean;
};

type Judged = readonly [key: GateKey, closed: string | null, open: string];

/** Prices older than this block entries, ms. */
export const PRICE_FRESH_MS = 15_000;
const LEASE_MIN_MS = 5000;

/** Every gate as it stands. */
function judge(facts: GateFacts): readonly Judged[] {
  const { bot, account, cell, priceAgeMs, candleAgeMs } = facts;
  const wish = bot.desiredStatus === "running" ? null : `its owner wants it ${bot.desiredStatus}`;
  const staleAfterMs = bot.timeframeMin * 2 * 60_000 + PRICE_FRESH_MS;
  return [
    ["desired_status", bot.status === "error" ? "it stopped with an error" : wish, "it is to run"],
    ["trading_state", cell.state === "active" ? null : `${cell.state}: ${cell.reason}`, "active"],
    ["account_status", statusOf(account), `${account.name} is active`],
    ["account_limits", facts.limitBlock, "no limit is reached"],
    ["exposure", facts.roomBlock, "the last order had room"],
    [
      "lease",
      facts.leaseMs >= LEASE_MIN_MS ? null : "the account is about to change hands",
      "this worker holds the account",
    ],
    [
      "reconciled",
      facts.isReconciled
        ? facts.reconcileBlock
        : "the account was not compared with the exchange yet",
      "what we hold is what the exchange holds",
    ],
    [
      "doubtful_orders",
      facts.isInDoubt ? "an order is in doubt and is being asked about" : null,
      "every order is accounted for",
    ],
    ["position_mode", facts.positionModeBlock, "the account keeps positions as expected"],
    ["leverage", facts.leverageBlock, `leverage ${bot.config.leverage}`],
    ["exchange", facts.exchangeTrouble, "the exchange answers"],
    [
      "fresh_prices",
      stale("price", priceAgeMs, PRICE_FRESH_MS),
      `price ${seconds(priceAgeMs)} old`,
    ],
    [
      "fresh_candles",
      stale("candle", candleAgeMs, staleAfterMs),
      `last candle closed ${seconds(candleAgeMs)} ago`,
    ],
    ["warm_up", facts.isWarm ? null : "the indicators need more candles", "indicators are ready"],
  ];
}

function statusOf({ status, blocksNewEntries, name }: GateFacts["account"]): string | null {
  if (status !== "active") return `${name} is disabled`;
  return blocksNewEntries ? `${name} blocks new entries` : null;
}

function stale(what: string, ageMs: number | null, maxMs: number): string | null {
  if (ageMs === null) return `no ${what} is known`;
  return ageMs <= maxMs ? null : `the last ${what} is ${seconds(ageMs)} old`;
}

function seconds(ms: number | null): string {
  return ms === null ? "?" : `${Math.max(0, Math.round(ms / 1000))} s`;
}

/** Gates that keep an entry back by themselves; the others act through the trading state. */
const SOFT: ReadonlySet<GateKey> = new Set<GateKey>([
  "account_status",
  "account_limits",
  "reconciled",
  "doubtful_orders",
  "position_mode",
  "leverage",
  "exchange",
  "fresh_prices",
]);

/** Why the dispatcher is not to be asked for an entry; null when nothing speaks against it. */
export function closedGate(facts: GateFacts): string | null {
  return judge(facts).find(([key, closed]) => closed !== null && SOFT.has(key))?.[1] ?? null;
}

/** Remembers since when each gate stands as it does. */
export type GateBook = { look(facts: GateFacts, at: EpochMs): readonly GateView[] };

/** An empty book. */
export function createGateBook(): GateBook {
  const known = new Map<string, { readonly isOpen: boolean; readonly since: EpochMs }>();
  return {
    look: (facts, at) =>
      judge(facts).map(([key, closed, open]) => {
        const name = `${facts.bot.id} ${key}`;
        const isOpen = closed === null;
        const before = known.get(name);
        const since = before?.isOpen === isOpen ? before.since : at;
        known.set(name, { isOpen, since });
        return { key, isOpen, sentence: closed ?? open, since };
      }),
  };
}
