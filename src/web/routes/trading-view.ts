// Trading states in the words of the page: rows of scopes, closings and findings, the groups of a preview, and the
// choices of the form that stops. Used by trading.tsx.
import type { ScopeGroup } from "../../../views/components/kill-form.tsx";
import type { FindingRow } from "../../../views/components/findings-list.tsx";
import type {
  RoundRow,
  ScopeRow,
  TradingLiveProps,
} from "../../../views/components/trading-live.tsx";
import { count, dateTime, money } from "../../../views/format.ts";
import type { ReachGroup } from "../../../views/pages/trading.tsx";
import type { Role } from "../../ports/access-store.ts";
import type { TradingView } from "../../services/live/emergency-types.ts";
import type {
  EffectPreview,
  KillLevel,
  OpenFinding,
  OrderInReach,
  PositionInReach,
} from "../../services/live/emergency-view.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import { sentence } from "../forms/backtest-sentences.ts";

/** Who looks. */
export type Looker = { readonly csrf: string; readonly role: Role; readonly timeZone: string };

/** Lines of a group before the rest is counted. */
const LINES_MAX = 50;

/** `2 of 2 workers confirmed`, or the epoch alone while none tells. */
export function confirmedText({ epoch, confirmed }: Pick<TradingView, "epoch" | "confirmed">) {
  if (confirmed === null) return `epoch ${epoch}`;
  const { count: n, of } = confirmed;
  return `${n} of ${of} ${of === 1 ? "worker" : "workers"} confirmed`;
}

/** The part of the page that changes by itself. */
export function tradingLive(view: TradingView, looker: Looker): TradingLiveProps {
  return {
    csrf: looker.csrf,
    summary: summaryOf(view),
    scopes: scopeRows(view, looker),
    rounds: view.rounds.map((round) => roundRow(round, looker)),
    findings: view.findings.map((finding) => findingRow(finding, looker)),
  };
}

function summaryOf(view: TradingView): string {
  const stopped = view.states.filter(({ state, isNeverOn }) => state !== "active" && !isNeverOn);
  const confirmed = confirmedText(view);
  if (stopped.length === 0) return `Nothing is stopped; ${confirmed}.`;
  const scopes = stopped.length === 1 ? "One scope is" : `${stopped.length} scopes are`;
  return `${scopes} stopped; ${confirmed}.`;
}

/** The wide scopes and accounts always, bots as soon as somebody stopped one. */
function scopeRows(view: TradingView, { role, timeZone }: Looker): ScopeRow[] {
  const always: { readonly key: string; readonly name: string }[] = [
    { key: "global", name: "Everything" },
    { key: "live", name: "Live trading" },
    ...view.accounts.map(({ id, name }) => ({ key: `account:${id}`, name: `Account ${name}` })),
  ];
  const bots = view.states.filter(({ scope, state }) => scope.kind === "bot" && state !== "active");
  return [...always, ...bots].map(({ key, name }) => {
    const row = view.states.find((each) => each.key === key);
    const isOwner = includesRole(role, "owner");
    const state = row?.state ?? "active";
    const isFrozenLive = key === "live" && state === "frozen";
    // Its pre-flight switches it on, no release.
    const isUnarmed = key.startsWith("account:") && row?.isUnarmed === true;
    return {
      ...{ key, name, state },
      since: row ? dateTime(row.changedAt, timeZone) : "",
      by: row?.actor ?? "",
      why: row?.reason ?? "",
      mayRelease: isOwner && state !== "active" && !isFrozenLive && !isUnarmed,
    };
  });
}

function roundRow(round: TradingView["rounds"][number], { timeZone }: Looker): RoundRow {
  const closed = round.rows.filter(({ outcome }) => outcome === "closed").length;
  const standing =
    round.haltedAt === null
      ? `${closed} of ${round.rows.length} bots closed.`
      : `Everything closed; stopped since ${dateTime(round.haltedAt, timeZone)}.`;
  return {
    ...{ name: round.name, by: round.actor, why: round.reason, standing },
    began: dateTime(round.since, timeZone),
    bots: round.rows.map(({ botId, name, outcome, sentence }) => ({
      ...{ name, outcome, sentence, href: `/bots/${botId}` },
    })),
  };
}

const FINDINGS: Readonly<Record<OpenFinding["kind"], string>> = {
  position_drift: "Another position than known",
  stranger_order: "An order nobody here placed",
  position_mode: "Another position mode",
  second_instance: "Another instance trades here",
  known_position: "A person's position",
  known_order: "A person's order",
};

