// Tells people what needs them: looks at durable events and trading states, and hands what is loud to the queue of
// outgoing messages. Built by the composition root; nothing that trades calls it or waits for it.
import { EVENT_KINDS, type EventKind } from "../../model/event-kinds.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope, WorkspaceId } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { BotStore, StoredEvent } from "../../ports/bot-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ControlRows, ControlStore, ScopeState } from "../../ports/control-store.ts";
import type { Log } from "../../ports/log.ts";
import type { Alarm, Delivery, Notifier } from "../../ports/notifier.ts";
import { type Actor, type FieldRefusal, noteAct } from "../desk/actor.ts";
import { type AlarmQueue, createAlarmQueue, LOCKED } from "./alarm-queue.ts";
import {
  dropTarget,
  openTarget,
  storeTarget,
  type TargetDeps,
  targetView,
  type TargetView,
  type TypedTarget,
} from "./alarm-settings.ts";
import { scopeKey } from "./trading-scopes.ts";

/** Told beside every event of severity error. */
export const NAMED_ALARMS: ReadonlySet<EventKind> = new Set<EventKind>([
  "account_risk_block",
  "dead_man_unavailable",
  "exchange_degraded_block",
  "flatten_blocked",
  "flatten_completed",
  "flatten_started",
  "job_lease_reclaimed",
  "order_missing_cancelled",
  "reconcile_failed",
  "stranger_order",
]);

/** What the service works with. */
export type AlarmsDeps = TargetDeps & {
  readonly notifier: Notifier;
  readonly bots: Pick<BotStore, "events">;
  readonly control: Pick<ControlStore, "readAll">;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
  readonly log: Log;
};

/** How the last message ended. */
export type LastAlarm = {
  readonly at: EpochMs;
  readonly title: string;
  readonly delivery: Delivery;
};

/** Alarms of this process. */
export type Alarms = {
  /** Null while nobody will be told. */
  target(scope: Scope): Promise<(TargetView & { readonly last: LastAlarm | null }) | null>;
  /** @returns a signing secret that was made here, to be shown once */
  save(
    actor: Actor,
    typed: TypedTarget,
  ): Promise<{ readonly ok: true; readonly madeSecret: string | null } | FieldRefusal>;
  off(actor: Actor): Promise<void>;
  /** Sends one message now, past the queue. Null while there is no target. */
  test(actor: Actor): Promise<Delivery | null>;
  /** Looks and sends until the signal; never rejects. */
  run(signal: AbortSignal): Promise<void>;
};

const LOOK_EVERY_MS = 3000;
/** Events of one page of a look, and pages: older ones than these are too many to be told. */
const EVENTS_MAX = 500;
const PAGES_MAX = 5;
/** Mostly nothing happened since the last look. */
const FIRST_PAGE = 20;
const LASTS_MAX = 1000;

type State = {
  readonly queue: AlarmQueue;
  /** The newest event that was looked at, by workspace. */
  readonly seen: Map<WorkspaceId, number>;
  readonly states: Map<WorkspaceId, ControlRows>;
  readonly ended: (workspaceId: WorkspaceId, alarm: Alarm, delivery: Delivery) => void;
};

/** Builds the service. */
export function createAlarms(deps: AlarmsDeps): Alarms {
  const { clock, log, notifier } = deps;
  const lasts = new Map<WorkspaceId, LastAlarm>();
  const ended: State["ended"] = (workspaceId, { title, kind }, delivery) => {
    if (lasts.size >= LASTS_MAX) lasts.clear();
    lasts.set(workspaceId, { at: clock.now(), title, delivery });
    if (delivery.outcome === "failed") log.error(`nobody was told: ${delivery.sentence}`, { kind });
  };
  const queue = createAlarmQueue({ notifier, clock, log });
  const state: State = { queue, ended, seen: new Map(), states: new Map() };
  return {
    async target(scope) {
      const view = await targetView(deps, scope);
      return view && { ...view, last: lasts.get(scope.workspaceId) ?? null };
    },
    async save(actor, typed) {
      const stored = await storeTarget(deps, actor.scope, typed, clock.now());
      if (!stored.ok) return stored;
      const shown = await targetView(deps, actor.scope);
      const after = shown && { kind: shown.kind, place: shown.place };
      await noteAct(deps, actor, { action: "alarms_changed", object: "setting:alarms", after });
      return stored;
    },
    async off(actor) {
      await dropTarget(deps, actor.scope, clock.now());
      await noteAct(deps, actor, { action: "alarms_removed", object: "setting:alarms" });
    },
    async test(actor) {
      const target = await openTarget(deps, actor.scope);
      if (target === null) return null;
      const alarm = testAlarm(actor, clock.now());
      const { signal } = new AbortController();
      const delivery = target === "locked" ? LOCKED : await notifier.deliver(target, alarm, signal);
      ended(actor.scope.workspaceId, alarm, delivery);
      return delivery;
    },
    async run(signal) {
      await Promise.all([queue.run(signal), watch(deps, state, signal)]);
    },
  };
}

