// The real ccxt broker on the real venue, in real time and with prices that stand still. Used by the
// broker contract and by the tests of streams and keys; nothing here stands in for either side.
import { createCcxtBroker } from "../../src/adapters/ccxt/broker.ts";
import type { BrokerAccount } from "../../src/adapters/ccxt/broker-client.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { createSecret } from "../../src/adapters/vault/secret.ts";
import type { Decimal } from "../../src/model/decimal.ts";
import type { Broker } from "../../src/ports/broker.ts";
import { decimal } from "../../src/model/decimal.ts";
import { act, advance } from "../../src/venue/exchange.ts";
import { gridCount } from "../../src/venue/decimal.ts";
import type { FaultName } from "../../src/venue/faults.ts";
import { fill } from "../../src/venue/matching.ts";
import { opposite } from "../../src/venue/order.ts";
import { houseOrder } from "../../src/venue/trading.ts";
import { silentLog } from "../support/silent-log.ts";
import { type Lab, type LabOptions, startLab } from "../venue/lab.ts";

/** A venue with a broker on its account. */
export type BrokerLab = { readonly lab: Lab; readonly broker: Broker };

/** Prices and sizes that are legal on the lab's contract, whose price is 100. */
export const TERMS = {
  restingBid: decimal("95"),
  takingBid: decimal("102"),
  qty: decimal("0.03"),
  doubleQty: decimal("0.06"),
  dustQty: decimal("0.01"),
} as const;

/** Starts a venue whose clock is the machine's and opens its account. */
export async function openBrokerLab(options: LabOptions = {}): Promise<BrokerLab> {
  const startAt = Date.now();
  const house = { levelLotsMax: 100, ...options.house };
  const lab = startLab({ startAt, speed: 1, ...options, house });
  return { lab, broker: await openBroker(lab) };
}

/** A broker with the keys of the lab's account. */
function openBroker(lab: Lab): Promise<Broker> {
  return createCcxtBroker(
    { clock: createClock(), log: silentLog, loopbackUrl: lab.venue.url, timeoutMs: 2000 },
    brokerAccount(lab),
  );
}

/** The lab's account as a broker opens it. */
export function brokerAccount({ account: { apiKey, secret } }: Lab): BrokerAccount {
  return {
    exchangeId: "woox",
    kind: "perps",
    mode: "demo",
    credentials: {
      apiKey: createSecret(apiKey),
      apiSecret: createSecret(secret),
      passphrase: null,
      uid: null,
    },
    isTestnet: false,
  };
}

/** Somebody takes `qty` of a resting order at its price. */
export function fillResting({ venue, x, market, account }: Lab, id: string, qty: Decimal): void {
  advance(x, venue.clock.now());
  const order = account.orders.get(Number(id));
  const lots = gridCount(qty, market.instrument.qty);
  if (!order || order.ticks === null || lots === null) throw new Error(`nothing to fill at ${id}`);
  const { ticks } = order;
  act(x, market, () => {
    const taker = houseOrder(x, market, { side: opposite(order.side), ticks, lots });
    fill(x, market, { maker: order, taker, ticks, lots });
  });
}

/** The answer to the next write is lost, whichever kind of order it is. */
export function loseNextAnswer({ x }: Lab, isCarriedOut: boolean): void {
  const name: FaultName = isCarriedOut ? "accept_then_drop" : "reject_then_drop";
  x.faults.arm({ name, times: 1, match: { endpoint: "POST trade/order" } });
}
