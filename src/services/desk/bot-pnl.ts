// Where every number of a bot's profit and loss comes from: sums of ledger rows, and the formula of what is still
// open. Used by bot-detail.ts for the page. Exact decimals; a part that is not known makes the whole unknown.
import { add, type Decimal, multiply, subtract } from "../../model/decimal.ts";
import type { LedgerKind, LedgerTotals } from "../../model/ledger.ts";
import { averageEntry } from "../../model/leg-position.ts";
import type { PriceView } from "../../model/live-figures.ts";
import type { PositionSide } from "../../model/order.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { BotLedgerStore } from "../../ports/bot-ledger-store.ts";
import type { SymbolHolding, TradingStore } from "../../ports/trading-store.ts";

/** A number that can be opened. */
export const PNL_PARTS = [
  "net",
  "realised",
  "fees",
  "funding",
  "adjustments",
  "unrealised",
] as const;

/** The name of such a number. */
export type PnlPart = (typeof PNL_PARTS)[number];

/** The ledger kinds a number is the sum of; none for what is open, all of them for the whole. */
export const PART_KINDS: Readonly<Record<PnlPart, readonly LedgerKind[]>> = {
  net: ["realised", "fee", "funding", "adjustment"],
  realised: ["realised"],
  fees: ["fee"],
  funding: ["funding"],
  adjustments: ["adjustment"],
  unrealised: [],
};

/** What an open leg is worth: (price × qty − cost) × contract size, the other way round for a short. */
export type OpenFormula = {
  readonly positionSide: PositionSide;
  readonly qty: Decimal;
  readonly averageEntry: Decimal;
  /** Price × quantity of everything that is still held. */
  readonly cost: Decimal;
  readonly contractSize: Decimal | null;
  readonly price: Decimal | null;
  readonly priceAt: EpochMs | null;
  /** Null while a price or the contract size is not known. */
  readonly unrealised: Decimal | null;
};

/** Profit and loss of a bot; amounts in the settle asset, costs negative. */
export type BotPnl = {
  readonly totals: LedgerTotals;
  /** One per leg that is held; none when flat. */
  readonly open: readonly OpenFormula[];
  readonly unrealised: Decimal | null;
  /** Ledger and open position together. */
  readonly net: Decimal | null;
  /** Allocation and what the ledger holds. */
  readonly balance: Decimal;
  readonly equity: Decimal | null;
};

/** What the figures are read from. */
export type PnlDeps = {
  readonly trading: Pick<TradingStore, "totals" | "holdings">;
  readonly ledger: Pick<BotLedgerStore, "contractSize">;
};

const ZERO = "0" as Decimal;

/** The name of a bot among the owners of orders and entries. */
export function ownerOfBot({ id }: Pick<Bot, "id">): `bot:${number}` {
  return `bot:${id}`;
}

/** Reads the figures of a bot. @param price what the worker saw last; null leaves the open part unknown */
export async function readPnl(
  { trading, ledger }: PnlDeps,
  scope: Scope,
  bot: Bot,
  price: PriceView | null,
): Promise<BotPnl> {
  const { accountId, symbol } = bot;
  const owner = ownerOfBot(bot);
  const [totals, holdings, contractSize] = await Promise.all([
    trading.totals(scope, accountId, { sinceAt: 0, owner }),
    trading.holdings(scope, accountId),
    ledger.contractSize(scope, accountId, symbol),
  ]);
  const own = holdings.filter((each) => each.holder === owner && each.symbol === symbol);
  return pnlOf(totals, openOf(own, contractSize, price), bot.config.allocation);
}

/** Puts the parts together. */
export function pnlOf(
  totals: LedgerTotals,
  open: readonly OpenFormula[],
  allocation: Decimal,
): BotPnl {
  let unrealised: Decimal | null = ZERO;
  for (const leg of open) {
    const known: Decimal | null = unrealised;
    unrealised = known === null || leg.unrealised === null ? null : add(known, leg.unrealised);
  }
  const balance = add(allocation, totals.net);
  return {
    totals,
    open,
    unrealised,
    net: unrealised === null ? null : add(totals.net, unrealised),
    balance,
    equity: unrealised === null ? null : add(balance, unrealised),
  };
}

/** What is held, as formulas. */
export function openOf(
  holdings: readonly Pick<SymbolHolding, "position">[],
  contractSize: Decimal | null,
  price: PriceView | null,
): OpenFormula[] {
  return holdings.flatMap(({ position }): OpenFormula[] => {
    const average = averageEntry(position);
    const { positionSide, qty, cost } = position;
    if (positionSide === null || average === null) return [];
    const known = { positionSide, qty, averageEntry: average, cost, contractSize };
    const at = { price: price?.price ?? null, priceAt: price?.at ?? null };
    if (price === null || contractSize === null) return [{ ...known, ...at, unrealised: null }];
    const gain = multiply(subtract(multiply(price.price, qty), cost), contractSize);
    const unrealised = positionSide === "long" ? gain : subtract(ZERO, gain);
    return [{ ...known, ...at, unrealised }];
  });
}
