// The cells of the trading states on a virtual clock: the strictest scope, wake-ups that come, get lost or
// are late, reads that fail or hang, and what a cell says that nobody could read.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import type { OrderPurpose } from "../../../src/model/order.ts";
import type { Scope, WorkspaceId } from "../../../src/ports/access-store.ts";
import type { AccountId, AccountMode } from "../../../src/ports/account-store.ts";
import type { BotId } from "../../../src/ports/bot-store.ts";
import type { ControlStore, StateChange, TradingScope } from "../../../src/ports/control-store.ts";
import {
  mustWithdraw,
  permits,
  strictest,
  type TradingState,
} from "../../../src/risk/trading-state.ts";
import { createControl } from "../../../src/services/live/control.ts";
import { virtualClock } from "../../adapters/resilience/virtual-clock.ts";
import { silentLog } from "../../support/silent-log.ts";
import { createSimulatedBus, createSimulatedControl } from "../../support/simulated-control.ts";
import { createSimulatedStore } from "../../support/simulated-store.ts";
import { START } from "../../support/trading.ts";

const scope: Scope = { workspaceId: 1 as WorkspaceId, userId: null, role: "owner" };
const STATES: readonly TradingState[] = ["active", "reducing", "halted", "frozen"];
const PURPOSES: readonly OrderPurpose[] = [
  ...(["entry", "rung", "take_profit", "exit", "protective_stop", "flatten"] as const),
];
const ACCOUNT = 1 as AccountId;
const BOT = 7 as BotId;

const set = (of: TradingScope, state: TradingState, reason: string = of.kind): StateChange => ({
  ...{ scope: of, state, reason, actor: "dragon" },
});
const accountOf = (mode: AccountMode) => ({ scope, accountId: ACCOUNT, mode });

function world() {
  const clock = virtualClock(START);
  const wires = createSimulatedBus(clock);
  const simulated = createSimulatedStore(nextStatus, clock.now);
  const store = createSimulatedControl(simulated, wires.bus, [scope.workspaceId]);
  const trouble = { fails: false, hangs: false };
  let reads = 0;
  const readAll: ControlStore["readAll"] = async () => {
    reads += 1;
    if (trouble.fails) throw new Error("the database is not there");
    const rows = await store.readAll();
    if (trouble.hangs) await new Promise(() => undefined);
    return rows;
  };
  const deps = { store: { readAll }, bus: wires.bus, clock, log: silentLog };
  const control = createControl(deps);
  const stop = new AbortController();
  const start = () => control.start(stop.signal);
  const end = () => stop.abort();
  const change = (...changes: StateChange[]) => store.setStates(scope, changes, clock.now());
  /** Lets time pass and everything come to rest. */
  const pass = async (durationMs: number) => {
    await clock.runUntil(clock.now() + durationMs);
    await new Promise(setImmediate);
  };
  const demo = () => control.cell(accountOf("demo"), BOT);
  return { clock, wires, control, trouble, start, end, change, pass, demo, reads: () => reads };
}

