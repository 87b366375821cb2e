// The admin interface of a simulated exchange in another process: faults, time and prices. Used by kill-world.ts.
import { symbolOf, type VenueAddress } from "../support/venue-process.ts";

/** Of the contracts of venue-process.ts. */
const PRICE_DIGITS = 1;
/** Enough for every order that rests on the way. */
const TRADED_QTY = "50";

/** Asks it. @throws with what it answered */
async function askVenue<Answer>(
  { url, adminToken }: Pick<VenueAddress, "url" | "adminToken">,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
): Promise<Answer> {
  const answer = await fetch(`${url}/__venue__/${path}`, {
    method,
    headers: { "x-venue-token": adminToken },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

/** An exchange that began in the past, moved up to the machine's clock and left to run with it. */
export async function putOnTime(venue: VenueAddress): Promise<VenueAddress> {
  const { now } = await askVenue<{ now: number }>(venue, "POST", "speed", { speed: 0 });
  await askVenue(venue, "POST", "advance", { ms: Math.max(0, Date.now() - now) });
  const { now: at } = await askVenue<{ now: number }>(venue, "POST", "speed", { speed: 1 });
  return { ...venue, at, wallAt: Date.now() };
}

/** What a test does to the exchange; contracts by their number, see venue-process.ts. */
export function venueDeeds(venue: VenueAddress) {
  return {
    /** Arms a fault. */
    async fault(name: string, rest: object = {}): Promise<void> {
      await askVenue(venue, "POST", "faults", { name, ...rest });
    },
    async clearFaults(): Promise<void> {
      await askVenue(venue, "DELETE", "faults");
    },
    /** The last price of a contract; null while the exchange does not answer. */
    async price(market: number): Promise<number | null> {
      const asked = await fetch(`${venue.url}/v3/public/futures?symbol=${symbolOf(market)}`);
      if (!asked.ok) return null;
      const { data } = (await asked.json()) as { data: { rows: { markPrice: string }[] } };
      return Number(data.rows[0]?.markPrice);
    },
    /** Trades a contract at a price until prices go their own way again: what rests on the way is filled. */
    async tradeAt(market: number, price: number): Promise<void> {
      const step = { symbol: symbolOf(market), price: price.toFixed(PRICE_DIGITS) };
      await askVenue(venue, "POST", "price", { ...step, quantity: TRADED_QTY });
    },
    /** Makes funding of a contract due now. */
    async chargeFunding(market: number, rate: string): Promise<void> {
      const charge = { match: { symbol: symbolOf(market) }, params: { rate } };
      await askVenue(venue, "POST", "faults", { name: "funding_charge", ...charge });
    },
  };
}
