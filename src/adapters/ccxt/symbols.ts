// Spellings of symbols people type, turned into our one form: PERP_BASE_QUOTE or SPOT_BASE_QUOTE on
// WOO X, BASE/QUOTE or BASE/QUOTE:SETTLE elsewhere. Used by market-data.ts; needs no network.
import { DEMO_EXCHANGE } from "../../model/demo-exchange.ts";
import { InputError } from "../../model/result.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";
import type { Market } from "../../ports/market-data.ts";

/** A spelling taken apart; `kind` is null where the spelling does not say. */
type Parts = {
  readonly base: string;
  readonly quote: string;
  readonly settle: string | null;
  readonly kind: InstrumentKind | null;
};

const NAME = "([A-Z0-9.$]{1,30})";
const CANONICAL = new RegExp(`^(PERP|SPOT)[_-]${NAME}[_-]${NAME}$`);
const SLASHED = new RegExp(`^${NAME}/${NAME}(?::${NAME})?$`);
const BARE_PERP = new RegExp(`^${NAME}[_-]PERP$`);
const JOINED = new RegExp(`^${NAME}[_-]${NAME}$`);
const DEFAULT_QUOTE = "USDT";

/**
 * The canonical market of a spelling. Without a settle currency or prefix it is spot, unless `kind`
 * says perps; then it settles in its quote currency.
 * @throws InputError when the spelling is not understood or contradicts `kind`
 */
export function normaliseMarket(exchangeId: string, text: string, kind?: InstrumentKind): Market {
  const parts = takeApart(text);
  if (kind !== undefined && parts.kind !== null && parts.kind !== kind) {
    throw new InputError(`symbol: "${text}" is a ${parts.kind} symbol, but the market is ${kind}`);
  }
  const chosen = kind ?? parts.kind ?? "spot";
  const { base, quote } = parts;
  if (exchangeId === "woox" || exchangeId === DEMO_EXCHANGE) {
    if (parts.settle !== null && parts.settle !== quote) {
      throw new InputError(`symbol: "${text}" must settle in ${quote} on woox`);
    }
    const prefix = chosen === "perps" ? "PERP" : "SPOT";
    return { exchangeId, symbol: `${prefix}_${base}_${quote}`, kind: chosen };
  }
  const settle = chosen === "perps" ? `:${parts.settle ?? quote}` : "";
  return { exchangeId, symbol: `${base}/${quote}${settle}`, kind: chosen };
}

function takeApart(text: string): Parts {
  const upper = text.trim().toUpperCase();
  const canonical = CANONICAL.exec(upper);
  if (canonical) {
    const [, prefix, base = "", quote = ""] = canonical;
    return { base, quote, settle: null, kind: prefix === "PERP" ? "perps" : "spot" };
  }
  const slashed = SLASHED.exec(upper);
  if (slashed) {
    const [, base = "", quote = "", settle] = slashed;
    return { base, quote, settle: settle ?? null, kind: settle === undefined ? null : "perps" };
  }
  const bare = BARE_PERP.exec(upper);
  if (bare) return { base: bare[1] ?? "", quote: DEFAULT_QUOTE, settle: null, kind: "perps" };
  const joined = JOINED.exec(upper);
  if (joined) {
    return { base: joined[1] ?? "", quote: joined[2] ?? "", settle: null, kind: null };
  }
  throw new InputError(
    `symbol: "${text}" is not understood; write BTC/USDT for spot, BTC/USDT:USDT for a ` +
      "perpetual, or PERP_BTC_USDT on woox",
  );
}
