// The breaker: five failures in a minute open it for twenty seconds, then one probe decides.
import { expect, test } from "bun:test";
import {
  type CircuitBreaker,
  createCircuitBreaker,
} from "../../../src/adapters/resilience/circuit-breaker.ts";

function setup() {
  const time = { ms: 0 };
  const changes: string[] = [];
  const breaker = createCircuitBreaker({
    clock: { monotonicMs: () => time.ms },
    onChange: (state) => changes.push(state),
  });
  return { time, changes, breaker };
}
const fail = (breaker: CircuitBreaker) => breaker.admit(false)?.failed();
const succeed = (breaker: CircuitBreaker) => breaker.admit(false)?.succeeded();

test("five failures within a minute open it, four do not", () => {
  const { breaker, time, changes } = setup();
  for (let i = 0; i < 4; i++) {
    time.ms += 10_000;
    fail(breaker);
  }
  expect(breaker.state()).toBe("closed");
  fail(breaker);
  expect(breaker.state()).toBe("open");
  expect(breaker.openForMs()).toBe(20_000);
  expect(breaker.admit(false)).toBeNull();
  expect(changes).toEqual(["open"]);
});

test("failures spread over more than a minute do not open it", () => {
  const { breaker, time } = setup();
  for (let i = 0; i < 50; i++) {
    time.ms += 15_001;
    fail(breaker);
  }
  expect(breaker.state()).toBe("closed");
});

test("a success forgets earlier failures", () => {
  const { breaker } = setup();
  for (let i = 0; i < 4; i++) fail(breaker);
  succeed(breaker);
  for (let i = 0; i < 4; i++) fail(breaker);
  expect(breaker.state()).toBe("closed");
});

test("cancels and closes pass an open breaker", () => {
  const { breaker } = setup();
  for (let i = 0; i < 5; i++) fail(breaker);
  expect(breaker.admit(true)).not.toBeNull();
  expect(breaker.admit(false)).toBeNull();
});

test("after its time one probe goes, and its success closes it", () => {
  const { breaker, time, changes } = setup();
  for (let i = 0; i < 5; i++) fail(breaker);
  time.ms += 19_999;
  expect(breaker.admit(false)).toBeNull();
  time.ms += 1;
  const probe = breaker.admit(false);
  expect(probe).not.toBeNull();
  expect(breaker.state()).toBe("half_open");
  expect(breaker.admit(false)).toBeNull();
  probe?.succeeded();
  expect(breaker.state()).toBe("closed");
  expect(breaker.admit(false)).not.toBeNull();
  expect(changes).toEqual(["open", "half_open", "closed"]);
});

test("a failed probe opens it again for its whole time", () => {
  const { breaker, time } = setup();
  for (let i = 0; i < 5; i++) fail(breaker);
  time.ms += 20_000;
  breaker.admit(false)?.failed();
  expect(breaker.state()).toBe("open");
  expect(breaker.openForMs()).toBe(20_000);
});

test("a probe that never asked gives its place to the next call", () => {
  const { breaker, time } = setup();
  for (let i = 0; i < 5; i++) fail(breaker);
  time.ms += 20_000;
  breaker.admit(false)?.released();
  const probe = breaker.admit(false);
  expect(probe).not.toBeNull();
  probe?.succeeded();
  expect(breaker.state()).toBe("closed");
});

test("only the first report of a call counts", () => {
  const { breaker, time } = setup();
  for (let i = 0; i < 5; i++) fail(breaker);
  time.ms += 20_000;
  const probe = breaker.admit(false);
  probe?.succeeded();
  probe?.failed();
  probe?.released();
  expect(breaker.state()).toBe("closed");
});

test("late reports of calls from before it opened change nothing", () => {
  const { breaker } = setup();
  const early = breaker.admit(false);
  for (let i = 0; i < 5; i++) fail(breaker);
  early?.succeeded();
  expect(breaker.state()).toBe("open");
});
