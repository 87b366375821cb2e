// Who may take over what a stranger did on the account: the bots of its market whose sides allow it, or a person.
// Used by findings.ts for what is offered and by findings-settle.ts for what was decided; the wish of a page is checked
// here too. Pure.
import { add, compare, type Decimal } from "../../model/decimal.ts";
import type { FindingHeir, FindingView } from "../../model/live-figures.ts";
import type { PositionSide } from "../../model/order.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { Leg } from "../../model/trade-record.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type { Bot, BotId } from "../../ports/bot-store.ts";
import type { NewIntent } from "../../ports/trading-store.ts";
import { type FieldRefusal, refuseField } from "../desk/actor.ts";
import { type BotRunner, ownerOf } from "./bot-runner.ts";
import { type LegHolder, OPERATOR } from "./findings-found.ts";
import { sidesOf } from "./position-needs.ts";

/** Somebody who gets it. */
export type Heir = {
  readonly owner: NewIntent["owner"];
  /** Null for a person. */
  readonly bot: Bot | null;
};

/** A change of a leg that is to be somebody's. */
export type Claim = {
  readonly symbol: string;
  readonly leg: Leg;
  /** Below 0 is sold. */
  readonly change: Decimal;
  readonly holders: readonly LegHolder[];
};

/** A bot that is driven, and whether it knows what it holds. */
export type Candidate = {
  readonly bot: Bot;
  readonly runner: Pick<BotRunner, "isRestored"> | null;
};

/** A person at the exchange, whose positions no bot touches. */
export const PERSON: Heir = { owner: OPERATOR, bot: null };

/** The form's word for a person; an empty field is whoever gets it by itself. */
export const PERSON_TYPED = "person";

const ZERO = "0" as Decimal;

/**
 * Everybody who may have it, whoever gets it unless another is named first: a person who holds something on the leg
 * already, else the only bot, else a person. Empty when nobody can.
 */
export function heirsOf(claim: Claim, running: readonly Candidate[]): readonly Heir[] {
  const bots = running
    .filter((one) => canHave(claim, one))
    .map(({ bot }): Heir => {
      return { owner: ownerOf(bot), bot };
    });
  const before = heldBy(claim, OPERATOR);
  const persons = staysOnLeg(claim, before) ? [PERSON] : [];
  const isPersonFirst = compare(before, ZERO) !== 0 || bots.length !== 1;
  return isPersonFirst ? [...persons, ...bots] : [...bots, ...persons];
}

function canHave(claim: Claim, { bot, runner }: Candidate): boolean {
  if (bot.symbol !== claim.symbol || bot.status === "error" || !runner?.isRestored()) return false;
  const before = heldBy(claim, ownerOf(bot));
  const after = add(before, claim.change);
  const side = sideHeld(before, claim.change);
  const isTurned = compare(after, ZERO) !== 0 && sideOf(after) !== side;
  return !isTurned && staysOnLeg(claim, before) && sidesOf(bot).includes(side);
}

/** A hedge leg holds its own side only: nobody can give more of it than there is. */
function staysOnLeg({ leg, change }: Claim, before: Decimal): boolean {
  const sign = compare(add(before, change), ZERO);
  return leg === "net" || sign === 0 || sign === (leg === "long" ? 1 : -1);
}

function heldBy({ holders }: Claim, owner: string): Decimal {
  return holders.find(({ holder }) => holder === owner)?.signedQty ?? ZERO;
}

/** The side that is held; the one that comes to be held where nothing is. */
export function sideHeld(before: Decimal, change: Decimal): PositionSide {
  return sideOf(compare(before, ZERO) === 0 ? add(before, change) : before);
}

function sideOf(signed: Decimal): PositionSide {
  return compare(signed, ZERO) < 0 ? "short" : "long";
}

/** The heir somebody named. @param named absent for whoever gets it by itself, null for a person */
export function heirNamed(
  heirs: readonly Heir[],
  named: BotId | null | undefined,
): Result<Heir, "not_possible"> {
  const found =
    named === undefined ? heirs[0] : heirs.find(({ bot }) => (bot?.id ?? null) === named);
  if (found !== undefined) return ok(found);
  if (named === undefined) return refuse("not_possible", "nobody here can take it over now");
  const who = named === null ? "a person" : "that bot";
  return refuse("not_possible", `${who} cannot take it over now`);
}

/** The heirs as pages show them. */
export function heirViews(heirs: readonly Heir[]): readonly FindingHeir[] {
  return heirs.map(({ bot }) => ({ botId: bot?.id ?? null, name: bot?.name ?? null }));
}

/**
 * The heir a form names: nothing for whoever gets it by itself, `person`, or the number of a bot.
 * @param bots those of the workspace that are not deleted
 */
export function heirTyped(
  typed: string,
  { symbol, heirs = [] }: Pick<FindingView, "symbol" | "heirs">,
  { accountId, bots }: { readonly accountId: AccountId; readonly bots: readonly Bot[] },
): { readonly ok: true; readonly named: { readonly heir?: BotId | null } } | FieldRefusal {
  const wanted = typed.trim();
  if (wanted === "") return { ok: true, named: {} };
  if (wanted === PERSON_TYPED && heirs.some(({ botId }) => botId === null)) {
    return { ok: true, named: { heir: null } };
  }
  const bot = bots.find(({ id }) => String(id) === wanted);
  const isOffered = bot !== undefined && heirs.some(({ botId }) => botId === bot.id);
  if (isOffered && bot.accountId === accountId && bot.symbol === symbol) {
    return { ok: true, named: { heir: bot.id } };
  }
  const detail = `bot: "${wanted.slice(0, 40)}" cannot take it over; a bot of its market`;
  return refuseField("bot", `${detail} whose sides allow it, or ${PERSON_TYPED}, is allowed`);
}