describe("the strictest scope", () => {
  test("of every combination of states decides, with its reason and since", async () => {
    const { control, change, clock } = world();
    const kinds: readonly TradingScope[] = [
      { kind: "global" },
      { kind: "live" },
      { kind: "account", accountId: ACCOUNT },
      { kind: "bot", botId: BOT },
    ];
    const four = fc.tuple(...kinds.map(() => fc.constantFrom(...STATES)));
    const modes = fc.constantFrom<AccountMode>("demo", "paper", "live");
    await fc.assert(
      fc.asyncProperty(four, modes, fc.boolean(), async (states, mode, isForBot) => {
        await change(...kinds.map((of, i) => set(of, states[i] ?? "frozen")));
        await control.refresh();
        const cell = control.cell(accountOf(mode), isForBot ? BOT : null);
        const covers = (of: TradingScope) =>
          (of.kind !== "live" || mode === "live") && (of.kind !== "bot" || isForBot);
        const covering = kinds.map((of, i) => ({ of, state: states[i] ?? "frozen" }));
        const rows = covering.filter(({ of }) => covers(of));
        const expected = strictest(rows.map(({ state }) => state));
        const widest = rows.find(({ state }) => state === expected);
        expect(cell).toMatchObject({ state: expected, since: clock.now() });
        expect(cell.reason).toBe(widest?.of.kind ?? "");
        expect(cell.epoch).toBe(control.acknowledgedEpoch(scope));
      }),
      { numRuns: 200 },
    );
  });

  test("in a fresh workspace is frozen for live accounts and active for the others", async () => {
    const { control } = world();
    await control.refresh();
    expect(control.cell(accountOf("live"), null)).toMatchObject({
      ...{ epoch: 1, state: "frozen", reason: "live trading was never switched on" },
    });
    expect(control.cell(accountOf("demo"), null)).toMatchObject({ epoch: 1, state: "active" });
    expect(control.cell(accountOf("paper"), BOT)).toMatchObject({ epoch: 1, state: "active" });
  });

  test("of a live account that was never armed is frozen, whatever stands for live trading", async () => {
    const { control, change } = world();
    for (const state of STATES) {
      await change(set({ kind: "live" }, state));
      await control.refresh();
      expect(control.cell(accountOf("live"), BOT)).toMatchObject({ state: "frozen" });
    }
    await change(set({ kind: "account", accountId: ACCOUNT }, "active"));
    await change(set({ kind: "live" }, "reducing"));
    await control.refresh();
    expect(control.cell(accountOf("live"), BOT)).toMatchObject({ state: "reducing" });
  });

  test("of other accounts, bots and workspaces does not count", async () => {
    const { control, change } = world();
    await change(
      set({ kind: "account", accountId: 2 as AccountId }, "frozen"),
      set({ kind: "bot", botId: 8 as BotId }, "frozen"),
    );
    await control.refresh();
    expect(control.cell(accountOf("demo"), BOT)).toMatchObject({ epoch: 2, state: "active" });
    const elsewhere = { ...scope, workspaceId: 2 as WorkspaceId };
    const stranger = { ...accountOf("demo"), scope: elsewhere };
    expect(control.cell(stranger, null)).toMatchObject({ epoch: 0, state: "frozen" });
  });

  test("is frozen for a live account when nobody wrote whether live trading is on", async () => {
    const rows = new Map([[scope.workspaceId, { epoch: 4, states: [] }]]);
    const { clock, wires } = world();
    const store = { readAll: async () => rows };
    const control = createControl({ store, bus: wires.bus, clock, log: silentLog });
    await control.refresh();
    expect(control.cell(accountOf("live"), null)).toMatchObject({ epoch: 4, state: "frozen" });
    expect(control.cell(accountOf("demo"), null)).toMatchObject({ epoch: 4, state: "active" });
  });
});

describe("a cell that nobody could read", () => {
  test("sends nothing and touches nothing that rests, and has no epoch to commit under", () => {
    const cell = world().demo();
    expect(cell.epoch).toBe(0);
    for (const purpose of PURPOSES) {
      expect(permits(cell.state, purpose)).toBe(false);
      expect(mustWithdraw(cell.state, purpose)).toBe(false);
    }
  });

  test("is one that is older than five seconds, by a clock that began before the read", async () => {
    const { control, trouble, start, end, pass, demo } = world();
    void start();
    await pass(1_000);
    expect(demo().state).toBe("active");
    const told: WorkspaceId[] = [];
    control.onChange((workspaceId) => told.push(workspaceId));
    trouble.fails = true;
    await pass(5_000);
    expect(demo()).toMatchObject({ epoch: 1, state: "active" });
    expect(told).toEqual([]);
    await pass(250);
    expect(demo()).toMatchObject({ epoch: 0, state: "frozen" });
    expect(control.acknowledgedEpoch(scope)).toBe(0);
    await pass(10_000);
    expect(told).toEqual([scope.workspaceId]);
    trouble.fails = false;
    await pass(250);
    expect(demo()).toMatchObject({ epoch: 1, state: "active" });
    expect(told).toEqual([scope.workspaceId, scope.workspaceId]);
    end();
  });

  test("is as old as the question, not as its answer", async () => {
    const { clock, wires, pass } = world();
    const simulated = createSimulatedStore(nextStatus, clock.now);
    const store = createSimulatedControl(simulated, wires.bus, [scope.workspaceId]);
    const readAll: ControlStore["readAll"] = async () => {
      const rows = await store.readAll();
      await clock.sleep(3_000);
      return rows;
    };
    const deps = { store: { readAll }, bus: wires.bus, clock, log: silentLog };
    const control = createControl(deps);
    const reading = control.refresh();
    await pass(3_000);
    await reading;
    await pass(2_000);
    expect(control.cell(accountOf("demo"), null).state).toBe("active");
    await pass(1);
    expect(control.cell(accountOf("demo"), null).state).toBe("frozen");
  });

  test("is one whose read hangs, and those who listen hear of it", async () => {
    const { control, trouble, start, end, pass, demo } = world();
    void start();
    await pass(1_000);
    let told = 0;
    control.onChange(() => {
      told += 1;
    });
    trouble.hangs = true;
    await pass(5_500);
    expect(demo().state).toBe("frozen");
    expect(told).toBe(1);
    // A read that never answers does not keep the next one from asking.
    trouble.hangs = false;
    await pass(5_500);
    expect(demo().state).toBe("active");
    expect(told).toBe(2);
    end();
  });
});

