// What the market data adapter throws when an exchange does not deliver. The message is a sentence
// for the operator; it never holds a whole response.
/** An exchange that cannot be reached, refuses, or answers nonsense. */
export class MarketDataError extends Error {
  override readonly name = "MarketDataError";
}

const SHOWN_MAX = 200;

/** The first line of an error's message, cut to a readable length. */
export function shortText(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
