// Composition of the exchange inside the product: its thread, its address for everything that asks exchanges,
// and the numbers that belong to this installation. Called by serve.ts.
import { createDemoVenue } from "./adapters/system/demo-venue.ts";
import { createSecret } from "./adapters/vault/secret.ts";
import { DEMO_EXCHANGE } from "./model/demo-exchange.ts";
import type { Clock } from "./ports/clock.ts";
import type { DemoExchange } from "./ports/demo-venue.ts";
import type { Log } from "./ports/log.ts";
import type { SettingsStore } from "./ports/settings-store.ts";
import { demoIdsAbove } from "./services/live/demo-opening.ts";

/** What the exchange is started with. */
export type DemoDeps = {
  readonly settings: Pick<SettingsStore, "readInstance" | "writeInstance">;
  /** The program of its thread; main.ts knows where it lies. */
  readonly url: URL;
  readonly clock: Clock;
  readonly log: Log;
};

/** The exchange of demo accounts of this process. */
export type DemoKeeper = {
  /** Runs it; the same one as long as it lives. */
  open(): Promise<DemoExchange>;
  /** Filled in while it runs: everything that asks exchanges finds it under its name. */
  readonly loopbackUrls: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

const SEED_MAX = 2 ** 31;

/** A keeper; nothing runs yet. */
export function createDemoKeeper({ settings, url, clock, log }: DemoDeps): DemoKeeper {
  const venue = createDemoVenue({ url, log: log.child("demo"), createSecret });
  const loopbackUrls: Record<string, string> = {};
  let running: Promise<DemoExchange> | null = null;

  async function start(): Promise<DemoExchange> {
    const seed = await installationNumber(settings, "demo.seed", SEED_MAX, clock.now());
    const wish = { seed, idsAbove: demoIdsAbove(clock.now()), accounts: [] };
    const exchange = await venue.start(wish, (words) => {
      running = null;
      delete loopbackUrls[DEMO_EXCHANGE];
      log.error(`the demo exchange ended: ${words}`);
    });
    loopbackUrls[DEMO_EXCHANGE] = exchange.url;
    return exchange;
  }

  return {
    loopbackUrls,
    open() {
      running ??= start().catch((error: unknown) => {
        running = null;
        throw error;
      });
      return running;
    },
    async stop() {
      const exchange = await running?.catch(() => null);
      running = null;
      await exchange?.stop();
    },
  };
}

/** A whole number below `below` that is drawn once for an installation and stays. */
export async function installationNumber(
  settings: DemoDeps["settings"],
  key: string,
  below: number,
  at: number,
): Promise<number> {
  const stored = await settings.readInstance(key);
  if (typeof stored?.value === "number") return stored.value;
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1));
  const change = { key, value: drawn % below, expectedRevision: 0 };
  const written = await settings.writeInstance(change, null, at);
  // Somebody else may have drawn at the same moment; theirs counts.
  return written.ok ? change.value : await installationNumber(settings, key, below, at);
}
