// One question to an exchange, asked again while it is overloaded or out of reach. Used by every
// file of this folder that sends a request. Waits are bounded; only reading requests may pass here.
import { BadResponse, OperationFailed } from "ccxt-src/base/errors.js";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { MarketDataError, shortText } from "./errors.ts";
import type { CcxtExchange } from "./exchange.ts";

/** What asking needs. */
export type AskDeps = { readonly clock: Clock; readonly log: Log };

const ATTEMPTS_MAX = 7;
const FIRST_WAIT_MS = 500;
const WAIT_MAX_MS = 30_000;
/** An exchange that sends us away for longer is not waited for. */
const RETRY_AFTER_MAX_MS = 120_000;
/** "Too many requests", and Binance's "too many after being told so". */
const OVERLOADED: ReadonlySet<number> = new Set([429, 418]);

/**
 * Asks until there is an answer.
 * @param what for the error sentence, e.g. `candles of BTC/USDT`
 * @throws MarketDataError when the exchange refuses, or still fails after the last attempt
 * @throws the signal's reason when aborted
 */
export async function ask<T>(
  deps: AskDeps,
  exchange: CcxtExchange,
  what: string,
  signal: AbortSignal,
  question: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    exchange.last_response_headers = undefined;
    exchange.last_json_response = undefined;
    exchange.lastStatus = undefined;
    try {
      const answer = await untilAborted(question(), signal);
      checkAnswer(exchange);
      return answer;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const waitMs = waitBefore(attempt, error, deps.clock, exchange, what);
      deps.log.warn(`${exchange.id} did not answer, asking again`, { what, attempt, waitMs });
      await deps.clock.sleep(waitMs, signal);
    }
  }
}

/** How long to wait before the next attempt; throws when there is none. */
function waitBefore(
  attempt: number,
  error: unknown,
  clock: Clock,
  exchange: CcxtExchange,
  what: string,
): number {
  const subject = `${exchange.id}: ${what}`;
  if (!isPassing(error, exchange.lastStatus)) {
    throw new MarketDataError(`${subject} were refused: ${shortText(error)}`, { cause: error });
  }
  const asked = retryAfterMs(exchange.last_response_headers, clock.now());
  if (asked !== null && asked > RETRY_AFTER_MAX_MS) {
    throw new MarketDataError(
      `${subject} must wait: the exchange asks us to come back in ${Math.ceil(asked / 1000)} s`,
      { cause: error },
    );
  }
  if (attempt >= ATTEMPTS_MAX) {
    throw new MarketDataError(
      `${subject} did not arrive in ${attempt} attempts: ${shortText(error)}`,
      { cause: error },
    );
  }
  const backoffMs = Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return Math.max(asked ?? 0, backoffMs);
}

/**
 * ccxt reads an answer that is no JSON, or says it failed without a known code, as one without
 * rows; taken at its word, candles would be noted as absent for ever.
 */
function checkAnswer(exchange: CcxtExchange): void {
  const answer = exchange.last_json_response;
  if (typeof answer !== "object" || answer === null) {
    throw new BadResponse("the answer is not JSON");
  }
  if ("success" in answer && answer.success === false) {
    throw new BadResponse(`the answer says it failed: ${JSON.stringify(answer)}`);
  }
}

/** True for troubles that pass: the network, overload, maintenance, an answer cut off. */
function isPassing(error: unknown, status = 0): boolean {
  return error instanceof OperationFailed || OVERLOADED.has(status) || status >= 500;
}

function retryAfterMs(headers: Record<string, string> | undefined, now: number): number | null {
  const text = headers?.["Retry-After"];
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isFinite(at) ? Math.max(0, at - now) : null;
}

async function untilAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
