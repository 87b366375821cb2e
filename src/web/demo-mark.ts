// The demo's watermark in exported files. Used by the routes that send files; whatever is not of the exchange
// `demo` leaves here byte for byte as it came.
import { DEMO_EXCHANGE } from "../model/demo-exchange.ts";
import { DEMO_WATERMARK } from "../model/demo-watermark.ts";

/** What a file is about. */
type Subject = { readonly exchangeId: string };

/** The document, with `watermark` as its first field where it needs one. */
export function markedDocument(about: Subject, document: object): object {
  return isDemo(about) ? { watermark: DEMO_WATERMARK, ...document } : document;
}

/** CSV without quoted line ends, with `watermark` as its last column where it needs one. */
export function markedCsv(about: Subject, csv: string): string {
  if (!isDemo(about)) return csv;
  const [head = "", ...rows] = csv.split("\r\n").filter((line) => line !== "");
  const marked = rows.map((row) => `${row},"${DEMO_WATERMARK}"`);
  return [`${head},watermark`, ...marked].map((line) => `${line}\r\n`).join("");
}

/** The first part of a file's name: candles have fixed columns and nowhere else to say it. */
export function markedName({ exchangeId }: Subject): string {
  return isDemo({ exchangeId }) ? "demo-invented-prices" : exchangeId;
}

function isDemo({ exchangeId }: Subject): boolean {
  return exchangeId === DEMO_EXCHANGE;
}
