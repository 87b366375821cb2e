// What WOO X's error codes mean for us, as data: class, reason, whether the refusal is proven, and a
// sentence of our own. Read by woox-judge.ts; a code that is not here is an unknown code.
// Source: the exchange's V3 and legacy documents and the codes ccxt 4.5.84 lists.
import type { RefusalReason } from "../../ports/broker.ts";
import type { CodeMeaning, FaultClass } from "./error-types.ts";

type Row = readonly [
  codes: readonly number[],
  fault: FaultClass,
  reason: RefusalReason,
  sentence: string,
];

/** Answers that leave open whether the request was carried out. */
const UNPROVEN: readonly Row[] = [
  [[-1000, 302999, 311999], "transport", "BUSY", "an unknown error happened at the exchange"],
  [[302109], "transport", "BUSY", "the exchange's matching engine failed to take the order"],
  [[302159], "transport", "BUSY", "the exchange timed out handling the request"],
  [[317154, 317168], "transport", "BUSY", "an internal service of the exchange failed"],
  [[-1011], "maintenance", "MAINTENANCE", "the exchange is under maintenance"],
];

const PROVEN: readonly Row[] = [
  [[-1003], "rate_limit", "RATE_LIMITED", "too many requests"],
  [[-1001], "auth", "KEY_REFUSED", "key or secret have the wrong format"],
  [
    [-1002],
    "auth",
    "KEY_REFUSED",
    "key or secret are wrong, the key lacks a permission, was revoked or is used from an address " +
      "it is not bound to",
  ],
  [[302307], "auth", "ACCOUNT_SUSPENDED", "the account is suspended"],
  [[302110, 302143], "auth", "ACCOUNT_SUSPENDED", "the account is locked or unknown"],
  [[317178, 317179], "clock", "CLOCK_SKEW", "the request's time is outside the exchange's window"],

  [[-1004], "business", "BAD_REQUEST", "a parameter is not known"],
  [[-1005, 317164], "business", "BAD_REQUEST", "a parameter has the wrong format"],
  [[-1009], "business", "BAD_REQUEST", "a settlement needs a deposit first"],
  [[302001, 302002, 311001, 311002], "business", "BAD_REQUEST", "there is no such data now"],
  [[302003, 302004, 311004], "business", "BAD_REQUEST", "the parameters are invalid"],
  [[302123], "business", "BAD_REQUEST", "the account's group is not known"],
  [[302134, 302135, 302136], "business", "BAD_REQUEST", "an amount is missing or not above 0"],
  [[317148, 317162, 317171, 317172], "business", "BAD_REQUEST", "a required value is missing"],
  [[317165, 317166, 317173], "business", "BAD_REQUEST", "an order id is missing or invalid"],
  [[317160], "business", "BAD_REQUEST", "order id and symbol do not belong together"],
  [[317176], "business", "BAD_REQUEST", "the dead-man time is out of range"],
  [[-1012, 302147, 302148, 302149], "business", "BAD_REQUEST", "a spot buy needs an amount"],
  [[302150, 302151, 302152], "business", "BAD_REQUEST", "a spot sell needs a quantity"],
  [[317167], "business", "NOT_SUPPORTED", "this kind of trigger order is not offered"],
  [
    [317136, 317137, 317138, 317139, 317140, 317141, 317142, 317143, 317144, 317163],
    "business",
    "BAD_REQUEST",
    "the parts of a trigger order do not fit together",
  ],
  [[302005, 302311, 302312, 302313], "business", "BUSY", "another request is still in progress"],
  [[317174], "business", "BUSY", "the order is still being processed"],
  [[302177], "business", "BUSY", "the order is not in the book yet and cannot be changed"],

  [[-1101], "business", "POSITION_LIMIT", "the account's exposure would be too high"],
  [[302172], "business", "POSITION_LIMIT", "the largest position size would be exceeded"],
  [[302188], "business", "POSITION_LIMIT", "the largest open notional would be exceeded"],
  [[302194], "business", "POSITION_LIMIT", "too many isolated orders are pending"],
  [[-1102, 302164], "business", "NOTIONAL_TOO_SMALL", "the order's value is too small"],
  [[-1103, 317147], "business", "PRICE_OFF_FILTER", "the price is not on the tick"],
  [[302114, 302140, 317145], "business", "PRICE_OFF_FILTER", "the price is too small"],
  [[317146], "business", "PRICE_OFF_FILTER", "the price is too large"],
  [[-1105], "business", "PRICE_OUT_OF_BAND", "the price is too far from the market"],
  [[317150, 317151], "business", "PRICE_OUT_OF_BAND", "the trigger price is already passed"],
  [[302165], "business", "PRICE_OUT_OF_BAND", "the exchange has no price for the asset"],
  [[-1104], "business", "QTY_OFF_FILTER", "the quantity is not on the step"],
  [[-1008], "business", "QTY_OFF_FILTER", "the quantity is too large"],
  [[302115, 302141], "business", "QTY_OFF_FILTER", "the quantity is too small"],
  [
    [302112, 302122, 302142, 317170],
    "business",
    "QTY_OFF_FILTER",
    "the quantity must be larger than what is already executed",
  ],
  [[302113], "business", "BAD_REQUEST", "the order's side does not fit its executions"],
  [[302102, 302104], "business", "INSUFFICIENT_MARGIN", "the margin is insufficient"],
  [
    [302103, 302118, 302145, 302301, 302305],
    "business",
    "INSUFFICIENT_MARGIN",
    "the balance or margin is not enough for this",
  ],
  [
    [302119, 302128, 302154, 302155, 302157, 302169, 302170, 302193],
    "business",
    "INSUFFICIENT_MARGIN",
    "there is not enough of the asset or collateral",
  ],
  [
    [317207, 302310, 317206, 302309],
    "business",
    "INSUFFICIENT_MARGIN",
    "futures credits in use prevent this",
  ],
  [
    [302125, 302137, 302138, 302314],
    "business",
    "REDUCE_ONLY_EXCEEDS",
    "a reduce-only order is larger than the position",
  ],
  [[302303], "business", "REDUCE_ONLY_EXCEEDS", "too many reduce-only orders are pending"],
  [[302178], "business", "REDUCE_ONLY_EXCEEDS", "a closing market order is already working"],
  [
    [302160, 302162, 302163, 302171],
    "business",
    "BAD_REQUEST",
    "reduce-only is not allowed here or is the only thing allowed",
  ],
  [[302111], "business", "ACCOUNT_SUSPENDED", "the position is being liquidated"],
  [
    [302120, 302121, 302126, 302132, 302133, 302144],
    "business",
    "ACCOUNT_SUSPENDED",
    "debts or open positions must be settled first",
  ],
  [
    [302131, 302156, 302166, 302167, 302168],
    "business",
    "PERMISSION_MISSING",
    "this kind of trading is not enabled for the account",
  ],
  [[302101, 317155, 317156], "business", "MARKET_CLOSED", "there is no such symbol"],
  [[317157, 317158, 317159, 317169], "business", "MARKET_CLOSED", "trading is suspended"],
  [[302306], "business", "LEVERAGE_REFUSED", "the leverage must be a positive whole number"],
  [[302189], "business", "LEVERAGE_REFUSED", "leverage cannot change while orders are pending"],
  [
    [302190, 302191, 302192, 302196, 302197, 302198, 302199],
    "business",
    "BAD_REQUEST",
    "margin or credits cannot be adjusted now",
  ],

  [[302185], "mode", "POSITION_MODE", "the position mode is being switched"],
  [[302186, 302195], "mode", "POSITION_MODE", "the position side does not fit the position mode"],
  [
    [302308],
    "mode",
    "POSITION_MODE",
    "the position mode cannot change with open positions or orders",
  ],
  [[302117, -1007], "duplicate", "DUPLICATE_CLIENT_ID", "an open order has this client order id"],
  [[302129, 317149, 317152, 317153, 317184], "gone", "ORDER_NOT_FOUND", "there is no such order"],
  [[-1006], "gone", "ORDER_NOT_FOUND", "there is no such order, or it has ended"],
  [[302127, 302130, 317161, 317177], "gone", "ORDER_FINISHED", "the order has ended"],
];

/** The table, by code. */
export const WOOX_ERRORS: ReadonlyMap<number, CodeMeaning> = new Map([
  ...meanings(UNPROVEN, false),
  ...meanings(PROVEN, true),
]);

function meanings(rows: readonly Row[], isProven: boolean): [number, CodeMeaning][] {
  return rows.flatMap(([codes, fault, reason, sentence]) =>
    codes.map((code): [number, CodeMeaning] => [code, { fault, reason, isProven, sentence }]),
  );
}
