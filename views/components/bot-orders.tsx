// The tab "Orders & fills" of a bot: every order with what was executed of it, and its round trips. Amounts are
// exact texts. Rendered by pages/bot.tsx.
import { dateTime, duration } from "../format.ts";
import { Scroll, SidePill } from "./run-tables.tsx";

/** An execution. */
export type ShownExecution = {
  readonly at: number;
  readonly price: string;
  readonly qty: string;
  /** With its coin; null while unknown. */
  readonly fee: string | null;
  readonly liquidity: string | null;
  readonly tradeId: string;
};

/** An order with its executions. */
export type ShownOrder = {
  readonly id: number;
  readonly decidedAt: number;
  readonly side: "buy" | "sell";
  readonly positionSide: "long" | "short";
  readonly purpose: string;
  readonly reason: string;
  readonly terms: string;
  readonly qty: string;
  readonly filledQty: string;
  readonly status: string;
  readonly detail: string | null;
  readonly clientOrderId: string | null;
  readonly exchangeOrderId: string | null;
  readonly fills: readonly ShownExecution[];
};

/** A round trip. */
export type ShownTrip = {
  readonly openedAt: number;
  readonly closedAt: number | null;
  readonly positionSide: "long" | "short";
  readonly entryQty: string;
  readonly realised: string;
  readonly fees: string;
  readonly funding: string;
  /** The three together, exact. */
  readonly net: string;
  readonly exitReason: string | null;
  readonly rungs: number;
};

/** Props of the tab. */
export type BotOrdersProps = {
  readonly timeZone: string;
  readonly asset: string;
  readonly orders: readonly ShownOrder[];
  readonly trips: readonly ShownTrip[];
};

const words = (key: string) => key.replaceAll("_", " ");

function Fills({ order, timeZone }: { order: ShownOrder; timeZone: string }) {
  return (
    <>
      {order.fills.map((fill) => (
        <tr class="of-order" id={`fill-${fill.tradeId}-${order.side}`}>
          <td>↳ {dateTime(fill.at, timeZone)}</td>
          <td colspan={3} class="muted">
            fill {fill.tradeId}
            {fill.liquidity === null ? "" : `, ${fill.liquidity}`}
          </td>
          <td class="figure">{fill.price}</td>
          <td class="figure">{fill.qty}</td>
          <td class="figure">fee {fill.fee ?? "unknown"}</td>
          <td colspan={2}></td>
        </tr>
      ))}
    </>
  );
}

const ORDER_HEADS = [
  ...["Decided", "Order", "Position", "For", "Terms", "Qty", "Filled", "Status", "Ids"],
];
const TRIP_HEADS = ["Opened", "Held", "Position", "Qty", "Entries", "Realised", "Fees", "Funding"];
/** Columns without figures. */
const WORDS = ["Decided", "Order", "Position", "For", "Status", "Ids", "Opened", "Held", "End"];

function Head({ heads }: { heads: readonly string[] }) {
  return (
    <thead>
      <tr>
        {heads.map((head) => (
          <th class={WORDS.includes(head) ? undefined : "figure"}>{head}</th>
        ))}
      </tr>
    </thead>
  );
}

function OrderRow({ order, timeZone }: { order: ShownOrder; timeZone: string }) {
  const { side, positionSide, purpose, reason, status, detail } = order;
  return (
    <>
      <tr id={`order-${order.id}`}>
        <td>{dateTime(order.decidedAt, timeZone)}</td>
        <td class={side === "buy" ? "up" : "down"}>{side === "buy" ? "▲ buy" : "▼ sell"}</td>
        <td>
          <SidePill side={positionSide} />
        </td>
        <td title={reason}>
          {words(purpose)} <span class="muted">{reason}</span>
        </td>
        <td class="figure">{order.terms}</td>
        <td class="figure">{order.qty}</td>
        <td class="figure">{order.filledQty}</td>
        <td title={detail ?? undefined}>{words(status)}</td>
        <td id={order.clientOrderId === null ? undefined : `client-${order.clientOrderId}`}>
          <code>
            {order.id} · {order.clientOrderId ?? "not sent"} · {order.exchangeOrderId ?? "—"}
          </code>
        </td>
      </tr>
      <Fills order={order} timeZone={timeZone} />
    </>
  );
}

function Trips({ trips, timeZone, asset }: BotOrdersProps) {
  if (trips.length === 0) return <p class="muted">No round trip has begun yet.</p>;
  return (
    <Scroll label="Round trips">
      <table class="dense numbers">
        <Head heads={[...TRIP_HEADS, `Net (${asset})`, "End"]} />
        <tbody>
          {trips.map((trip) => (
            <tr>
              <td>{dateTime(trip.openedAt, timeZone)}</td>
              <td>{trip.closedAt === null ? "open" : duration(trip.closedAt - trip.openedAt)}</td>
              <td>
                <SidePill side={trip.positionSide} />
              </td>
              <td class="figure">{trip.entryQty}</td>
              <td class="figure">{trip.rungs}</td>
              <td class="figure">{trip.realised}</td>
              <td class="figure">{trip.fees}</td>
              <td class="figure">{trip.funding}</td>
              <td class={trip.net.startsWith("-") ? "figure down" : "figure up"}>{trip.net}</td>
              <td>{trip.exitReason ?? "—"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The tab. */
export function BotOrders(props: BotOrdersProps) {
  const { orders, timeZone } = props;
  return (
    <>
      <h2 class="section">Orders and their fills</h2>
      {orders.length === 0 ? (
        <p class="muted">The bot has decided no order yet.</p>
      ) : (
        <>
          <p class="muted small">The newest orders; the ledger holds every execution.</p>
          <Scroll label="Orders and fills">
            <table class="dense numbers">
              <Head heads={ORDER_HEADS} />
              <tbody>
                {orders.map((order) => (
                  <OrderRow order={order} timeZone={timeZone} />
                ))}
              </tbody>
            </table>
          </Scroll>
        </>
      )}
      <h2 class="section">Round trips</h2>
      <Trips {...props} />
    </>
  );
}
