// Messages on their way out: each thing once an hour, tried again with pauses, the oldest dropped with a count.
import { expect, test } from "bun:test";
import type { Alarm, AlarmTarget, Delivery } from "../../../src/ports/notifier.ts";
import { ALARMS_MAX, createAlarmQueue } from "../../../src/services/live/alarm-queue.ts";
import { createSimClock } from "../../simulation/sim-clock.ts";
import { silentLog } from "../../support/silent-log.ts";

const anAlarm = (n: number): Alarm => ({
  ...{ id: `msg_1_${n}`, kind: "bot_error", subject: "bot:1", severity: "error", at: 0 },
  ...{ title: "Dragon", sentence: `number ${n}` },
});
const TARGET: AlarmTarget = {
  ...{ kind: "ntfy", signingSecret: null, mayBePrivate: false },
  url: { reveal: () => "https://example.org", toString: () => "*", toJSON: () => "*" },
};
const FAILED: Delivery = { outcome: "failed", isFinal: false, sentence: "busy" };
const DELIVERED: Delivery = { outcome: "delivered" };

function opened(answer: (alarm: Alarm) => Delivery) {
  const clock = createSimClock(0);
  const sent: string[] = [];
  const ends: Delivery[] = [];
  const queue = createAlarmQueue({
    ...{ clock: clock.machine, log: silentLog },
    notifier: {
      async deliver(_target, alarm) {
        sent.push(alarm.sentence);
        return answer(alarm);
      },
    },
  });
  const stop = new AbortController();
  let target: AlarmTarget | null = TARGET;
  return {
    ...{ sent, ends, queue },
    start: () => queue.run(stop.signal),
    pass: (ms: number) => clock.runUntil(clock.now() + ms),
    switchOff: () => {
      target = null;
    },
    push: (key: string, alarm: Alarm) =>
      queue.push(key, {
        alarm,
        target: async () => target,
        onEnd: (delivery) => void ends.push(delivery),
      }),
    end: () => stop.abort(new Error("the test is over")),
  };
}

test("the same thing is told once an hour, and how often it came meanwhile", async () => {
  const q = opened(() => DELIVERED);
  void q.start();
  for (let n = 1; n <= 5; n++) q.push("error bot:1", anAlarm(n));
  q.push("error bot:2", anAlarm(6));
  await q.pass(3_500_000);
  expect(q.sent).toEqual(["number 1", "number 6"]);
  await q.pass(200_000);
  q.push("error bot:1", anAlarm(7));
  await q.pass(1000);
  expect(q.sent.at(-1)).toBe("number 7 (4 times more in the last hour)");
  q.end();
});

test("a failure that may pass is tried again with pauses, then given up", async () => {
  const q = opened(() => FAILED);
  void q.start();
  q.push("a", anAlarm(1));
  await q.pass(1000);
  expect(q.sent).toHaveLength(1);
  await q.pass(300_000);
  expect(q.sent).toHaveLength(5);
  expect(q.ends).toEqual([FAILED]);
  q.end();
});

test("a failure that stays is not tried again, and the next one is sent", async () => {
  const q = opened(({ sentence }) =>
    sentence === "number 1" ? { ...FAILED, isFinal: true } : DELIVERED,
  );
  void q.start();
  q.push("a", anAlarm(1));
  q.push("b", anAlarm(2));
  await q.pass(1000);
  expect(q.sent).toEqual(["number 1", "number 2"]);
  q.end();
});

test("when too many wait the oldest are dropped, and the next one says how many", async () => {
  const q = opened(() => DELIVERED);
  for (let n = 1; n <= ALARMS_MAX + 3; n++) q.push(`key ${n}`, anAlarm(n));
  void q.start();
  await q.pass(1000);
  expect(q.sent).toHaveLength(ALARMS_MAX);
  expect(q.sent[0]).toBe("number 4 (3 earlier alarms were dropped)");
  expect(q.sent[1]).toBe("number 5");
  q.end();
});

test("nothing is sent once alarms are switched off, also what is being tried again", async () => {
  const q = opened(() => FAILED);
  void q.start();
  q.push("a", anAlarm(1));
  await q.pass(1000);
  q.switchOff();
  await q.pass(300_000);
  expect(q.sent).toHaveLength(1);
  q.end();
});
