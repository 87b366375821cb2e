// What every control store must do: states and the epoch change together, nothing commits under an older
// epoch, and everyone is woken. Run on the simulated store and on real PostgreSQL by control.test.ts.
import { expect } from "bun:test";
import type { Bus } from "../../src/ports/bus.ts";
import type { BotId } from "../../src/ports/bot-store.ts";
import type { ControlStore, ScopeState, StateChange } from "../../src/ports/control-store.ts";
import { leased, type StoreWorld } from "../support/store-world.ts";
import { anIntent, idOf, START } from "../support/trading.ts";

/** A workspace with its trading states. */
export type ControlWorld = StoreWorld & { readonly control: ControlStore; readonly bus: Bus };

/** Registers one test of a control store. */
export type ControlTest = (name: string, body: (world: ControlWorld) => Promise<void>) => void;

const HALT: StateChange = {
  scope: { kind: "global" },
  state: "halted",
  reason: "stopped by hand",
  actor: "ann@example.org",
};

const NEVER = { state: "frozen", reason: "live trading was never switched on", actor: "dragon" };

/** Trading states and their epoch. */
export function controlContract(register: ControlTest): void {
  states(register);
  epochs(register);
}

function states(register: ControlTest): void {
  register("a fresh workspace begins at epoch 1 with live trading off", async (world) => {
    const { control, store, scope, stranger } = world;
    const rows = await control.read(scope);
    expect(rows).toMatchObject({ epoch: 1, states: [{ scope: { kind: "live" }, ...NEVER }] });
    expect(await store.epoch(scope)).toBe(1);
    expect(await control.read(scope)).toEqual(rows);
    // A read of everything begins those that nobody looked at before.
    const all = await control.readAll();
    expect(all.get(scope.workspaceId)).toEqual(rows);
    expect(all.get(stranger.workspaceId)).toMatchObject({ epoch: 1, states: [NEVER] });
    expect(await store.epoch(stranger)).toBe(1);
  });

  register("an epoch that is asked for first begins the workspace with live off", async (world) => {
    const { control, store, scope } = world;
    expect(await store.epoch(scope)).toBe(1);
    expect((await control.read(scope)).states).toMatchObject([NEVER]);
  });

  register("changes of every scope are taken together and raise the epoch once", async (world) => {
    const { control, store, scope, newAccount } = world;
    const accountId = await newAccount();
    const botId = 7 as BotId;
    const changes: readonly StateChange[] = [
      HALT,
      { ...HALT, scope: { kind: "live" }, state: "active", reason: "armed" },
      { ...HALT, scope: { kind: "account", accountId }, state: "reducing", reason: "a limit" },
      { ...HALT, scope: { kind: "bot", botId }, state: "frozen", reason: "asked for" },
    ];
    const changed = await control.setStates(scope, changes, START);
    expect(changed.epoch).toBe(2);
    expect(sorted(changed.states)).toEqual(
      sorted(changes.map((change) => ({ ...change, changedAt: START }))),
    );
    expect(await control.read(scope)).toEqual(changed);
    expect((await control.readAll()).get(scope.workspaceId)).toEqual(changed);
    expect(await store.epoch(scope)).toBe(2);
  });

  register("the last of two changes of one scope stays", async ({ control, scope }) => {
    const resumed = { ...HALT, state: "active", reason: "resumed" } as const;
    const { epoch, states } = await control.setStates(scope, [HALT, resumed], START);
    expect(epoch).toBe(2);
    const everywhere = states.filter(({ scope: { kind } }) => kind === "global");
    expect(everywhere).toEqual([{ ...resumed, changedAt: START }]);
  });

  register("a change to the state that is there renews reason and actor", async (world) => {
    const { control, scope } = world;
    await control.setStates(scope, [HALT], START);
    const again = { ...HALT, reason: "stopped again", actor: "bob@example.org" };
    const { epoch, states } = await control.setStates(scope, [again], START + 1);
    expect(epoch).toBe(3);
    expect(states).toContainEqual({ ...again, changedAt: START + 1 });
    expect(states).toHaveLength(2);
  });

  register("what cannot be written leaves states and epoch as they were", async (world) => {
    const { control, scope } = world;
    const before = await control.read(scope);
    const long = { ...HALT, reason: "x".repeat(301) };
    await expect(control.setStates(scope, [HALT, long], START)).rejects.toThrow();
    await expect(control.setStates(scope, [], START)).rejects.toThrow();
    await expect(control.setStates(scope, Array(101).fill(HALT), START)).rejects.toThrow();
    expect(await control.read(scope)).toEqual(before);
  });

  register("another workspace sees nothing of a change", async (world) => {
    const { control, store, scope, stranger } = world;
    await control.setStates(scope, [HALT], START);
    expect(await control.read(stranger)).toMatchObject({ epoch: 1, states: [NEVER] });
    expect(await store.epoch(stranger)).toBe(1);
  });

  register("a change wakes whoever listens, with the workspace", async (world) => {
    const { control, bus, scope } = world;
    const heard: (string | null)[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const { stop } = await bus.listen("control", (payload) => {
      heard.push(payload);
      if (payload !== null) resolve();
    });
    expect(heard).toEqual([null]);
    await control.setStates(scope, [HALT], START);
    await promise;
    expect(heard).toEqual([null, String(scope.workspaceId)]);
    await stop();
  });
}

function epochs(register: ControlTest): void {
  register("nothing commits under an epoch that has passed", async (world) => {
    const { control, store, scope } = world;
    const lease = await leased(world);
    const seen = await store.epoch(scope);
    expect((await control.setStates(scope, [HALT], START)).epoch).toBe(seen + 1);
    const batch = { place: [anIntent({ clientOrderId: idOf(lease, 0) })], send: [] };
    const late = await store.commitIntents(scope, lease, seen, batch, START);
    expect(late).toMatchObject({ ok: false, reason: "epoch_moved" });
    expect(await store.aliveIntents(scope, lease.accountId)).toEqual([]);
    const now = await store.commitIntents(scope, lease, seen + 1, batch, START);
    expect(now).toMatchObject({ ok: true });
  });

  register("a kill and twenty commits at once leave no intent behind the kill", async (world) => {
    const { control, store, scope } = world;
    const lease = await leased(world);
    const seen = await store.epoch(scope);
    const commit = (n: number) => {
      const batch = { place: [anIntent({ clientOrderId: idOf(lease, n) })], send: [] };
      return store.commitIntents(scope, lease, seen, batch, START);
    };
    const early = [...Array(10).keys()].map(commit);
    const kill = control.setStates(scope, [HALT], START).then(async () => {
      return (await store.aliveIntents(scope, lease.accountId)).length;
    });
    const late = [...Array(10).keys()].map((n) => commit(n + 10));
    const answers = await Promise.all([...early, ...late]);
    const made = answers.filter(({ ok }) => ok).length;
    expect(await kill).toBe(made);
    expect((await store.aliveIntents(scope, lease.accountId)).length).toBe(made);
  });
}

function sorted(list: readonly ScopeState[]): readonly ScopeState[] {
  return [...list].sort((a, b) => a.scope.kind.localeCompare(b.scope.kind));
}
