// The throttle by itself: doubling waits with a limit, forgetting, bounded memory.
import { expect, test } from "bun:test";
import {
  ACCOUNT_ATTEMPTS_FREE,
  ACCOUNT_DELAY_MAX_MS,
  createLoginThrottle,
  DELAY_FIRST_MS,
  FORGET_MS,
  THROTTLE_KEYS_MAX,
} from "../../../src/services/desk/login-throttle.ts";

/** Attempts on one account from ever new addresses, each as soon as it is allowed. */
function waits(count: number): number[] {
  const throttle = createLoginThrottle();
  let now = 1_000_000;
  return Array.from({ length: count }, (_, i) => {
    const attempt = { account: "Ann@example.org", address: `10.0.${i}.1` };
    const waitMs = throttle.begin(attempt, now);
    now += waitMs;
    if (waitMs > 0) expect(throttle.begin(attempt, now)).toBe(0);
    return waitMs;
  });
}

test("after the free attempts the wait doubles up to its limit", () => {
  const all = waits(20);
  expect(all.slice(0, ACCOUNT_ATTEMPTS_FREE)).toEqual(Array(ACCOUNT_ATTEMPTS_FREE).fill(0));
  const slow = all.slice(ACCOUNT_ATTEMPTS_FREE);
  expect(slow.slice(0, 4)).toEqual([1, 2, 4, 8].map((times) => times * DELAY_FIRST_MS));
  expect(slow.at(-1)).toBe(ACCOUNT_DELAY_MAX_MS);
});

test("a right password starts the account afresh and gives the address this one attempt back", () => {
  const throttle = createLoginThrottle();
  const attempt = { account: "ann@example.org", address: "10.0.0.1" };
  for (let i = 0; i < 100; i++) {
    expect(throttle.begin(attempt, 0)).toBe(0);
    throttle.succeeded(attempt);
  }
});

test("an hour without attempts is forgotten", () => {
  const throttle = createLoginThrottle();
  const attempt = { account: "ann@example.org", address: "10.0.0.1" };
  for (let i = 0; i < ACCOUNT_ATTEMPTS_FREE; i++) throttle.begin(attempt, 0);
  expect(throttle.begin(attempt, 0)).toBeGreaterThan(0);
  for (let i = 0; i < ACCOUNT_ATTEMPTS_FREE; i++)
    expect(throttle.begin(attempt, FORGET_MS)).toBe(0);
});

test("a blocked address does not use up the attempts of an account", () => {
  const throttle = createLoginThrottle();
  for (let i = 0; i < 50; i++) throttle.begin({ account: `u${i}`, address: "10.0.0.1" }, 0);
  for (let i = 0; i < 50; i++) throttle.begin({ account: "ann", address: "10.0.0.1" }, 0);
  expect(throttle.begin({ account: "ann", address: "10.0.0.2" }, 0)).toBe(0);
});

test("memory is bounded, and what was used last is kept", () => {
  const throttle = createLoginThrottle();
  const ann = (address: string) => throttle.begin({ account: "ann", address }, 0);
  for (let i = 0; i < ACCOUNT_ATTEMPTS_FREE; i++) ann(`10.1.0.${i}`);
  for (let i = 1; i < THROTTLE_KEYS_MAX; i++) {
    throttle.begin({ account: `u${i}`, address: `10.2.${i >> 8}.${i & 255}` }, 0);
  }
  expect(ann("10.3.0.1")).toBeGreaterThan(0);
  throttle.begin({ account: "one more", address: "10.3.0.2" }, 0);
  expect(ann("10.3.0.3")).toBe(0);
});
