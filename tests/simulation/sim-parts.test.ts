// The parts a simulation stands on: time that only moves when it is run, processes that can die and freeze
// in the middle of a call, and a database whose connections get lost.
import { describe, expect, test } from "bun:test";
import { createSimClock } from "./sim-clock.ts";
import { createSimDatabase } from "./sim-database.ts";
import { createSimProcess, type SimProcess } from "./sim-process.ts";

const START = Date.UTC(2026, 0, 5);

describe("virtual time", () => {
  test("wakes sleepers in order of their instants, each after the one before came to rest", async () => {
    const clock = createSimClock(START);
    const heard: string[] = [];
    const sleeper = async (name: string, ms: number) => {
      await clock.machine.sleep(ms);
      heard.push(`${name} ${clock.now() - START}`);
      await Promise.resolve();
      heard.push(`${name} rests`);
    };
    void sleeper("late", 20);
    void sleeper("early", 10);
    void sleeper("early too", 10);
    await clock.runUntil(START + 15);
    expect(heard).toEqual(["early 10", "early rests", "early too 10", "early too rests"]);
    expect(clock.waiting()).toBe(1);
  });

  test("lets the wall clock jump without moving the monotonic one", () => {
    const clock = createSimClock(START);
    clock.jump(-3_600_000);
    expect(clock.machine.now()).toBe(START - 3_600_000);
    expect(clock.machine.monotonicMs()).toBe(0);
    expect(clock.now()).toBe(START);
  });

  test("rejects a sleeper whose signal is aborted, and forgets it", async () => {
    const clock = createSimClock(START);
    const stop = new AbortController();
    const slept = clock.machine.sleep(50, stop.signal);
    stop.abort(new Error("enough"));
    expect(slept).rejects.toThrow("enough");
    expect(clock.waiting()).toBe(0);
  });
});

describe("a process", () => {
  const born = () => {
    const deaths: (string | null)[] = [];
    const process: SimProcess = createSimProcess({
      ...{ number: 1, onCall: () => undefined },
      onDeath: (call) => void deaths.push(call),
    });
    const written: number[] = [];
    const port = {
      write: async (n: number) => {
        written.push(n);
        return n;
      },
    };
    return { process, deaths, written, port: process.hold("port", port, []) };
  };
  const isHeard = async (answer: Promise<unknown>) => {
    const silence = Bun.sleep(1).then(() => "silence");
    return (await Promise.race([answer, silence])) !== "silence";
  };

  test("that dies before a call leaves nothing, and hears nothing any more", async () => {
    const { process, port, written, deaths } = born();
    process.crashAt({ call: 2, of: "port.write", when: "before" });
    expect(await port.write(1)).toBe(1);
    expect(await isHeard(port.write(2))).toBe(false);
    expect(await isHeard(port.write(3))).toBe(false);
    expect(written).toEqual([1]);
    expect(deaths).toEqual(["port.write"]);
  });

  test("that dies after a call leaves what the call did, and never hears of it", async () => {
    const { process, port, written } = born();
    process.crashAt({ call: 1, of: null, when: "after" });
    expect(await isHeard(port.write(1))).toBe(false);
    expect(written).toEqual([1]);
    expect(process.isDead()).toBe(true);
  });

  test("that is frozen goes on where it was when it thaws", async () => {
    const { process, port, written } = born();
    process.freeze();
    const answer = port.write(1);
    expect(await isHeard(answer)).toBe(false);
    expect(written).toEqual([]);
    process.thaw();
    expect(await answer).toBe(1);
  });
});

test("a connection that is lost in the middle of a commit leaves the row and no answer", async () => {
  const clock = createSimClock(START);
  const database = createSimDatabase(clock, 1);
  const rows: number[] = [];
  const store = database.connect({
    insert: async (row: number) => {
      rows.push(row);
      database.goDown(1000);
      return row;
    },
  });
  const heard: string[] = [];
  const note = (error: Error) => heard.push(error.name);
  void store.insert(1).catch(note);
  await clock.runUntil(START + 100);
  expect(rows).toEqual([1]);
  expect(heard).toEqual(["ConnectionLost"]);
  void store.insert(2).catch(note);
  await clock.runUntil(START + 500);
  expect(rows).toEqual([1]);
  expect(heard).toHaveLength(2);
});