function testAlarm({ scope, user }: Actor, at: EpochMs): Alarm {
  const sentence = `${user.email} asked for this message. Alarms of Dragon arrive here.`;
  return {
    ...{ id: idOf(scope.workspaceId, `test-${at}`), kind: "test", subject: "test" },
    ...{ severity: "info", at, title: "Dragon: test message", sentence },
  };
}

function idOf(workspaceId: WorkspaceId, rest: string): string {
  return `msg_${workspaceId}_${rest}`;
}

async function watch(deps: AlarmsDeps, state: State, signal: AbortSignal): Promise<void> {
  const { clock, log } = deps;
  while (!signal.aborted) {
    try {
      for (const [workspaceId, rows] of await deps.control.readAll()) {
        lookAtStates(deps, state, workspaceId, rows);
        await lookAtEvents(deps, state, workspaceId);
      }
    } catch (error) {
      log.warn("events could not be looked at for alarms", { error });
    }
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

function scopeOf(workspaceId: WorkspaceId): Scope {
  return { workspaceId, userId: null, role: "owner" };
}

function push(
  deps: AlarmsDeps,
  { queue, ended }: State,
  workspaceId: WorkspaceId,
  { rest, once, ...told }: Omit<Alarm, "id"> & { readonly rest: string; readonly once: string },
): void {
  const alarm = { ...told, id: idOf(workspaceId, rest) };
  queue.push(`${workspaceId} ${once}`, {
    alarm,
    target: () => openTarget(deps, scopeOf(workspaceId)),
    onEnd: (delivery) => ended(workspaceId, alarm, delivery),
  });
}

/** Every change of a state is told, however often: it is somebody's doing. */
function lookAtStates(
  deps: AlarmsDeps,
  state: State,
  workspaceId: WorkspaceId,
  rows: ControlRows,
): void {
  const before = state.states.get(workspaceId);
  state.states.set(workspaceId, rows);
  if (before === undefined || before.epoch === rows.epoch) return;
  for (const row of rows.states) {
    const known = before.states.find((each) => scopeKey(each.scope) === scopeKey(row.scope));
    if (known?.state === row.state) continue;
    push(deps, state, workspaceId, stateAlarm(row, rows.epoch));
  }
}

function stateAlarm(row: ScopeState, epoch: number) {
  const subject = scopeKey(row.scope);
  const rest = `state-${epoch}-${subject}`;
  const kind = "trading_state_changed";
  const sentence = `${subject} is ${row.state}: ${row.reason} (${row.actor}).`;
  const severity = row.state === "active" ? ("info" as const) : ("warning" as const);
  const title = `Dragon: ${subject} is ${row.state}`;
  return { kind, subject, severity, at: row.changedAt, title, sentence, rest, once: rest };
}

async function lookAtEvents(deps: AlarmsDeps, state: State, workspaceId: WorkspaceId) {
  const seen = state.seen.get(workspaceId);
  const all = { accountId: null, botId: null, severities: null };
  const page = (beforeId: number | null, limit: number) =>
    deps.bots.events(scopeOf(workspaceId), { ...all, beforeId, limit });
  if (seen === undefined) {
    // What happened before this process began was told by its predecessor, or is old.
    const [newest] = await page(null, 1);
    state.seen.set(workspaceId, newest?.id ?? 0);
    return;
  }
  const fresh: StoredEvent[] = [];
  for (let n = 0; n < PAGES_MAX; n++) {
    const events = await page(fresh.at(-1)?.id ?? null, n === 0 ? FIRST_PAGE : EVENTS_MAX);
    const later = events.filter(({ id }) => id > seen);
    fresh.push(...later);
    if (later.length < events.length || later.length === 0) break;
  }
  state.seen.set(workspaceId, fresh[0]?.id ?? seen);
  for (const event of fresh.reverse()) {
    if (isLoud(event)) push(deps, state, workspaceId, eventAlarm(event));
  }
}

function isLoud({ kind, severity }: StoredEvent): boolean {
  return severity === "error" || NAMED_ALARMS.has(kind);
}

function eventAlarm({ id, kind, severity, at, sentence, botId, accountId }: StoredEvent) {
  const subject = botId === null ? `account:${accountId}` : `bot:${botId}`;
  const title = `Dragon: ${EVENT_KINDS[kind].sentence}`;
  return {
    kind,
    subject,
    severity,
    at,
    title,
    sentence,
    rest: `event-${id}`,
    once: `${kind} ${subject}`,
  };
}
