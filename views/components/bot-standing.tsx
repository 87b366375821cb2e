// How a bot stands: position with its levels, why it does or does not trade, open orders, what was asked of it.
// Kept fresh by the server's stream and therefore without forms; rendered by pages/bot.tsx and bot-data.tsx.
import type { OrderView, PositionView, PriceView } from "../../src/model/live-figures.ts";
import { dateTime, money, percent } from "../format.ts";
import { BotGates, type GatesProps } from "./bot-gates.tsx";
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

function PositionCard(props: StandingProps) {
  const { position, price, asset, timeZone } = props;
  const mark = price === null ? "unknown" : `${price.price} (${price.source})`;
  if (position === null) {
    return (
      <section class="card" aria-label="Position">
        <h2>Position</h2>
        <p>The bot holds nothing. Price: {mark}</p>
      </section>
    );
  }
  const rows: readonly (readonly [string, string])[] = [
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
  return (
    <section class="card" aria-label="Position">
      <div class="title-row">
        <h2>Position</h2>
        <SidePill side={position.positionSide} />
      </div>
      <dl class="pairs number">
        {rows.map(([label, value]) => (
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
      <table class="dense numbers">
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
            <tr>
              <td class={order.side === "buy" ? "up" : "down"}>
                {order.side === "buy" ? "▲ buy" : "▼ sell"}
              </td>
              <td>{words(order.purpose)}</td>
              <td class="figure">{order.price ?? "—"}</td>
              <td class="figure">{order.triggerPrice ?? "—"}</td>
              <td class="figure">{order.qty}</td>
              <td class="figure">{order.filledQty}</td>
              <td>{words(order.status)}</td>
              <td>{dateTime(order.decidedAt, timeZone)}</td>
              {mayTrade ? (
                <td>
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
  if (order.purpose === "protective_stop") return <span class="muted">moved below</span>;
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

/** Everything that changes by itself below the figures. */
export function BotStandingView(props: StandingProps) {
  return (
    <>
      <div class="columns">
        <PositionCard {...props} />
        <BotGates {...props} />
      </div>
      <h2 class="section">Open and parked orders</h2>
      <Orders {...props} />
      <Commands {...props} />
    </>
  );
}
