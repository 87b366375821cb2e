// What a person should know before a drafted bot is made: margin of the whole ladder against the money there is,
// orders below the minimums, limits that would stop it, and what differs from the run. Pure; used by bot-draft.ts.
import type { LadderPreview, LadderRow } from "../../engine/ladder-preview.ts";
import { DEMO_EXCHANGE } from "../../model/demo-exchange.ts";
import { settleAssetOf } from "../../model/instrument.ts";
import type { AccountFigures } from "../../model/live-figures.ts";
import type { TradingAccount } from "../../ports/account-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { Run } from "../../ports/run-store.ts";
import { SAMPLE_INSTRUMENT } from "../research/sample-market.ts";
import { findExchange } from "./account-exchanges.ts";
import type { DraftValues } from "./bot-draft-fields.ts";

/** One thing to know; `bad` means that the bot could not do what was asked of it. */
export type DraftNote = { readonly tone: "ok" | "warn" | "bad"; readonly sentence: string };

/** What the notes are drawn from. */
export type NoteFacts = {
  readonly run: Run;
  readonly account: TradingAccount | null;
  /** Whether the rules are those of the account's exchange and not of the run. */
  readonly hasOwnRules: boolean;
  /** How the account stands; null before a worker looked at it. */
  readonly figures: AccountFigures | null;
  /** Bots that share the account. */
  readonly others: readonly Bot[];
  readonly values: Partial<DraftValues>;
  readonly ladders: readonly LadderPreview[];
};

/** Exchanges that exist nowhere. */
const INVENTED: ReadonlySet<string> = new Set([DEMO_EXCHANGE, SAMPLE_INSTRUMENT.exchangeId]);

/** Everything worth saying, the worst first. */
export function draftNotes(facts: NoteFacts): DraftNote[] {
  const found = [
    ...placeNotes(facts),
    ...directionNotes(facts),
    ...facts.ladders.flatMap((ladder) => ladderNotes(ladder, facts)),
    ...moneyNotes(facts),
    ...limitNotes(facts),
  ];
  const rank = { bad: 0, warn: 1, ok: 2 };
  return found.toSorted((a, b) => rank[a.tone] - rank[b.tone]);
}

const ok = (sentence: string): DraftNote => ({ tone: "ok", sentence });
const warn = (sentence: string): DraftNote => ({ tone: "warn", sentence });
const bad = (sentence: string): DraftNote => ({ tone: "bad", sentence });

function amount(value: number, { run }: NoteFacts): string {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const text = new Intl.NumberFormat("en-US", digits).format(value);
  return `${text} ${settleAssetOf(run.symbol)}`;
}

function placeNotes({ run, account, hasOwnRules }: NoteFacts): DraftNote[] {
  const found: DraftNote[] = [];
  if (run.metrics?.liquidated === true) {
    found.push(bad("The run was liquidated: a bot with these settings can lose everything."));
  }
  if (!account) return found;
  if (account.blocksNewEntries) {
    found.push(warn(`${account.name} opens nothing new until its block is lifted.`));
  }
  const isInvented = INVENTED.has(run.exchangeId);
  if (isInvented !== (account.mode === "demo")) {
    found.push(
      isInvented
        ? bad("The run used invented candles: it says nothing about a real market.")
        : warn("The prices of a demo account are invented: the run says nothing about them."),
    );
  } else if (!isInvented && account.exchangeId !== run.exchangeId) {
    const place = findExchange(account.exchangeId)?.name ?? account.exchangeId;
    found.push(warn(`The run used candles of ${run.exchangeId}; ${account.name} is at ${place}.`));
  }
  if (!hasOwnRules) {
    found.push(
      warn(
        `The rules of ${run.symbol} for ${account.name} are not stored; those of the run are used ` +
          "here. The bot asks the exchange, and cannot start where the market is not listed.",
      ),
    );
  }
  return found;
}

function directionNotes({ values, account }: NoteFacts): DraftNote[] {
  if (values.direction === "both") {
    return [
      warn(
        "One bot for both sides takes turns: it must be flat before it may open the other side. " +
          "Two bots, one per side, are recommended.",
      ),
    ];
  }
  if (values.direction !== "two") return [];
  const name = account?.name ?? "the account";
  return [
    warn(
      `Two bots need ${name} to keep long and short apart (hedge mode); where it keeps one position ` +
        "per symbol, they net each other out.",
    ),
  ];
}

