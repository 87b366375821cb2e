// The exchange of a simulation: the venue in this thread on virtual time behind a network, with one account
// and two contracts that move fast. It misbehaves by its own switches; nothing is judged here.
import type { Account } from "../../src/venue/account.ts";
import { applyFault, FaultRequestError } from "../../src/venue/deeds.ts";
import { advance, createExchange } from "../../src/venue/exchange.ts";
import type { FaultRequest } from "../../src/venue/faults.ts";
import type { HttpDeps } from "../../src/venue/http.ts";
import { createRateLimits } from "../../src/venue/rate-limits.ts";
import { accountEndpoints, createListenKeys } from "../../src/venue/rest-account.ts";
import { ALGO_ENDPOINTS } from "../../src/venue/rest-algo.ts";
import { ORDER_ENDPOINTS } from "../../src/venue/rest-orders.ts";
import { PUBLIC_ENDPOINTS } from "../../src/venue/rest-public.ts";
import {
  type AccountSettings,
  DEFAULT_INSTRUMENTS,
  venueSettings,
} from "../../src/venue/settings.ts";
import type { Exchange } from "../../src/venue/state.ts";
import { createNetwork, type Network, type NetworkDeps } from "./sim-network.ts";


/** The venue and the network before it. */
export type SimExchange = Network & {
  readonly x: Exchange;
  readonly account: Account;
  /** Arms a switch of the venue or does a deed; one that cannot be done now is left out. */
  fault(request: FaultRequest): void;
  /** Ends the armed switches of one name. */
  endFault(name: FaultRequest["name"]): void;
  /** Ends every armed switch. */
  clearFaults(): void;
  /** Brings the venue to the present. */
  advance(): void;
};

/** What a simulation decides. */
export type SimExchangeDeps = NetworkDeps & { readonly isHedge: boolean };

const PRICES = { PERP_BTC_USDT: "60000", PERP_ETH_USDT: "3000" } as const;

/** Opens the venue with two contracts that move fast and one account. */
export function createSimExchange(deps: SimExchangeDeps): SimExchange {
  const { clock, seed, isHedge } = deps;
  const owner: AccountSettings = {
    ...{ name: "ann", deposit: "100000", apiKey: "key", secret: "secret" },
    mode: isHedge ? "HEDGE_MODE" : "ONE_WAY",
  };
  const x = createExchange(
    venueSettings({
      seed,
      startAt: clock.now(),
      historyMinutes: 2,
      markets: DEFAULT_INSTRUMENTS.map((instrument) => ({
        instrument,
        feed: {
          kind: "generator",
          startPrice:
            instrument.symbol === "PERP_BTC_USDT" ? PRICES.PERP_BTC_USDT : PRICES.PERP_ETH_USDT,
          volatilityPpm: 2500,
          minuteQty: "40",
        },
      })),
      accounts: [owner],
    }),
  );
  const [account] = x.accounts.values();
  if (account === undefined) throw new Error("the venue has no account");
  const keys = createListenKeys(seed, () => undefined);
  const http: HttpDeps = {
    x,
    endpoints: [
      ...PUBLIC_ENDPOINTS,
      ...ORDER_ENDPOINTS,
      ...ALGO_ENDPOINTS,
      ...accountEndpoints(keys),
    ],
    limits: createRateLimits(),
    authNow: () => clock.now(),
  };
  const network = createNetwork(deps, http);
  return {
    x,
    account,
    ...network,
    fault(request) {
      advance(x, clock.now());
      try {
        applyFault(x, request, { dropStreams: () => undefined, expireKeys: () => undefined });
      } catch (error) {
        if (!(error instanceof FaultRequestError)) throw error;
      }
    },
    endFault(name) {
      for (const rule of x.faults.list()) if (rule.name === name) x.faults.disarm(rule.id);
    },
    clearFaults: () => x.faults.clear(),
    advance: () => advance(x, clock.now()),
  };
}
