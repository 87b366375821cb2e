// `dragon venue`: runs the simulated exchange alone, prints where it is and which keys to use, and waits
// until it is stopped. Needs no database and no network.
import { InputError } from "../model/result.ts";
import { faultRequestOf } from "../venue/admin.ts";
import { CandleFileError, readCandleFeed } from "../venue/candle-file.ts";
import { FaultRequestError } from "../venue/deeds.ts";
import type { FaultRequest } from "../venue/faults.ts";
import type { InstrumentSpec } from "../venue/instrument.ts";
import { startVenue, type Venue } from "../venue/server.ts";
import {
  DEFAULT_INSTRUMENTS,
  DEFAULT_MARKETS,
  type MarketSettings,
  venueSettings,
} from "../venue/settings.ts";
import {
  type Command,
  type CommandContext,
  EXIT,
  optionFlag,
  optionInteger,
  optionText,
} from "./command.ts";

const SEED_MAX = 2 ** 31 - 1;
const SPEED_MAX = 100_000;
const DEPOSIT = "10000";

/** Starts the simulated exchange; ends with Ctrl-C or SIGTERM. */
export const venueCommand: Command = {
  name: "venue",
  summary: "Runs the simulated exchange: WOO X REST and streams on loopback.",
  usage: "[--seed N] [--speed X] [--candles FILE [--symbol S]] [--port P] [--json]",
  options: {
    seed: { type: "string" },
    speed: { type: "string" },
    candles: { type: "string" },
    symbol: { type: "string" },
    port: { type: "string" },
    deposit: { type: "string" },
    hedge: { type: "boolean" },
    "wall-auth": { type: "boolean" },
    faults: { type: "string" },
  },
  optionHelp: {
    seed: "chance, keys and prices follow from it (default 1)",
    speed: "virtual time per real time: 1 real, N accelerated, 0 stepped (default 1)",
    candles: "CSV or gzip whose prices the instrument follows, moved to now by whole days",
    symbol: "the instrument that follows the candles (default PERP_BTC_USDT)",
    port: "port on 127.0.0.1; 0 takes a free one (default 0)",
    deposit: `quote coins of the demo account (default ${DEPOSIT})`,
    hedge: "the demo account begins in hedge mode",
    "wall-auth": "compare signatures with the real clock, not the venue's (for accelerated time)",
    faults: "JSON list of faults to arm at the start",
  },
  async run(context) {
    // Asked for first: listening for Ctrl-C must have begun when the keys are on the screen.
    const { signal } = context;
    const venue = await start(context);
    report(context, venue);
    await stopped(signal);
    const { log } = venue.exchange;
    await venue.stop();
    if (!context.json) context.out(`  ${log.count()} events, hash ${log.hash()}`);
    return EXIT.ok;
  },
};

async function start(context: CommandContext): Promise<Venue> {
  const seed = optionInteger(context, "seed", { min: 0, max: SEED_MAX }) ?? 1;
  const port = optionInteger(context, "port", { min: 0, max: 65_535 }) ?? 0;
  const speed = speedOf(context);
  const startAt = context.clock.now();
  const account = {
    name: "demo",
    deposit: depositOf(context),
    mode: optionFlag(context, "hedge") ? ("HEDGE_MODE" as const) : ("ONE_WAY" as const),
  };
  const settings = venueSettings({
    seed,
    startAt,
    markets: await marketsOf(context, startAt),
    accounts: [account],
    authClock: optionFlag(context, "wall-auth") ? "wall" : "virtual",
    faults: await faultsOf(context),
  });
  try {
    return startVenue({ settings, speed, port });
  } catch (error) {
    if (isTaken(error)) throw new InputError(`--port: ${port} on 127.0.0.1 is already in use`);
    if (error instanceof FaultRequestError) throw new InputError(`--faults: ${error.message}`);
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

function speedOf(context: CommandContext): number {
  const text = optionText(context, "speed") ?? "1";
  const speed = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(speed <= SPEED_MAX)) {
    throw new InputError(`--speed: "${text}" is not a number from 0 to ${SPEED_MAX}`);
  }
  return speed;
}

function depositOf(context: CommandContext): string {
  const text = optionText(context, "deposit") ?? DEPOSIT;
  if (!/^\d{1,12}(\.\d{1,8})?$/.test(text)) {
    throw new InputError(`--deposit: "${text}" is not an amount with at most 8 decimals`);
  }
  return text;
}

/** The default contracts; the one that follows the candles gets their feed. */
async function marketsOf(
  context: CommandContext,
  startAt: number,
): Promise<readonly MarketSettings[]> {
  const path = optionText(context, "candles");
  const symbol = optionText(context, "symbol");
  if (path === undefined) {
    if (symbol !== undefined) throw new InputError("--symbol is only for --candles");
    return DEFAULT_MARKETS;
  }
  const names = DEFAULT_INSTRUMENTS.map((instrument) => instrument.symbol);
  const wanted = DEFAULT_INSTRUMENTS[symbol === undefined ? 0 : names.indexOf(symbol)];
  if (!wanted) throw new InputError(`--symbol: "${symbol}" is not one of ${names.join(", ")}`);
  const feed = await candleFeed(path, startAt, wanted);
  return DEFAULT_MARKETS.map((market) =>
    market.instrument === wanted ? { ...market, feed } : market,
  );
}

async function candleFeed(path: string, startAt: number, spec: InstrumentSpec) {
  try {
    return (await readCandleFeed(path, startAt, spec)).feed;
  } catch (error) {
    if (error instanceof CandleFileError) throw new InputError(`--${error.message}`);
    throw error;
  }
}

async function faultsOf(context: CommandContext): Promise<readonly FaultRequest[]> {
  const path = optionText(context, "faults");
  if (path === undefined) return [];
  let list: unknown;
  try {
    list = JSON.parse(await Bun.file(path).text());
  } catch (error) {
    throw new InputError(`--faults: "${path}" cannot be read as JSON (${String(error)})`);
  }
  if (!Array.isArray(list)) throw new InputError(`--faults: "${path}" must hold a list`);
  try {
    return list.map((item) => faultRequestOf(item));
  } catch (error) {
    if (error instanceof FaultRequestError) throw new InputError(`--faults: ${error.message}`);
    throw error;
  }
}

function report(context: CommandContext, venue: Venue): void {
  const { url, wsUrl, adminToken, exchange, clock } = venue;
  const accounts = [...exchange.accounts.values()].map((account) => ({
    name: account.name,
    applicationId: account.applicationId,
    apiKey: account.apiKey,
    secret: account.secret,
  }));
  const { seed } = exchange.settings;
  if (context.json) {
    const admin = { url: `${url}/__venue__/`, token: adminToken };
    context.out(JSON.stringify({ url, wsUrl, admin, seed, speed: clock.speed(), accounts }));
    return;
  }
  const [demo] = accounts;
  const lines = [
    "",
    "  Simulated exchange, WOO X dialect. No real money, no real orders.",
    "",
    `  REST     ${url}`,
    `  Streams  ${wsUrl}`,
    `  Admin    ${url}/__venue__/  (header x-venue-token: ${adminToken})`,
    `  Key      ${demo?.apiKey}`,
    `  Secret   ${demo?.secret}`,
    `  App id   ${demo?.applicationId}`,
    `  Clock    seed ${seed}, speed ${clock.speed()}`,
    "  Stop     Ctrl-C",
    "",
  ];
  for (const line of lines) context.out(line);
}

function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
