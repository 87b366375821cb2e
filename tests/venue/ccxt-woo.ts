// The unmodified ccxt client of WOO X, pointed at a venue: only its address table is changed. Used by the
// ccxt session test.
import Woo from "ccxt-src/pro/woo.js";
import type { Account } from "../../src/venue/account.ts";
import type { Venue } from "../../src/venue/server.ts";

/** ccxt's client as the tests use it. */
export type WooClient = InstanceType<typeof Woo>;

/** Scheme and host of every address below `value` become the venue's. */
function redirected(value: unknown, venue: Venue): unknown {
  if (typeof value === "string") {
    return value.replace(/^https?:\/\/[^/]+/, venue.url).replace(/^wss?:\/\/[^/]+/, venue.wsUrl);
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, redirected(inner, venue)]),
  );
}

/** A client with the account's keys; its own throttling is off, the venue judges the pace. */
export async function wooClient(venue: Venue, account: Account, secret = account.secret) {
  const client = new Woo({
    apiKey: account.apiKey,
    secret,
    uid: account.applicationId,
    enableRateLimit: false,
  });
  client.urls.api = redirected(client.urls.api, venue) as typeof client.urls.api;
  // ccxt refuses ws:// addresses until this was asked once.
  await client.loadHttpProxyAgent();
  return client;
}
