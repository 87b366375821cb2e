// How dates and names of browsers look on pages. The only place that writes them; views call it with
// plain values. Exports and the API do not use it: they speak ISO 8601.

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    day: "2-digit",
    month: "2-digit",
    year: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  FORMATS.set(timeZone, made);
  return made;
}

/** `21/11/26 10:25` in the zone; a dash for no instant. */
export function dateTime(at: number | null, timeZone: string): string {
  if (at === null) return "—";
  return formatOf(timeZone).format(at).replace(",", "");
}

/** `21/11/26` in the zone; a dash for no instant. */
export function date(at: number | null, timeZone: string): string {
  return dateTime(at, timeZone).split(" ")[0] ?? "—";
}

/** A wait as people say it: `8 seconds`, `5 minutes`; rounded up. */
export function wait(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 90) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

/** `Firefox on Linux` from what a browser calls itself; its first words when it is unknown. */
export function browser(client: string): string {
  const name = BROWSERS.find(([pattern]) => pattern.test(client))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(client))?.[1];
  if (name) return system ? `${name} on ${system}` : name;
  return client.slice(0, 40) || "Unknown browser";
}
