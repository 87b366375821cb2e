// The exchanges an account can be at, and what each asks for. Used by trading-accounts.ts and the
// accounts pages. The ids are those of adapters/ccxt/profiles.ts.
import type { AccountMode } from "../../ports/account-store.ts";

/** An exchange as the form offers it. */
export type AccountExchange = {
  readonly id: string;
  readonly name: string;
  /** True where every request carries a passphrase beside key and secret. */
  readonly needsPassphrase: boolean;
  /** The market a test looks at unless told. */
  readonly testSymbol: string;
  /** What a key must be allowed to do, in the exchange's own words. */
  readonly permissions: string;
};

const FUTURES = "BTC/USDT:USDT";

/** All of them, in the order of the form. */
export const ACCOUNT_EXCHANGES: readonly AccountExchange[] = [
  {
    id: "woox",
    name: "WOO X",
    needsPassphrase: false,
    testSymbol: FUTURES,
    permissions: "Read and Trade",
  },
  {
    id: "binance",
    name: "Binance",
    needsPassphrase: false,
    testSymbol: FUTURES,
    permissions: "Enable Reading and Enable Futures",
  },
  {
    id: "bybit",
    name: "Bybit",
    needsPassphrase: false,
    testSymbol: FUTURES,
    permissions: "Read-Write for Unified Trading",
  },
  {
    id: "okx",
    name: "OKX",
    needsPassphrase: true,
    testSymbol: FUTURES,
    permissions: "Read and Trade",
  },
  {
    id: "kucoin",
    name: "KuCoin",
    needsPassphrase: true,
    testSymbol: FUTURES,
    permissions: "General and Futures",
  },
  {
    id: "upbit",
    name: "Upbit",
    needsPassphrase: false,
    testSymbol: "BTC/KRW",
    permissions: "자산조회, 주문조회 and 주문하기 (view assets, view orders, make orders)",
  },
];

/** The exchange our simulator speaks the language of. */
const SIMULATED = "woox";

/** All modes, in the order they are named to people. */
export const ACCOUNT_MODES: readonly AccountMode[] = ["live", "paper", "demo"];

/** An exchange of the list. */
export function findExchange(id: string): AccountExchange | undefined {
  return ACCOUNT_EXCHANGES.find((each) => each.id === id);
}

/** Whether accounts of this mode sign requests; paper trading only reads public prices. */
export function needsKeys(mode: AccountMode): boolean {
  return mode !== "paper";
}

/** Whether an exchange has accounts of this mode. */
export function hasMode({ id }: AccountExchange, mode: AccountMode): boolean {
  return mode !== "demo" || id === SIMULATED;
}
