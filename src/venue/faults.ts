// The fault switches: which misbehaviour is armed, for whom, how often. Seeded and replayable: a rule
// decides by its own stream. The places that misbehave ask here; nothing here touches orders.
import { createRandom, type Random } from "./random.ts";

/** Switches that stay on until they are disarmed or used up; the value says what they do. */
export const SWITCHES = {
  accept_then_drop: "the request is done, its reply is lost (late: answered after `ms`)",
  accept_then_drop_market: "the same, for MARKET, IOC and FOK orders alone",
  reject_then_drop: "the request is not done and the connection is closed",
  visibility_delay: "orders, positions and fills are read as they were `ms` ago",
  snapshot_truncate: "order lists give 25 rows a page whatever was asked",
  rate_429: "requests get 429 with -1003",
  storm_418: "one 429, then 418 for `ms`",
  clock_skew: "the exchange's clock is off by `ms`",
  dup_client_id: "an order with a client id is accepted but answered as a duplicate (`code`)",
  unknown_code_400: "HTTP 400 with a code nobody knows; `accept` does the request first",
  unknown_code_200: "HTTP 200, success false, a code nobody knows; `accept` as above",
  html_200: "HTTP 200 with a web page; `accept` as above",
  empty_200: "HTTP 200 without a body; `accept` as above",
  partial_fill: "a resting order fills in `parts` (shares), one every `ms`",
  fill_during_cancel: "after a cancel `share` of the rest fills, then it is cancelled",
  cancel_delay: "a cancel takes effect `ms` after it was acknowledged",
  post_only_reject: "a POST_ONLY order is refused as if it would take",
  bbo_reject: "a BID or ASK order ends REJECTED",
  bbo_level_missing: "the level a BID or ASK order asks for is not there",
  reduce_only_too_big: "302125 for orders",
  insufficient_margin: "302104 for orders",
  max_position: "302172 for orders",
  min_notional: "302164 for orders",
  price_band: "-1105 for orders",
  ws_silent: "no message and no pong leaves a stream",
  ws_dup: "messages are sent twice",
  ws_out_of_order: "a message is sent after its successor",
  ws_gap: "messages are lost",
  ws_auth_fail: "stream authentication is refused",
  maintenance: "everything answers -1011, systemInfo a status other than 0",
  trade_side_hedge_words: "`words` false: fills of hedge legs say BUY and SELL",
  type_drift: "`style` strings, numbers or mixed: how rows write ids, quantities and times",
  slow: "replies come `ms` late (real time)",
  jitter: "replies come up to `ms` late (real time, seeded)",
} as const;

/** Misbehaviour that happens once, at the moment it is asked for (or at `at`). */
export const DEEDS = {
  one_way_account: "the account is switched to one-way mode",
  mode_flip: "the account's mode changes; orders are refused for `ms` meanwhile",
  manual_trade: "a trade of `quantity` on `side` that the client did not send",
  liquidation: "all positions are closed by the exchange",
  adl: "`quantity` of a position is taken away at the mark price",
  funding_charge: "funding at `rate` is paid now",
  ws_drop: "open streams are closed with code 1011",
  listenkey_expire: "all listen keys end, with their streams",
} as const;

/** A switch by its name. */
export type SwitchName = keyof typeof SWITCHES;
/** A deed by its name. */
export type DeedName = keyof typeof DEEDS;
/** What may be asked for by name. */
export type FaultName = SwitchName | DeedName;

/** A parameter of a fault. */
export type FaultValue = string | number | boolean | readonly number[];

/** What the admin interface, or the settings, ask for. */
export type FaultRequest = {
  readonly name: FaultName;
  /** How often it strikes; without end when absent. */
  readonly times?: number;
  /** Occasions that pass before the first strike. */
  readonly skip?: number;
  /** Chance of striking at each occasion, 0 to 1; always when absent. */
  readonly chance?: number;
  /** Account name, endpoint (`POST trade/order`), symbol, order type or topic it is limited to. */
  readonly match?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, FaultValue>>;
  /** Virtual instant to arm or do it at; now when absent. */
  readonly at?: number;
};

/** An armed switch. */
export type FaultRule = FaultRequest & {
  readonly id: number;
  readonly random: Random;
  fired: number;
  seen: number;
  /** Virtual instant until which it lasts once it struck; used by the storm alone. */
  until: number;
};

/** Where a decision is made, to be compared with `match`. */
export type Occasion = Readonly<Record<string, string | undefined>>;

/** The armed switches of a venue. */
export type Faults = {
  arm(request: FaultRequest): FaultRule;
  disarm(id: number): boolean;
  clear(): void;
  list(): readonly FaultRule[];
  /** The first rule that strikes now; it is counted. */
  take(name: SwitchName, occasion: Occasion): FaultRule | null;
  /** A lasting switch that is on for this occasion; not counted. */
  on(name: SwitchName, occasion: Occasion): FaultRule | null;
  /** A rule whose effect still lasts at an instant. */
  lasting(name: SwitchName, at: number): FaultRule | null;
};

/** Rules that may be armed at once. */
const RULES_MAX = 200;

/** No switch armed. `onFire` is told every strike. */
export function createFaults(seed: number, onFire: (rule: FaultRule) => void): Faults {
  let rules: FaultRule[] = [];
  let ids = 0;
  return {
    arm(request) {
      if (rules.length >= RULES_MAX) throw new RangeError(`at most ${RULES_MAX} faults are armed`);
      const id = ++ids;
      const random = createRandom(seed, `fault ${id} ${request.name}`);
      const rule: FaultRule = { ...request, id, random, fired: 0, seen: 0, until: 0 };
      rules.push(rule);
      return rule;
    },
    disarm(id) {
      const before = rules.length;
      rules = rules.filter((rule) => rule.id !== id);
      return rules.length < before;
    },
    clear: () => {
      rules = [];
    },
    list: () => rules,
    take(name, occasion) {
      for (const rule of rules) {
        if (rule.name !== name || isSpent(rule)) continue;
        if (!applies(rule, occasion) || !strikes(rule)) continue;
        rule.fired++;
        onFire(rule);
        return rule;
      }
      return null;
    },
    on: (name, occasion) =>
      rules.find((rule) => rule.name === name && !isSpent(rule) && applies(rule, occasion)) ?? null,
    lasting: (name, at) => rules.find((rule) => rule.name === name && at < rule.until) ?? null,
  };
}

/** True once a rule struck as often as it may. */
function isSpent(rule: FaultRule): boolean {
  return rule.times !== undefined && rule.fired >= rule.times;
}

function applies(rule: FaultRule, occasion: Occasion): boolean {
  return Object.entries(rule.match ?? {}).every(([key, wanted]) => occasion[key] === wanted);
}

function strikes(rule: FaultRule): boolean {
  rule.seen++;
  if (rule.seen <= (rule.skip ?? 0)) return false;
  return rule.chance === undefined || rule.random() < rule.chance;
}

/** A number parameter of a rule. */
export function numberOf(rule: FaultRequest, name: string, fallback: number): number {
  const value = rule.params?.[name];
  return typeof value === "number" ? value : fallback;
}

/** A text parameter of a rule. */
export function textOf(rule: FaultRequest, name: string): string | undefined {
  const value = rule.params?.[name];
  return typeof value === "string" ? value : undefined;
}

/** A yes-or-no parameter of a rule. */
export function flagOf(rule: FaultRequest, name: string, fallback: boolean): boolean {
  const value = rule.params?.[name];
  return typeof value === "boolean" ? value : fallback;
}
