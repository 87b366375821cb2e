// One incarnation of a worker as a process: every call it makes to a port goes through here, is numbered,
// and may be its last. A dead process hears no answer any more and its calls do nothing; a frozen one
// hears its answers when it thaws. What was carried out stays carried out, as with real processes.

/** Where a process dies: before a call does anything, or after it did everything. */
export type CrashPoint = {
  /** The n-th call from now on; those of one name alone when `of` is given. */
  readonly call: number;
  /** `store.commitIntents` …; null counts every call. */
  readonly of: string | null;
  readonly when: "before" | "after";
};

/** A process and the strings to pull. */
export type SimProcess = {
  readonly number: number;
  isDead(): boolean;
  isFrozen(): boolean;
  /** Ends at once; answers under way are never heard. */
  kill(): void;
  /** Ends it at a call to come; the last word counts, null takes it back. */
  crashAt(point: CrashPoint | null): void;
  freeze(): void;
  thaw(): void;
  /** The port as this process has it; members named in `plain` answer at once and are no calls. */
  hold<Port extends object>(name: string, port: Port, plain: readonly string[]): Port;
};

/** What a process tells. */
export type ProcessDeps = {
  readonly number: number;
  /** Every call as it begins. */
  readonly onCall: (call: number, name: string) => void;
  /** Once; the call it died in, null when it was ended from outside. */
  readonly onDeath: (call: string | null) => void;
};

type Ice = { readonly until: Promise<void>; readonly thaw: () => void };
type State = {
  readonly deps: ProcessDeps;
  isDead: boolean;
  ice: Ice | null;
  calls: number;
  planned: CrashPoint | null;
  /** Calls of the planned kind until the last one. */
  countdown: number;
};

/** A living process that has called nobody yet. */
export function createSimProcess(deps: ProcessDeps): SimProcess {
  const state: State = {
    ...{ deps, isDead: false, ice: null, calls: 0, planned: null, countdown: 0 },
  };
  return {
    number: deps.number,
    isDead: () => state.isDead,
    isFrozen: () => state.ice !== null,
    kill: () => die(state, null),
    crashAt: (point) => {
      state.planned = point;
      state.countdown = point?.call ?? 0;
    },
    freeze() {
      if (state.ice !== null) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      state.ice = { until: promise, thaw: resolve };
    },
    thaw() {
      state.ice?.thaw();
      state.ice = null;
    },
    hold<Port extends object>(name: string, port: Port, plain: readonly string[]): Port {
      const held = Object.entries(port).map(([member, value]: [string, unknown]) => {
        if (typeof value !== "function" || plain.includes(member)) return [member, value];
        const through = (...given: unknown[]) =>
          call(state, `${name}.${member}`, () => Reflect.apply(value, port, given));
        return [member, through];
      });
      return Object.fromEntries(held);
    },
  };
}

function die(state: State, call: string | null): void {
  if (state.isDead) return;
  state.isDead = true;
  state.deps.onDeath(call);
}

async function thawed(state: State): Promise<void> {
  while (state.ice !== null && !state.isDead) await state.ice.until;
}

async function call(state: State, name: string, carryOut: () => unknown): Promise<unknown> {
  await thawed(state);
  if (state.isDead) return unanswered();
  state.deps.onCall(++state.calls, name);
  const { planned } = state;
  const isMeant = planned !== null && (planned.of ?? name) === name;
  const dies = isMeant && --state.countdown === 0 ? planned.when : null;
  if (dies === "before") {
    die(state, name);
    return unanswered();
  }
  let outcome: { readonly value: unknown } | { readonly error: unknown };
  try {
    outcome = { value: await carryOut() };
  } catch (error) {
    outcome = { error };
  }
  await thawed(state);
  if (dies === "after") die(state, name);
  if (state.isDead) return unanswered();
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/** What a dead process waits for; one of its own for each, so that nothing keeps it in memory. */
function unanswered(): Promise<never> {
  return new Promise(() => undefined);
}