function ladderNotes(ladder: LadderPreview, facts: NoteFacts): DraftNote[] {
  const side = ladder.side === "long" ? "Long" : "Short";
  const { rows, deepest, end } = ladder;
  if (rows.length === 0) {
    return [
      bad(`${side}: the first entry is below the smallest order, so nothing is ever opened.`),
    ];
  }
  const found: DraftNote[] = [];
  const refused = rows.find(({ fate }) => fate === "no_margin");
  if (refused) {
    found.push(bad(`${side}: the allocation does not carry ${orderName(refused)}.`));
  }
  const small = rows.filter(({ fate }) => fate === "below_min").length;
  found.push(
    small > 0
      ? warn(`${side}: ${small} of ${rows.length} orders are below the smallest one and left out.`)
      : ok(`${side}: every order of the ladder is above the smallest one allowed.`),
  );
  if (end?.by === "liquidation") {
    found.push(bad(`${side}: liquidation comes before any stop when the price runs straight.`));
  }
  const margin = deepest?.after?.margin;
  const allocation = Number(facts.values.allocation ?? Number.NaN);
  if (margin !== undefined && allocation > 0) {
    const share = Math.round((margin / allocation) * 100);
    const text = `${side}: the full ladder binds ${amount(margin, facts)}, ${share} % of the allocation.`;
    found.push(share > 100 ? bad(text) : share > 80 ? warn(text) : ok(text));
  }
  return found;
}

function orderName({ rung }: LadderRow): string {
  return rung === 0 ? "the first entry" : `DCA ${rung}`;
}

/** Margin that can be bound at once: two bots may both be at their deepest. */
function marginOf({ ladders, values }: NoteFacts): number | null {
  const margins = ladders.map(({ deepest }) => deepest?.after?.margin ?? 0);
  if (margins.every((margin) => margin === 0)) return null;
  return values.direction === "two" ? margins.reduce((a, b) => a + b, 0) : Math.max(...margins);
}

function moneyNotes(facts: NoteFacts): DraftNote[] {
  const { account, figures, others, values } = facts;
  if (!account) return [];
  const free = figures?.freeBalance ?? null;
  const wallet = figures?.walletBalance ?? null;
  if (free === null || wallet === null) {
    return [warn(`What ${account.name} holds is not known yet: no worker has looked at it.`)];
  }
  const found: DraftNote[] = [];
  const margin = marginOf(facts);
  if (margin !== null) {
    const has = `${account.name} has ${amount(Number(free), facts)} free`;
    found.push(
      margin > Number(free)
        ? bad(`${has}; the full ladder binds ${amount(margin, facts)}.`)
        : ok(`${has}, enough for the full ladder.`),
    );
  }
  const mine = Number(values.allocation ?? 0) * (values.direction === "two" ? 2 : 1);
  const allotted = others.reduce((sum, { config }) => sum + Number(config.allocation), mine);
  if (allotted > Number(wallet)) {
    found.push(
      warn(
        `With this, bots of ${account.name} are allotted ${amount(allotted, facts)}; ` +
          `it holds ${amount(Number(wallet), facts)}.`,
      ),
    );
  }
  return found;
}

function limitNotes(facts: NoteFacts): DraftNote[] {
  const { values, ladders, account } = facts;
  const { limits } = values;
  const found: DraftNote[] = [];
  for (const ladder of ladders) {
    const side = ladder.side === "long" ? "Long" : "Short";
    const filled = ladder.rows.filter(({ fate }) => fate === "fills");
    const stop = (
      limit: string | null | undefined,
      of: (row: LadderRow) => number,
      what: string,
    ) => {
      if (limit === null || limit === undefined) return;
      const over = filled.find((row) => of(row) > Number(limit));
      if (over) found.push(warn(`${side}: the limit of ${what} keeps back ${orderName(over)}.`));
    };
    const heldAt = ({ after }: LadderRow) => after?.notional ?? 0;
    stop(limits?.maxOrderQty, ({ qty }) => qty, "quantity per order");
    stop(limits?.maxOrderNotional, ({ notional }) => notional, "notional per order");
    stop(limits?.maxPositionNotional, heldAt, "notional of the position");
    stop(account?.limits.maxSymbolExposureUsd, heldAt, `${account?.name} per symbol`);
    stop(account?.limits.maxGrossExposureUsd, heldAt, `${account?.name} for everything`);
    const drawdown = Number(limits?.maxDrawdownPct ?? Number.NaN);
    const loss = -(ladder.end?.result ?? 0);
    if (loss > 0 && (loss / Number(values.allocation)) * 100 > drawdown) {
      found.push(
        warn(
          `${side}: the end of the full ladder loses ${amount(loss, facts)}, above the drawdown limit.`,
        ),
      );
    }
  }
  const isUnlimited = limits && Object.values(limits).every((limit) => limit === null);
  if (isUnlimited && account?.mode === "live") {
    found.push(warn("No limit is set for this bot; only those of the account hold."));
  }
  return found;
}