const CHOICES: Readonly<Record<OpenFinding["choices"][number], string>> = {
  adopt: "Take over",
  ignore: "Ignore",
  heed: "Stop ignoring",
  flatten: "Close…",
  cancel: "Cancel order",
};

/** Taking over and ignoring let entries go on: they are for owners. */
const OWNER_CHOICES: ReadonlySet<string> = new Set(["adopt", "ignore"]);

/** A finding with the choices the looker has. */
export function findingRow(
  finding: OpenFinding,
  { role, timeZone }: Pick<Looker, "role" | "timeZone">,
): FindingRow {
  const { accountId, account, key, kind, symbol, since, choices, adoption = "" } = finding;
  const mayChoose = (choice: string) =>
    includesRole(role, OWNER_CHOICES.has(choice) ? "owner" : "trader");
  return {
    ...{ accountId, account, key, sentence: sentence(finding.sentence) },
    title: symbol === null ? FINDINGS[kind] : `${FINDINGS[kind]} (${symbol})`,
    since: dateTime(since, timeZone),
    adoption: adoption === "" || !mayChoose("adopt") ? "" : sentence(adoption),
    choices: choices.filter(mayChoose).map((choice) => ({ choice, label: CHOICES[choice] })),
  };
}

/** Accounts and bots as choices. */
export function scopeGroups({ accounts, bots }: Pick<TradingView, "accounts" | "bots">) {
  const nameOf = new Map(accounts.map(({ id, name }) => [id, name]));
  const groups: ScopeGroup[] = [
    {
      label: "Accounts",
      options: accounts.map(({ id, name, mode }) => ({
        value: `account:${id}`,
        label: `${name} (${mode})`,
      })),
    },
    {
      label: "Bots",
      options: bots.map(({ id, name, accountId }) => ({
        value: `bot:${id}`,
        label: `${name} · ${nameOf.get(accountId) ?? ""}`,
      })),
    },
  ];
  return groups;
}

/** What a level does, in one or two sentences with its size. */
export function effectText(level: KillLevel, effect: EffectPreview): string {
  const { cancelled, canStillFill, positions, bots } = effect;
  const size = `${money(Number(effect.notional), "USDT")} at entry`;
  const held = `${plural(positions.length, "position")} (${size})`;
  if (level === "freeze") {
    const fills =
      canStillFill.length === 0
        ? "No order is at the exchange."
        : `${plural(canStillFill.length, "order")} at the exchange can still be executed.`;
    const stay = positions.length === 0 ? "Nothing is held." : `${held} left as it is.`;
    return `Nothing is sent or cancelled any more for ${plural(bots, "bot")}. ${fills} ${stay}`;
  }
  const gone = `Orders to cancel: ${count(cancelled.length)}, of ${plural(bots, "bot")}.`;
  const closed = positions.length === 0 ? "Nothing is held." : `To close at the market: ${held}.`;
  return `${gone} ${closed} When everything is proven closed, trading is stopped.`;
}

function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** Everything in reach, by what happens to it. */
export function reachGroups(level: KillLevel, effect: EffectPreview): ReachGroup[] {
  const { cancelled, canStillFill, positions } = effect;
  const held = level === "flatten" ? "Positions that are closed" : "Positions that stay";
  return [
    group("Orders that are cancelled", cancelled, orderLine),
    group("Orders that can still be executed", canStillFill, orderLine),
    group(held, positions, positionLine),
  ].filter(({ lines }) => lines.length > 0);
}

function group<T>(title: string, list: readonly T[], line: (each: T) => ReachGroup["lines"][0]) {
  return { title, lines: list.slice(0, LINES_MAX).map(line), more: list.length - LINES_MAX };
}

function orderLine({ side, qty, symbol, price, purpose, isParked, bot }: OrderInReach) {
  const at = price === null ? "" : ` at ${price}`;
  const where = isParked ? ", not at the exchange" : "";
  const what = `${side} ${qty} ${symbol}${at} (${purpose.replace("_", " ")}${where})`;
  return { what, whose: bot };
}

function positionLine({ side, qty, symbol, averageEntry, isProtected, bot }: PositionInReach) {
  const entry = averageEntry === null ? "" : ` from ${averageEntry}`;
  const guard = isProtected ? "stop at the exchange" : "NO protective stop";
  return { what: `${side} ${qty} ${symbol}${entry}, ${guard}`, whose: bot };
}
