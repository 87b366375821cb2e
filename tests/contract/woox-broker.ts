// The ccxt broker on the small WOO X double, ready to use. For the contract and the broker's own tests.
import { createCcxtBroker } from "../../src/adapters/ccxt/broker.ts";
import type { BrokerAccount } from "../../src/adapters/ccxt/broker-client.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { createSecret } from "../../src/adapters/vault/secret.ts";
import type { Broker } from "../../src/ports/broker.ts";
import type { Log } from "../../src/ports/log.ts";
import { silentLog } from "../support/silent-log.ts";
import { DOUBLE_KEYS } from "./woox-double.ts";

/** What a test may choose. */
export type Choice = Partial<BrokerAccount> & {
  readonly log?: Log;
  readonly timeoutMs?: number;
  readonly apiSecret?: string;
};

/** A demo account on the double. */
export function openWooxBroker(url: string, choice: Choice = {}): Promise<Broker> {
  const {
    log = silentLog,
    timeoutMs = 2000,
    apiSecret = DOUBLE_KEYS.apiSecret,
    ...account
  } = choice;
  return createCcxtBroker(
    { clock: createClock(), log, loopbackUrl: url, timeoutMs },
    {
      exchangeId: "woox",
      kind: "perps",
      mode: "demo",
      credentials: {
        apiKey: createSecret(DOUBLE_KEYS.apiKey),
        apiSecret: createSecret(apiSecret),
        passphrase: null,
        uid: null,
      },
      isTestnet: false,
      ...account,
    },
  );
}
