// Switching an account between one-way and hedge mode: by the client only when it is flat and idle, by
// the exchange at any time, carrying the positions over.
import { type Account, legOf, legSides, type PositionMode, setLeverage } from "./account.ts";
import { VenueError } from "./errors.ts";
import { finish, settleCash } from "./matching.ts";
import { type Leg, rememberLeg } from "./position.ts";
import { type Exchange, marketFor, record } from "./state.ts";

/** The client's wish. @throws VenueError 302308 with open positions, plain or algo orders */
export function requestMode(x: Exchange, account: Account, mode: PositionMode): void {
  if (mode === account.mode) return;
  const isHolding = [...account.legs.values()].some((leg) => leg.lots !== 0);
  const isWaiting = [...x.liveAlgos].some((algo) => algo.accountId === account.id);
  if (isHolding || isWaiting || account.open.size > 0) throw new VenueError(302308);
  account.mode = mode;
  record(x, "position_mode", { account: account.name, mode });
}

/** The exchange's doing: orders are cancelled, positions carried over, orders refused for a while. */
export function forceMode(x: Exchange, account: Account, mode: PositionMode, busyMs: number): void {
  if (mode === account.mode) return;
  for (const order of [...account.open]) {
    finish(x, marketFor(x, order.instrument), order, "CANCELLED", "position mode switched");
  }
  for (const { instrument } of x.markets.values()) {
    const from = legSides(account.mode).map((side) => legOf(account, instrument, side));
    if (mode === "ONE_WAY") merge(x, account, from, legOf(account, instrument, "BOTH"));
    else {
      const [both] = from;
      if (both && both.lots !== 0) {
        move(x, both, legOf(account, instrument, both.lots > 0 ? "LONG" : "SHORT"));
      }
    }
    for (const side of legSides(mode)) {
      const leverage = account.leverage.get(`${instrument.symbol} ${from[0]?.side}`);
      if (leverage !== undefined) setLeverage(account, instrument, side, leverage);
    }
  }
  account.mode = mode;
  account.switchingUntil = x.now + busyMs;
  record(x, "position_mode", { account: account.name, mode, busyMs });
}

function move(x: Exchange, from: Leg, to: Leg): void {
  to.openedAt = from.openedAt;
  to.lots += from.lots;
  to.cost += from.cost;
  from.lots = 0;
  from.cost = 0n;
  rememberLeg(from, x.now);
  rememberLeg(to, x.now);
}

/** Nets the hedge legs into one; what cancels out is realised into the wallet. */
function merge(x: Exchange, account: Account, legs: readonly Leg[], both: Leg): void {
  const [first, second] = [...legs].sort((a, b) => Math.abs(b.lots) - Math.abs(a.lots));
  if (!first || !second || first.lots === 0) return;
  const netted = Math.abs(second.lots);
  const closedCost = (first.cost * BigInt(netted)) / BigInt(Math.abs(first.lots));
  const realized = -(closedCost + second.cost);
  first.lots += second.lots;
  first.cost -= closedCost;
  second.lots = 0;
  second.cost = 0n;
  rememberLeg(second, x.now);
  if (realized !== 0n) settleCash(x, account, realized, "hedge legs netted");
  move(x, first, both);
}