describe("a kill", () => {
  const kill = set({ kind: "global" }, "halted", "stopped by hand");

  test("reaches the cell by its message at once, and listeners are told", async () => {
    const { control, start, end, change, pass, demo } = world();
    void start();
    await pass(100);
    const told: [WorkspaceId, number][] = [];
    control.onChange((id) => told.push([id, control.acknowledgedEpoch(scope)]));
    await change(kill);
    await pass(0);
    expect(demo()).toMatchObject({ epoch: 2, state: "halted", reason: "stopped by hand" });
    expect(told).toEqual([[scope.workspaceId, 2]]);
    end();
  });

  test("whose message is lost reaches the cell with the next poll", async () => {
    const { wires, start, end, change, pass, demo } = world();
    void start();
    await pass(100);
    wires.isDeaf = true;
    await change(kill);
    await pass(100);
    expect(demo().state).toBe("active");
    await pass(100);
    expect(demo()).toMatchObject({ epoch: 2, state: "halted" });
    end();
  });

  test("is read again after a connection that was lost", async () => {
    const { wires, start, end, change, pass, demo } = world();
    void start();
    await pass(260);
    wires.isDeaf = true;
    await change(kill);
    wires.reconnect();
    await pass(0);
    expect(demo().state).toBe("halted");
    end();
  });

  test("during a read is not missed: another read follows", async () => {
    const { clock, wires } = world();
    const simulated = createSimulatedStore(nextStatus, clock.now);
    const store = createSimulatedControl(simulated, wires.bus, [scope.workspaceId]);
    const gate = Promise.withResolvers<void>();
    let reads = 0;
    const readAll: ControlStore["readAll"] = async () => {
      reads += 1;
      const rows = await store.readAll();
      if (reads === 1) await gate.promise;
      return rows;
    };
    const deps = { store: { readAll }, bus: wires.bus, clock, log: silentLog };
    const control = createControl(deps);
    const first = control.refresh();
    await store.setStates(scope, [kill], START);
    const [second, third] = [control.refresh(), control.refresh()];
    gate.resolve();
    await first;
    await Promise.all([second, third]);
    expect(control.cell(accountOf("demo"), null).state).toBe("halted");
    expect(reads).toBe(2);
  });

  test("is told to the others although one listener fails", async () => {
    const { control, start, end, change, pass } = world();
    void start();
    await pass(100);
    let told = 0;
    control.onChange(() => {
      throw new Error("broken");
    });
    const stop = control.onChange(() => {
      told += 1;
    });
    await change(kill);
    await pass(0);
    expect(told).toBe(1);
    stop();
    await change(kill);
    await pass(0);
    expect(told).toBe(1);
    end();
  });
});

describe("the loop", () => {
  test("polls four times a second and never has two reads at once", async () => {
    const { trouble, start, end, pass, reads } = world();
    void start();
    await pass(0);
    const before = reads();
    await pass(10_000);
    expect(reads() - before).toBe(40);
    trouble.hangs = true;
    await pass(4_000);
    expect(reads() - before).toBe(41);
    end();
  });

  test("listens again after listening failed, and stops listening at the end", async () => {
    const { clock, wires, pass } = world();
    let attempts = 0;
    const stops: string[] = [];
    const bus = {
      listen: async (...args: Parameters<typeof wires.bus.listen>) => {
        attempts += 1;
        if (attempts < 3) throw new Error("the database is not there");
        const listening = await wires.bus.listen(...args);
        return {
          stop: async () => {
            stops.push("stopped");
            await listening.stop();
          },
        };
      },
    };
    const store = { readAll: async () => new Map() };
    const control = createControl({ store, bus, clock, log: silentLog });
    const stop = new AbortController();
    const ended = control.start(stop.signal);
    await pass(11_000);
    expect(attempts).toBe(3);
    expect(stops).toEqual([]);
    stop.abort();
    await ended;
    expect(stops).toEqual(["stopped"]);
  });

  test("says so when a read that was asked for fails", async () => {
    const { control, trouble } = world();
    trouble.fails = true;
    await expect(control.refresh()).rejects.toThrow("not there");
    trouble.fails = false;
    await control.refresh();
    expect(control.acknowledgedEpoch(scope)).toBe(1);
  });
});
