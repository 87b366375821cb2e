// The venue's own check of who is calling: key, timestamp window, HMAC over the bytes as they arrived.
// Written from the exchange's documents; it shares nothing with any client.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Account } from "./account.ts";
import { VenueError } from "./errors.ts";
import type { Exchange } from "./state.ts";

/** Largest difference between the client's and the exchange's clock. */
const TIMESTAMP_WINDOW_MS = 300_000;

/** What is signed, as it arrived. */
export type SignedRequest = {
  readonly method: string;
  /** Path with query, exactly as sent. */
  readonly target: string;
  readonly body: Uint8Array;
  readonly headers: Headers;
};

function hmacHex(secret: string, parts: readonly (string | Uint8Array)[]): string {
  const hmac = createHmac("sha256", secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

function isSame(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The account of a key, with a timestamp inside the window. */
function callerOf(x: Exchange, key: string, timestamp: string, clockMs: number): Account {
  const account = x.byKey.get(key);
  if (!account) throw new VenueError(-1002);
  if (!/^\d{1,16}$/.test(timestamp)) throw new VenueError(-1001);
  if (Math.abs(Number(timestamp) - clockMs) > TIMESTAMP_WINDOW_MS) {
    const code = x.settings.dialect.staleTimestampCode;
    const window = `Request has failed as the receive window: ${TIMESTAMP_WINDOW_MS} millisecond`;
    throw new VenueError(
      code,
      code === 317179 ? `${window} is exceeded from ${timestamp}` : undefined,
    );
  }
  return account;
}

/**
 * Checks a V3 request: HMAC-SHA256 hex of timestamp + method + path with query + body.
 * @param clockMs the clock the timestamp is compared with
 * @throws VenueError -1001, -1002 or the code for a stale timestamp
 */
export function verifyV3(x: Exchange, request: SignedRequest, clockMs: number): Account {
  const { key, timestamp, signature } = credentials(request.headers);
  const account = callerOf(x, key, timestamp, clockMs);
  const { method, target, body } = request;
  const expected = hmacHex(account.secret, [timestamp, method, target, body]);
  if (!isSame(expected, signature)) throw new VenueError(-1002);
  return account;
}

/** Checks a V1 request: HMAC of the sorted parameters, a bar and the timestamp. */
export function verifyV1(x: Exchange, request: SignedRequest, clockMs: number): Account {
  const { key, timestamp, signature } = credentials(request.headers);
  const account = callerOf(x, key, timestamp, clockMs);
  const query = request.target.split("?")[1] ?? "";
  const parameters = [query, new TextDecoder().decode(request.body)]
    .flatMap((part) => part.split("&"))
    .filter((part) => part !== "")
    .sort()
    .join("&");
  if (!isSame(hmacHex(account.secret, [`${parameters}|${timestamp}`]), signature)) {
    throw new VenueError(-1002);
  }
  return account;
}

/** Checks the sign of a stream: HMAC of a bar and the timestamp. */
export function verifyStream(
  x: Exchange,
  given: { key: string; timestamp: string; sign: string },
  clockMs: number,
): Account {
  const account = callerOf(x, given.key, given.timestamp, clockMs);
  if (!isSame(hmacHex(account.secret, [`|${given.timestamp}`]), given.sign)) {
    throw new VenueError(-1002);
  }
  return account;
}

function credentials(headers: Headers) {
  const key = headers.get("x-api-key") ?? "";
  const timestamp = headers.get("x-api-timestamp") ?? "";
  const signature = headers.get("x-api-signature") ?? "";
  if (key === "" || timestamp === "" || signature === "") throw new VenueError(-1001);
  return { key, timestamp, signature };
}
