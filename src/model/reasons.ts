// Codes of the decisions that keep an order back, each with what it says to a person. Given by room risk, shown
// on pages and in events; the figures of the single case are in the detail beside the code.

/** Every code with its sentence. */
export const RISK_REASONS = {
  TRADING_STATE: "The trading state does not permit it.",
  ACCOUNT_UNKNOWN: "What the account holds and what works there was not read yet.",
  PRICE_UNKNOWN: "No price is known to value it with.",
  QTY_NOT_POSITIVE: "Its quantity is not above 0.",
  QTY_ABOVE_BOT_LIMIT: "Its quantity is above the limit of the bot.",
  NOTIONAL_ABOVE_BOT_LIMIT: "Its value is above the limit of the bot.",
  OPEN_ORDERS_ABOVE_BOT_LIMIT: "The bot would have more working orders than its limit.",
  POSITION_ABOVE_BOT_LIMIT: "The position would be worth more than the limit of the bot.",
  SYMBOL_EXPOSURE_ABOVE_ACCOUNT_LIMIT: "The account would hold too much of one symbol.",
  GROSS_EXPOSURE_ABOVE_ACCOUNT_LIMIT: "The account would hold too much altogether.",
  LEVERAGE_ABOVE_LIMIT: "The leverage is above what is allowed.",
  MARGIN_UNKNOWN: "The balance of the account is not known.",
  MARGIN_ABOVE_FREE: "The margin it needs is more than the account has left.",
} as const satisfies Readonly<Record<string, string>>;

/** The name of a decision. */
export type RiskReason = keyof typeof RISK_REASONS;
