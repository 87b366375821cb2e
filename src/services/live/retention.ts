// Lets go of what is old, once a day and a little at a time: events, samples of equity, commands that were
// carried out, last figures of removed bots. Built by the composition root in every process; one of them does
// it. Orders, fills, the ledger and the audit log are never touched: the store cannot.
import { InputError, ok, refuse, type Result } from "../../model/result.ts";
import { DAY_MS } from "../../model/time.ts";
import type { Scope, WorkspaceId } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { RetentionStore } from "../../ports/retention-store.ts";
import type { Json, SettingsStore } from "../../ports/settings-store.ts";
import { type Actor, noteAct } from "../desk/actor.ts";

/** How long what is kept. */
export type RetentionRules = {
  readonly eventDays: number;
  /** Of all events of a workspace; the oldest go first. */
  readonly eventMegabytes: number;
  /** Samples of equity this young are all kept, older ones once an hour. */
  readonly fullSampleDays: number;
  readonly sampleDays: number;
  readonly commandDays: number;
};

/** A rule as a form shows it. */
export type RetentionRule = {
  readonly name: keyof RetentionRules;
  readonly standard: number;
  readonly min: number;
  readonly max: number;
};

/** Every rule with its default and its range. */
export const RETENTION_RULES: readonly RetentionRule[] = [
  { name: "eventDays", standard: 90, min: 7, max: 3650 },
  { name: "eventMegabytes", standard: 200, min: 10, max: 100_000 },
  { name: "fullSampleDays", standard: 30, min: 1, max: 3650 },
  { name: "sampleDays", standard: 400, min: 30, max: 3650 },
  { name: "commandDays", standard: 90, min: 7, max: 3650 },
];

/** Rows that went, by what they were. */
export type Swept = {
  readonly events: number;
  readonly samples: number;
  readonly commands: number;
  readonly snapshots: number;
};

/** What retention is built from. */
export type RetentionDeps = {
  readonly store: RetentionStore;
  readonly settings: Pick<SettingsStore, "read" | "write" | "readInstance" | "writeInstance">;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
  readonly log: Log;
};

/** Retention of an installation. */
export type Retention = {
  /** The rules of a workspace, and the revision a change has to name. */
  rules(scope: Scope): Promise<{ readonly rules: RetentionRules; readonly revision: number }>;
  /** Takes all rules or none; audited. */
  change(
    actor: Actor,
    wish: RetentionRules,
    seenRevision: number,
  ): Promise<Result<RetentionRules, "refused" | "revision_changed">>;
  /** Removes what is old in one workspace, now. @throws the signal's reason */
  sweep(scope: Scope, signal: AbortSignal): Promise<Swept>;
  /** Sweeps every workspace once a day, at a start too when the last time is long ago; never rejects. */
  run(signal: AbortSignal): Promise<void>;
};

const RULES_KEY = "retention.rules";
const LAST_KEY = "retention.last_at";
const LOOK_EVERY_MS = 3_600_000;
/** One batch holds its locks for some milliseconds; between two others come first. */
const BATCH_ROWS = 2000;
const BATCH_PAUSE_MS = 20;
/** Of one kind in one sweep; what is left goes the next day. */
const BATCHES_MAX = 5000;
const MEGABYTE = 1_000_000;
/** Somebody may still look at a bot that was removed a moment ago. */
const SNAPSHOT_DAYS = 1;

/** Retention over its stores; nothing is removed before `sweep` or `run`. */
export function createRetention(deps: RetentionDeps): Retention {
  const { settings, clock } = deps;

  async function rules(scope: Scope) {
    const stored = await settings.read(scope, RULES_KEY);
    return { rules: rulesOf(stored?.value ?? null), revision: stored?.revision ?? 0 };
  }

  async function change(actor: Actor, wish: RetentionRules, seenRevision: number) {
    const wrong = problemOf(wish);
    if (wrong !== null) return refuse("refused", wrong);
    const before = (await rules(actor.scope)).rules;
    const value = { ...wish };
    const written = await settings.write(
      actor.scope,
      { key: RULES_KEY, value, expectedRevision: seenRevision },
      clock.now(),
    );
    if (!written.ok) return refuse("revision_changed", written.detail);
    const what = { action: "retention_changed", object: `setting:${RULES_KEY}` };
    await noteAct(deps, actor, { ...what, before: { ...before }, after: value });
    return ok(wish);
  }

  const sweep = async (scope: Scope, signal: AbortSignal) =>
    await sweepOne(deps, scope, (await rules(scope)).rules, signal);

  return { rules, change, sweep, run: (signal) => runDaily(deps, sweep, signal) };
}

/** The stored rules; what is missing or out of range is the default. */
function rulesOf(stored: Json): RetentionRules {
  const values = typeof stored === "object" && stored !== null ? { ...stored } : {};
  const of = ({ name, standard, min, max }: RetentionRule): [keyof RetentionRules, number] => {
    const value: unknown = Reflect.get(values, name);
    const isGood = typeof value === "number" && Number.isInteger(value);
    return [name, isGood && value >= min && value <= max ? value : standard];
  };
  const found = new Map(RETENTION_RULES.map(of));
  const read = (name: keyof RetentionRules) => found.get(name) ?? 0;
  return {
    eventDays: read("eventDays"),
    eventMegabytes: read("eventMegabytes"),
    fullSampleDays: read("fullSampleDays"),
    sampleDays: read("sampleDays"),
    commandDays: read("commandDays"),
  };
}

