// The admin interface of a simulated exchange in another process: faults, time and prices. Used by kill-world.ts.
import type { VenueAddress } from "../support/venue-process.ts";

/** Asks it. @throws with what it answered */
export async function askVenue<Answer>(
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

/** The last price of a contract; null while the exchange does not answer. */
export async function priceOf({ url }: VenueAddress, symbol: string): Promise<number | null> {
  const asked = await fetch(`${url}/v3/public/futures?symbol=${symbol}`);
  if (!asked.ok) return null;
  const { data } = (await asked.json()) as { data: { rows: { markPrice: string }[] } };
  return Number(data.rows[0]?.markPrice);
}
