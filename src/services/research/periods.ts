// Saved periods: named windows of a workspace that the backtest form offers. Called by the pages. A refused
// period changes nothing; every change is audited.
import { DAY_MS, type EpochMs, isoUtc } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { NewPeriod, Period, PeriodId, PeriodStore } from "../../ports/period-store.ts";
import { type Actor, type FieldRefusal, noteAct, refuseField } from "../desk/actor.ts";

/** Most saved periods of a workspace. */
export const PERIODS_MAX = 100;
/** Longest name. */
export const PERIOD_NAME_CHARS_MAX = 60;
/** No exchange has older candles. */
const EARLIEST_AT = Date.UTC(2009, 0, 1);
/** How far ahead a period may end: a window of the near future is filled by downloads. */
const AHEAD_MS = 366 * DAY_MS;

/** What the service needs. */
export type PeriodsDeps = {
  readonly periods: PeriodStore;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
};

/** Why a change did not happen. */
export type PeriodRefusal =
  FieldRefusal | { readonly ok: false; readonly reason: "unknown_period" };

/** The outcome of a change. */
export type PeriodOutcome = { readonly ok: true; readonly period: Period } | PeriodRefusal;

/** Saved periods of a workspace; those of another do not exist for the caller. */
export type Periods = {
  /** By name. */
  list(scope: Scope): Promise<Period[]>;
  create(actor: Actor, wish: NewPeriod): Promise<PeriodOutcome>;
  /** Renames it, keeping its range. */
  rename(actor: Actor, id: PeriodId, name: string): Promise<PeriodOutcome>;
  /** False when there is no such period. */
  remove(actor: Actor, id: PeriodId): Promise<boolean>;
};

/** Builds the service. */
export function createPeriods(deps: PeriodsDeps): Periods {
  const { periods } = deps;
  return {
    list: (scope) => periods.list(scope),
    create: (actor, wish) => create(deps, actor, wish),
    rename: (actor, id, name) => rename(deps, actor, id, name),
    async remove(actor, id) {
      const known = (await periods.list(actor.scope)).find((period) => period.id === id);
      if (!known || !(await periods.remove(actor.scope, id))) return false;
      const object = `period:${id}`;
      await noteAct(deps, actor, { action: "period_deleted", object, before: shown(known) });
      return true;
    },
  };
}

function shown({ name, fromAt, toAt }: NewPeriod) {
  return { name, from: isoUtc(fromAt), to: isoUtc(toAt) };
}

function nameProblem(name: string): string | undefined {
  const length = [...name].length;
  if (length >= 1 && length <= PERIOD_NAME_CHARS_MAX) return undefined;
  return `the name has ${length} characters; it must have 1 to ${PERIOD_NAME_CHARS_MAX}`;
}

function rangeProblem({ fromAt, toAt }: NewPeriod, now: EpochMs): string | undefined {
  const isInstant = (at: number) =>
    Number.isInteger(at) && at >= EARLIEST_AT && at <= now + AHEAD_MS;
  if (!isInstant(fromAt) || !isInstant(toAt)) {
    return "the period must lie between 2009 and a year from now";
  }
  return toAt > fromAt ? undefined : "the end of the period must be after its start";
}

async function create(deps: PeriodsDeps, actor: Actor, wish: NewPeriod): Promise<PeriodOutcome> {
  const { periods, clock } = deps;
  const period = { ...wish, name: wish.name.trim() };
  const unnamed = nameProblem(period.name);
  if (unnamed !== undefined) return refuseField("name", unnamed);
  const wrong = rangeProblem(period, clock.now());
  if (wrong !== undefined) return refuseField("range", wrong);
  const present = await periods.list(actor.scope);
  if (present.length >= PERIODS_MAX) {
    return refuseField("name", `there are ${present.length} periods, the most allowed`);
  }
  const made = await periods.create(actor.scope, period, clock.now());
  if (!made.ok) return refuseField("name", made.detail);
  const object = `period:${made.value.id}`;
  await noteAct(deps, actor, { action: "period_created", object, after: shown(made.value) });
  return { ok: true, period: made.value };
}

async function rename(
  deps: PeriodsDeps,
  actor: Actor,
  id: PeriodId,
  typed: string,
): Promise<PeriodOutcome> {
  const { periods, clock } = deps;
  const known = (await periods.list(actor.scope)).find((period) => period.id === id);
  if (!known) return { ok: false, reason: "unknown_period" };
  const name = typed.trim();
  const unnamed = nameProblem(name);
  if (unnamed !== undefined) return refuseField("name", unnamed);
  const { fromAt, toAt } = known;
  const changed = await periods.change(actor.scope, id, { name, fromAt, toAt }, clock.now());
  if (!changed.ok) {
    const { reason, detail } = changed;
    return reason === "unknown_period" ? { ok: false, reason } : refuseField("name", detail);
  }
  await noteAct(deps, actor, {
    action: "period_renamed",
    object: `period:${id}`,
    before: shown(known),
    after: shown(changed.value),
  });
  return { ok: true, period: changed.value };
}