function problemOf(wish: RetentionRules): string | null {
  for (const { name, min, max } of RETENTION_RULES) {
    const value = wish[name];
    if (!Number.isInteger(value) || value < min || value > max) {
      return `${name}: "${value}" must be a whole number from ${min} to ${max}`;
    }
  }
  if (wish.fullSampleDays <= wish.sampleDays) return null;
  return `fullSampleDays: ${wish.fullSampleDays} must not be above sampleDays (${wish.sampleDays})`;
}

async function sweepOne(
  { store, clock, log }: RetentionDeps,
  scope: Scope,
  rules: RetentionRules,
  signal: AbortSignal,
): Promise<Swept> {
  const now = clock.now();
  const before = (days: number) => now - days * DAY_MS;
  const all = (remove: (limit: number) => Promise<number>, rows = Number.POSITIVE_INFINITY) =>
    inBatches(clock, signal, remove, rows);
  let events = await all((limit) => store.removeEvents(scope, before(rules.eventDays), limit));
  const size = await store.eventSize(scope);
  const excess = size.bytes - rules.eventMegabytes * MEGABYTE;
  if (excess > 0) {
    const rows = Math.ceil((size.rows * excess) / size.bytes);
    events += await all((limit) => store.removeOldestEvents(scope, limit), rows);
  }
  const commands = await all((limit) =>
    store.removeCommands(scope, before(rules.commandDays), limit),
  );
  const snapshots = await all((limit) =>
    store.removeSnapshots(scope, before(SNAPSHOT_DAYS), limit),
  );
  let samples = 0;
  for (const accountId of await store.accounts(scope)) {
    const [old, older] = [before(rules.fullSampleDays), before(rules.sampleDays)];
    samples += await all((limit) => store.removeSamples(scope, accountId, older, limit));
    samples += await all((limit) => store.thinSamples(scope, accountId, old, limit));
  }
  const swept = { events, samples, commands, snapshots };
  const rows = events + samples + commands + snapshots;
  if (rows > 0) log.info("old rows were removed", { workspace: scope.workspaceId, ...swept });
  return swept;
}

/** Removes batch after batch until there is nothing left, or so many rows are gone. */
async function inBatches(
  clock: Clock,
  signal: AbortSignal,
  remove: (limit: number) => Promise<number>,
  rows: number,
): Promise<number> {
  let removed = 0;
  for (let batch = 0; batch < BATCHES_MAX && removed < rows; batch++) {
    signal.throwIfAborted();
    const limit = Math.min(BATCH_ROWS, rows - removed);
    const count = await remove(limit);
    removed += count;
    if (count < limit) break;
    await clock.sleep(BATCH_PAUSE_MS, signal);
  }
  return removed;
}

async function runDaily(
  deps: RetentionDeps,
  sweep: Retention["sweep"],
  signal: AbortSignal,
): Promise<void> {
  const { store, clock, log } = deps;
  while (!signal.aborted) {
    try {
      const isOurs = await claimDay(deps);
      for (const workspaceId of isOurs ? await store.workspaces() : []) {
        await sweep(scopeOf(workspaceId), signal);
      }
    } catch (error) {
      if (!signal.aborted) log.warn("old rows could not be removed", { error });
    }
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

/** Whether a day has gone by and no other process was quicker to see it. */
async function claimDay({ settings, clock }: RetentionDeps): Promise<boolean> {
  const now = clock.now();
  const stored = await settings.readInstance(LAST_KEY);
  const last = typeof stored?.value === "number" ? stored.value : 0;
  // A clock that was set back must not put it off for years.
  if (last <= now && now - last < DAY_MS) return false;
  const change = { key: LAST_KEY, value: now, expectedRevision: stored?.revision ?? 0 };
  return (await settings.writeInstance(change, null, now)).ok;
}

/** The program itself acts for a workspace. */
function scopeOf(workspaceId: WorkspaceId): Scope {
  return { workspaceId, userId: null, role: "owner" };
}

/**
 * The rules as a form sends them.
 * @throws InputError naming the field that is missing or no number
 */
export function readRules(field: (name: string) => string | undefined): RetentionRules {
  const read = (name: keyof RetentionRules) => {
    const text = field(name)?.trim() ?? "";
    if (!/^\d{1,6}$/.test(text)) {
      throw new InputError(`${name}: "${text.slice(0, 20)}" must be a whole number`);
    }
    return Number(text);
  };
  return {
    eventDays: read("eventDays"),
    eventMegabytes: read("eventMegabytes"),
    fullSampleDays: read("fullSampleDays"),
    sampleDays: read("sampleDays"),
    commandDays: read("commandDays"),
  };
}
