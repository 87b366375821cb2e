// How a bot stands: its position with every level, its open orders, what was asked of it. Each part is kept fresh by
// the server's stream and therefore without forms; rendered by pages/bot.tsx and bot-data.tsx.
import type { OrderView, PositionView, PriceView } from "../../src/model/live-figures.ts";
import { clockTime, dateTime, money, percent } from "../format.ts";
import type { GatesProps } from "./bot-gates.tsx";
import { Scroll, SidePill } from "./run-tables.tsx";

/** A command as the page shows it. */
export type ShownCommand = {
  readonly what: string;
  readonly actor: string;
  readonly at: number;
  readonly state: "waiting" | "done" | "refused";
  readonly outcome: string;
};

/** Props of the standing. */
export type StandingProps = GatesProps & {
  readonly botId: number;
  readonly asset: string;
  readonly mayTrade: boolean;
  readonly price: PriceView | null;
  readonly position: PositionView | null;
  readonly orders: readonly OrderView[];
  readonly commands: readonly ShownCommand[];
};

const words = (key: string) => key.replaceAll("_", " ");

/** How far a level is from the price. */
function away(level: string | null, price: PriceView | null): string {
  if (level === null) return "none";
  if (price === null) return level;
  const share = Number(level) / Number(price.price) - 1;
  return `${level} (${percent(share, { signed: true, decimals: 2 })})`;
}

type Pairs = readonly (readonly [label: string, value: string])[];

function pairsOf({ position, price, asset, timeZone, at }: StandingProps): Pairs {
  const mark =
    price === null
      ? "unknown"
      : `${price.price} (${price.source}, ${clockTime(price.at, at, timeZone)})`;
  if (position === null) return [["Price", mark]];
  return [
    ["Quantity", position.qty],
    ["Average entry", away(position.averageEntry, price)],
    ["Price", mark],
    ["Worth", money(position.notional === null ? null : Number(position.notional), asset)],
    ["Take-profit", away(position.takeProfitPrice, price)],
    ["Stop", away(position.stopPrice, price)],
    ["Next rung", away(position.nextRungPrice, price)],
    ["Rungs filled", `${position.rungsFilled} of ${position.rungsMax}`],
    ["Liquidation", away(position.liquidationPrice, price)],
    ["Open since", dateTime(position.openedAt, timeZone)],
  ];
}

/** What the bot holds, with its levels. */
export function BotPosition(props: StandingProps) {
  const { position } = props;
  return (
    <section class="card" aria-label="Position">
      <div class="title-row">
        <h2>Position</h2>
        {position === null ? null : <SidePill side={position.positionSide} />}
      </div>
      {position === null ? <p>The bot holds nothing.</p> : null}
      <dl class="pairs number">
        {pairsOf(props).map(([label, value]) => (
          <div>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const ORDER_HEADS = ["Order", "For", "Price", "Trigger", "Qty", "Filled", "Status", "Since"];
const FIGURES = ["Price", "Trigger", "Qty", "Filled"];

function Orders({ orders, timeZone, botId, mayTrade }: StandingProps) {
  if (orders.length === 0) return <p class="muted">No order is open or parked.</p>;
  return (
    <Scroll label="Open and parked orders">
      <table class="dense numbers open-orders">
        <thead>
          <tr>
            {ORDER_HEADS.map((head) => (
              <th class={FIGURES.includes(head) ? "figure" : undefined}>{head}</th>
            ))}
            {mayTrade ? <th>Action</th> : null}
          </tr>
        </thead>
        <tbody>
          {orders.map((order) => (
            <tr id={`open-order-${order.intentId}`}>
              <td class={order.side === "buy" ? "up" : "down"}>
                {order.side === "buy" ? "▲ buy" : "▼ sell"}
              </td>
              <td>
                <a href={`/bots/${botId}?tab=orders#order-${order.intentId}`}>
                  {words(order.purpose)}
                </a>
              </td>
              <td class="figure" data-label="Price">
                {order.price ?? "—"}
              </td>
              <td class="figure" data-label="Trigger">
                {order.triggerPrice ?? "—"}
              </td>
              <td class="figure" data-label="Qty">
                {order.qty}
              </td>
              <td class="figure" data-label="Filled">
                {order.filledQty}
              </td>
              <td data-label="Status">{words(order.status)}</td>
              <td data-label="Since">{dateTime(order.decidedAt, timeZone)}</td>
              {mayTrade ? (
                <td class="deed">
                  <CancelLink botId={botId} order={order} />
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function CancelLink({ botId, order }: { botId: number; order: OrderView }) {
  if (order.purpose === "protective_stop") return <span class="muted">moved by “Move stop”</span>;
  const query = `action=cancel_order&order=${order.intentId}`;
  return (
    <a
      href={`/bots/${botId}?${query}#preview`}
      hx-get={`/bots/${botId}/preview?${query}`}
      hx-target="#preview"
      hx-swap="outerHTML show:top"
      aria-label={`Cancel ${words(order.purpose)} ${order.qty}`}
    >
      Cancel…
    </a>
  );
}

const COMMAND_TONES = { waiting: "blue", done: "green", refused: "red" } as const;

function Commands({ commands, timeZone }: StandingProps) {
  if (commands.length === 0) return null;
  return (
    <section class="card" aria-label="What was asked">
      <h2>What was asked</h2>
      <ul class="rows">
        {commands.map(({ what, actor, at, state, outcome }) => (
          <li>
            <div>
              <p class="row-title">{what}</p>
              <p class="muted small breakable">
                {dateTime(at, timeZone)} by {actor}. {outcome}
              </p>
            </div>
            <span class={`pill ${COMMAND_TONES[state]}`}>{state}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Orders at work and what was asked by hand. */
export function BotOpenOrders(props: StandingProps) {
  return (
    <>
      <h2 class="section">Open and parked orders</h2>
      <Orders {...props} />
      <Commands {...props} />
    </>
  );
}
