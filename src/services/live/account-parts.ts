// The parts that trade one account, tied together: door, resolver, ingest, reconciler, and the markets they
// know. Built by the account loop and by simulations; everything here works under one lease.
import type { Decimal } from "../../model/decimal.ts";
import { settleAssetOf } from "../../model/instrument.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import { createFactIngest } from "./fact-ingest.ts";
import type { FactMarket } from "./fact-records.ts";
import type { FactIngest, LiveDeps, UnverifiedResolver } from "./live-types.ts";
import { type AccountDispatcher, createOrderDispatcher } from "./order-dispatcher.ts";
import { type AccountReconciler, createReconciler } from "./reconciler.ts";
import { createUnverifiedResolver } from "./unverified-resolver.ts";

/** A market whose facts are booked and whose orders are rounded. */
export type AccountMarket = FactMarket & { readonly rules: OrderRules };

/** Everything that trades one account. */
export type AccountParts = {
  readonly dispatcher: AccountDispatcher;
  readonly resolver: UnverifiedResolver;
  readonly ingest: FactIngest;
  readonly reconciler: AccountReconciler;
  readonly markets: ReadonlyMap<string, AccountMarket>;
  /** Reads the rules of a market once. @throws a BrokerFault when they cannot be read */
  openMarket(symbol: string, signal: AbortSignal): Promise<AccountMarket>;
  /** Symbols whose rows changed since the last call. */
  takeMoved(): ReadonlySet<string>;
};

/** Ties the parts together. @param hasBooked told at once when something of a symbol was booked */
export function createAccountParts(
  live: LiveDeps,
  hasBooked: (symbol: string) => void = () => undefined,
): AccountParts {
  const { broker } = live;
  const markets = new Map<string, AccountMarket>();
  let moved = new Set<string>();
  const onBooked = (symbol: string) => {
    moved.add(symbol);
    hasBooked(symbol);
  };
  const ingest = createFactIngest({
    ...live,
    markets,
    onBooked,
    feeRates: (symbol, signal) => broker.feeRates(symbol, { signal }),
    priceOf: (asset, settleAsset) => (asset === settleAsset ? ONE : null),
  });
  // Each of the two looks at what the other one is doing.
  const resolver = createUnverifiedResolver({
    ...live,
    ingest,
    inFlight: () => dispatcher.inFlight(),
  });
  const dispatcher: AccountDispatcher = createOrderDispatcher({ ...live, resolver });
  const reconciler = createReconciler({
    ...live,
    ...{ ingest, markets, onBooked },
    isInDoubt: (symbol) => resolver.isInDoubt(symbol),
  });
  return {
    ...{ dispatcher, resolver, ingest, reconciler, markets },
    async openMarket(symbol, signal) {
      const known = markets.get(symbol);
      if (known) return known;
      const rules = await broker.orderRules(symbol, { signal });
      const opened = { rules, settleAsset: settleAssetOf(symbol) };
      markets.set(symbol, opened);
      return opened;
    },
    takeMoved() {
      const taken = moved;
      moved = new Set();
      return taken;
    },
  };
}

const ONE = "1" as Decimal;
