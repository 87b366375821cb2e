// Refusals in the exchange's words: code, HTTP status, sentence. Thrown by rules and handlers, turned
// into a reply by the HTTP layer. The codes are the published ones.

type Known = { readonly status: number; readonly message: string };

const KNOWN: Readonly<Record<number, Known>> = {
  [-1000]: { status: 500, message: "An unknown error occurred while processing the request" },
  [-1001]: { status: 401, message: "The api key or secret is in wrong format" },
  [-1002]: {
    status: 401,
    message:
      "API key or secret is invalid, it may because key have insufficient permission or the key is expired/revoked.",
  },
  [-1003]: { status: 429, message: "Rate limit exceed." },
  [-1004]: { status: 400, message: "An unknown parameter was sent." },
  [-1005]: { status: 400, message: "Some parameters are in wrong format for api." },
  [-1006]: { status: 400, message: "Your order and symbol are not valid or already canceled" },
  [-1007]: { status: 409, message: "The data is already exists or your request is duplicated." },
  [-1011]: { status: 503, message: "The system is under maintenance." },
  [-1101]: {
    status: 400,
    message: "The risk exposure for client is too high, please refer to client info.",
  },
  [-1102]: { status: 400, message: "The order value (price * size) is too small." },
  [-1103]: {
    status: 400,
    message: "The order price is not following the tick size rule for the symbol.",
  },
  [-1104]: {
    status: 400,
    message: "The order quantity is not following the step size rule for the symbol.",
  },
  [-1105]: { status: 400, message: "Price is too high or too low from the mid price." },
  302004: { status: 400, message: "invalid params" },
  302101: { status: 400, message: "symbol is not exists" },
  302102: { status: 400, message: "Your margin is insufficient! Please liquidate assets." },
  302104: { status: 400, message: "Your margin will be insufficient after this action." },
  302117: { status: 400, message: "The client_order_id is repeated." },
  302118: { status: 400, message: "no enough balance to close" },
  302125: { status: 400, message: "Quantity should be less than your position." },
  302129: { status: 400, message: "The order doesn’t exist." },
  302138: { status: 400, message: "Insufficient position for reduce only order." },
  302142: { status: 400, message: "The order quantity must bigger than the executed quantity." },
  302164: { status: 400, message: "The order value should be greater or equal to the minimum." },
  302172: { status: 400, message: "max position size is exceeded." },
  302185: {
    status: 400,
    message:
      "Your order request cannot be processed at this moment because the position mode is currently being switched.",
  },
  302186: {
    status: 400,
    message: "The position side you’ve used is not compatible with your current position mode.",
  },
  302188: { status: 400, message: "exceed max open notional" },
  302195: { status: 400, message: "The position side you’ve used is invalid" },
  302303: { status: 400, message: "Too many pending orders on reduce only order" },
  302305: {
    status: 400,
    message:
      "Failed to update cross margin leverages due to insufficient margin. Please top up or close your cross positions to proceed.",
  },
  302306: {
    status: 400,
    message: "Invalid leverage, please provide positive integer leverage",
  },
  302307: { status: 403, message: "The account has been suspended" },
  302308: {
    status: 400,
    message:
      "Attempt failed. Please close your futures positions, cancel open orders and try again.",
  },
  302314: { status: 400, message: "Quantity should be less than your position." },
  317140: { status: 400, message: "The quantity of a quantity TP/SL order should not be empty." },
  317144: { status: 400, message: "IndexPrice is not supported for non spot symbol" },
  317148: { status: 400, message: "symbol can’t be empty." },
  317150: { status: 400, message: "trigger price must be greater than the market price" },
  317151: { status: 400, message: "trigger price must be less than the market price" },
  317158: {
    status: 400,
    message: "Trading is temporarily suspended. Please try again later.",
  },
  317160: { status: 400, message: "The order id and symbol are not matched" },
  317167: { status: 400, message: "unsupported algo type" },
  317176: { status: 400, message: "The trigger after should from 0 to 900000" },
  317177: { status: 400, message: "Order has terminated" },
  317179: { status: 400, message: "Request has failed as the receive window is exceeded" },
};

/** A refusal the client is told about. */
export class VenueError extends Error {
  override readonly name = "VenueError";
  readonly code: number;
  readonly status: number;

  constructor(code: number, message?: string, status?: number) {
    super(message ?? KNOWN[code]?.message ?? "invalid params");
    this.code = code;
    this.status = status ?? KNOWN[code]?.status ?? 400;
  }
}

/** A parameter that is missing or malformed: code -1005 with the field, its value and what is allowed. */
export function badParameter(field: string, value: unknown, allowed: string): VenueError {
  const shown = value === undefined ? "is missing" : `"${String(value)}"`;
  return new VenueError(-1005, `${KNOWN[-1005]?.message} ${field} ${shown}: ${allowed}`);
}
