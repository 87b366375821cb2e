// What the paper account tells about itself, in the words of ports/broker.ts. Pure reads of the book.
import { compare, decimal } from "../../model/decimal.ts";
import { gridText, stepsDown } from "../../model/instrument.ts";
import { averageEntry, shareOf } from "../../model/leg-position.ts";
import type {
  BalanceReport,
  BrokerCapabilities,
  OrderReport,
  PositionReport,
} from "../../ports/broker.ts";
import { leverageOf, marketOf, type PaperBook, type PaperOrder } from "./paper-book.ts";
import { freeMargin, liquidationOf } from "./paper-margin.ts";

const ZERO = decimal("0");
const ONE = decimal("1");
/** Decimals of the free balance, which is an estimate at the present marks. */
const FREE_PLACES = 8;

/** What the paper exchange can do. */
export const PAPER_CAPABILITIES: BrokerCapabilities = {
  hedge: true,
  queueLevels: true,
  postOnlyAdjust: true,
  visibleQty: false,
  triggerOrders: true,
  amend: true,
  cancelAll: true,
  deadMan: true,
  leverage: true,
  leverageWithOrder: false,
  positionMode: true,
  switchesPositionMode: true,
  fundingPayments: true,
  markPrice: true,
  tradeRecords: true,
  tradesOfAll: false,
  reusesClientIds: false,
};

/** An order as it is now. */
export function orderReport(order: PaperOrder): OrderReport {
  const { terms, filledQty, value } = order;
  const isFilled = compare(filledQty, ZERO) > 0;
  return {
    exchangeOrderId: order.exchangeOrderId,
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    side: order.side,
    positionSide: order.positionSide,
    status: order.status,
    isTrigger: order.isWaiting,
    isReduceOnly: order.isReduceOnly,
    price: order.price,
    triggerPrice: terms.kind === "trigger" ? terms.triggerPrice : null,
    qty: order.qty,
    filledQty,
    averagePrice: isFilled ? shareOf(value, ONE, filledQty) : null,
    createdAt: order.createdAt,
  };
}

/** The legs that hold something, of one symbol or of all. */
export function positionReports(book: PaperBook, symbol: string | null): PositionReport[] {
  return [...book.legs.values()].flatMap((held) => {
    const { positionSide } = held.position;
    if (positionSide === null || (symbol !== null && held.symbol !== symbol)) return [];
    const { prices, mark } = marketOf(book, held.symbol);
    const { price: liquidation } = liquidationOf(book, held.symbol);
    return [
      {
        symbol: held.symbol,
        mode: book.mode,
        positionSide,
        qty: held.position.qty,
        averagePrice: averageEntry(held.position),
        markPrice: mark?.price ?? null,
        liquidationPrice:
          liquidation > 0 ? decimal(gridText(prices, stepsDown(prices, liquidation))) : null,
        leverage: leverageOf(book, held.symbol),
      },
    ];
  });
}

/** The one balance. */
export function balanceReports(book: PaperBook): BalanceReport[] {
  const free = decimal(freeMargin(book).toFixed(FREE_PLACES));
  return [{ asset: book.terms.settleAsset, total: book.balance, free }];
}

/** Whether nothing rests and nothing is held. */
export function isIdle(book: PaperBook): boolean {
  return book.working.size === 0 && book.legs.size === 0;
}
