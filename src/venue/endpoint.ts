// What a request handler is and what it is given, with the readers of parameters that handlers share.
import type { Account } from "./account.ts";
import { badParameter } from "./errors.ts";
import { integerOf } from "./order-rules.ts";
import type { Limit } from "./rate-limits.ts";
import type { Exchange } from "./state.ts";
import type { TextObject, Wire } from "./wire.ts";

/** One request, parsed; parameters are text in the digits that were sent. */
export type Call = {
  readonly x: Exchange;
  readonly params: Readonly<Record<string, string | undefined>>;
  /** The whole body of a POST or PUT. */
  readonly body: TextObject;
  readonly wire: Wire;
  /** Instant whose orders, positions and fills a lagging exchange shows. */
  readonly readAt: number;
};

/** A request of an account. */
export type PrivateCall = Call & { readonly account: Account };

/** What a handler returns: members of the reply beside `success` and `timestamp`. */
export type Answer = Readonly<Record<string, unknown>>;

type Shape = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path as sent, e.g. `/v3/trade/order`; `{oid}` stands for one segment. */
  readonly path: string;
  readonly limit: Limit;
  /** V1 replies carry no timestamp; one V3 reply carries it as text. */
  readonly timestamp?: "none" | "text";
};

/** A handler and who may call it. */
export type Endpoint =
  | (Shape & { readonly access: "public"; run(call: Call): Answer })
  | (Shape & { readonly access: "v3" | "v1"; run(call: PrivateCall): Answer });

/** Ten requests a second, the limit of most endpoints. */
export const TEN_A_SECOND: Limit = { count: 10, perMs: 1000 };

/** One page of rows with the figures around it. */
export type Page<T> = {
  readonly rows: readonly T[];
  readonly meta: { total: number; recordsPerPage: number; currentPage: number };
};

/** Largest page a client may ask for. */
const PAGE_ROWS_MAX = 500;

/** Cuts the asked page out of all rows. @throws VenueError -1005 for a bad page or size */
export function pageOf<T>(
  rows: readonly T[],
  params: Call["params"],
  rowsPerPage: { readonly standard: number; readonly forced?: number },
): Page<T> {
  const standard = rowsPerPage.standard;
  const asked = integerOf("size", params.size, { min: 1, max: PAGE_ROWS_MAX, standard });
  const size = rowsPerPage.forced ?? asked;
  const page = integerOf("page", params.page, { min: 1, max: 1_000_000, standard: 1 });
  return {
    rows: rows.slice((page - 1) * size, page * size),
    meta: { total: rows.length, recordsPerPage: size, currentPage: page },
  };
}

/** The instants a list is limited to. @throws VenueError -1005 */
export function timeRange(params: Call["params"]): { from: number; to: number } {
  const range = { min: 0, max: 9_999_999_999_999 };
  const from = integerOf("startTime", params.startTime, { ...range, standard: 0 });
  const to = integerOf("endTime", params.endTime, { ...range, standard: range.max });
  if (from > to) throw badParameter("startTime", params.startTime, "not after endTime");
  return { from, to };
}
