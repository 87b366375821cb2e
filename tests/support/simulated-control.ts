// Trading states in memory on the rows of a simulated store, and wake-ups that can get lost or late. For
// simulations and as the second opinion of the control contract.
import type { Scope, WorkspaceId } from "../../src/ports/access-store.ts";
import type { Bus, Topic } from "../../src/ports/bus.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type {
  ControlRows,
  ControlStore,
  ScopeState,
  TradingScope,
} from "../../src/ports/control-store.ts";
import type { SimulatedStore } from "./simulated-store.ts";

const CHANGES_MAX = 100;

/** A bus and the strings to pull. */
export type SimulatedBus = {
  readonly bus: Bus;
  /** Messages sent while this is set reach nobody. */
  isDeaf: boolean;
  /** How long messages travel. */
  delayMs: number;
  /** As after a lost connection: every listener hears null. */
  reconnect(): void;
};

/** Wake-ups between the parts of one simulation. */
export function createSimulatedBus(clock: Pick<Clock, "sleep">): SimulatedBus {
  const listeners = new Map<object, { topic: Topic; onWake: (payload: string | null) => void }>();
  const tell = (topic: Topic, payload: string) => {
    for (const listener of [...listeners.values()]) {
      if (listener.topic === topic) listener.onWake(payload);
    }
  };
  const simulated: SimulatedBus = {
    bus: {
      notify: async (topic, payload) => {
        if (simulated.isDeaf) return;
        if (simulated.delayMs === 0) tell(topic, payload);
        else void clock.sleep(simulated.delayMs).then(() => tell(topic, payload));
      },
      listen: async (topic, onWake) => {
        const key = {};
        listeners.set(key, { topic, onWake });
        onWake(null);
        return {
          stop: async () => {
            listeners.delete(key);
          },
        };
      },
    },
    isDeaf: false,
    delayMs: 0,
    reconnect: () => {
      for (const { onWake } of [...listeners.values()]) onWake(null);
    },
  };
  return simulated;
}

/**
 * Trading states beside the epochs of a simulated store: its ordered failures and crashes strike here too.
 * @param workspaces those of the installation, for `readAll`
 */
export function createSimulatedControl(
  { inside: { world, write } }: Pick<SimulatedStore, "inside">,
  bus: Bus,
  workspaces: readonly WorkspaceId[],
): ControlStore {
  // By epoch: states whose epoch was never committed are never seen.
  const history = new Map<WorkspaceId, Map<number, readonly ScopeState[]>>();
  const rowsAt = (workspaceId: WorkspaceId, epoch: number): ControlRows => ({
    epoch,
    states: history.get(workspaceId)?.get(epoch) ?? [NEVER_SWITCHED_ON],
  });
  const rowsOf = (workspaceId: WorkspaceId) =>
    rowsAt(workspaceId, world.epochs.get(workspaceId) ?? 1);

  return {
    read: async ({ workspaceId }: Scope) => rowsOf(workspaceId),
    readAll: async () => new Map(workspaces.map((id) => [id, rowsOf(id)])),
    setStates: async ({ workspaceId }, changes, at) => {
      if (changes.length < 1 || changes.length > CHANGES_MAX) throw new Error("too many changes");
      if (changes.some(({ reason }) => reason.length < 1 || reason.length > 300)) {
        throw new Error("a reason has 1 to 300 characters");
      }
      let raised = 0;
      try {
        return await write((draft) => {
          const seen = draft.epochs.get(workspaceId) ?? 1;
          raised = seen + 1;
          let { states } = rowsAt(workspaceId, seen);
          for (const change of changes) states = replaced(states, { ...change, changedAt: at });
          draft.epochs.set(workspaceId, raised);
          // What is seen until the commit, and what is seen after it.
          const before = rowsAt(workspaceId, seen).states;
          history.set(
            workspaceId,
            new Map([
              [seen, before],
              [raised, states],
            ]),
          );
          return { epoch: raised, states };
        });
      } finally {
        // A commit whose answer is lost wakes the others all the same.
        if (world.epochs.get(workspaceId) === raised) {
          await bus.notify("control", String(workspaceId));
        }
      }
    },
  };
}

const NEVER_SWITCHED_ON: ScopeState = {
  scope: { kind: "live" },
  state: "frozen",
  reason: "live trading was never switched on",
  actor: "dragon",
  changedAt: 0,
};

function replaced(states: readonly ScopeState[], change: ScopeState): readonly ScopeState[] {
  const key = keyOf(change.scope);
  const isKnown = states.some(({ scope }) => keyOf(scope) === key);
  if (!isKnown) return [...states, change];
  return states.map((state) => (keyOf(state.scope) === key ? change : state));
}

function keyOf(scope: TradingScope): string {
  return JSON.stringify([
    scope.kind,
    scope.kind === "account" ? scope.accountId : 0,
    scope.kind === "bot" ? scope.botId : 0,
  ]);
}
