// The broker's hints while the venue's stream misbehaves: after whatever may have swallowed a fact a
// resync hint comes, and what is read over REST then is the truth.
import { afterEach, expect, test } from "bun:test";
import { openClient } from "../../src/adapters/ccxt/broker-client.ts";
import { WOOX_PROFILE } from "../../src/adapters/ccxt/broker-woox.ts";
import { openWooxStream } from "../../src/adapters/ccxt/woox-stream.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import type { BrokerHint, HintStream } from "../../src/ports/broker.ts";
import { deposit } from "../../src/venue/exchange.ts";
import { silentLog } from "../support/silent-log.ts";
import { brokerAccount, fillResting, openBrokerLab, TERMS } from "./broker-lab.ts";
import { type Lab, type LabOptions, stopLabs } from "../venue/lab.ts";

const streams: HintStream[] = [];
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.stop();
  await stopLabs();
});

/** A venue, its hints, and orders to make it talk. */
async function listening(options: LabOptions = {}, silentMs = 5000) {
  const { lab, broker } = await openBrokerLab(options);
  const hints: BrokerHint[] = [];
  const deps = { clock: createClock(), loopbackUrl: lab.venue.url, timeoutMs: 1000 };
  const account = brokerAccount(lab);
  const client = await openClient(deps, account, WOOX_PROFILE);
  const retryMs = { first: 20, most: 80 };
  const stream = openWooxStream(
    { ...deps, log: silentLog, account, client, retryMs, silentMs },
    (hint) => hints.push(hint),
  );
  streams.push(stream);
  return { lab, broker, hints };
}

const causes = (hints: readonly BrokerHint[]) =>
  hints.flatMap((hint) => (hint.kind === "resync" ? hint.cause : []));
const about = (hints: readonly BrokerHint[], kind: BrokerHint["kind"]) =>
  hints.filter((hint) => hint.kind === kind);

/** Waits until the condition holds; the test fails when it never does. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !condition(); i++) await Bun.sleep(5);
  expect(condition()).toBe(true);
}

/** Connected and subscribed to everything, with nothing heard before. */
async function connected({ lab, hints }: { lab: Lab; hints: BrokerHint[] }): Promise<void> {
  await until(() => causes(hints).includes("connected"));
  await pushed(lab, hints);
  hints.length = 0;
}

/** Until a push has arrived; balances are what is subscribed to last. */
async function pushed({ x, account }: Lab, hints: readonly BrokerHint[]): Promise<void> {
  const before = about(hints, "balance").length;
  await until(() => {
    deposit(x, account, "0");
    return about(hints, "balance").length > before;
  });
}

/** A resting buy, executed at once as a whole. */
async function trade(lab: Lab): Promise<void> {
  const id = await lab.place({ price: TERMS.restingBid, quantity: TERMS.qty });
  fillResting(lab, id, TERMS.qty);
}

test("orders, fills and balances of both legs are hinted at without a doubt", async () => {
  const at = await listening({ account: { mode: "HEDGE_MODE" } });
  await connected(at);
  for (const [side, positionSide] of [
    ["BUY", "LONG"],
    ["BUY", "LONG"],
    ["BUY", "LONG"],
    ["SELL", "SHORT"],
  ]) {
    await at.lab.place({ type: "MARKET", quantity: TERMS.qty, side, positionSide });
  }
  await pushed(at.lab, at.hints);
  expect(about(at.hints, "order").length).toBeGreaterThanOrEqual(8);
  expect(about(at.hints, "position").length).toBeGreaterThanOrEqual(4);
  expect(causes(at.hints)).toEqual([]);
});

test("a dropped stream is told at once, and again when it is back", async () => {
  const at = await listening();
  await connected(at);
  await at.lab.fault("ws_drop");
  await until(() => causes(at.hints).includes("connected"));
  expect(causes(at.hints)).toEqual(["disconnected", "connected"]);
  await pushed(at.lab, at.hints);
});

test("a silent stream is given up and opened again", async () => {
  const at = await listening({}, 700);
  await connected(at);
  for (let i = 0; i < 5; i++) {
    await trade(at.lab);
    await Bun.sleep(200);
  }
  expect(causes(at.hints)).toEqual([]);
  const { armed } = await at.lab.fault("ws_silent");
  for (let i = 0; i < 5; i++) {
    await trade(at.lab);
    await Bun.sleep(200);
  }
  expect(causes(at.hints).slice(0, 2)).toEqual(["silent", "disconnected"]);
  await at.lab.admin("DELETE", `faults/${String(armed?.id)}`);
  await until(() => causes(at.hints).includes("connected"));
});

test("pushes that are sent twice are two hints and no other doubt", async () => {
  const at = await listening();
  await connected(at);
  await at.lab.fault("ws_dup", { match: { topic: "executionreport" } });
  await trade(at.lab);
  await pushed(at.lab, at.hints);
  expect(about(at.hints, "order")).toHaveLength(4);
  expect(causes(at.hints)).toEqual([]);
  const { symbol } = at.lab.market.instrument;
  const { signal } = new AbortController();
  expect(await at.broker.tradesSince({ symbol, sinceAt: 0 }, { signal })).toHaveLength(1);
});

test("a push that comes after its successor asks for everything", async () => {
  const at = await listening();
  await connected(at);
  await at.lab.fault("ws_out_of_order", { times: 1, match: { topic: "executionreport" } });
  const id = await at.lab.place({ price: TERMS.restingBid, quantity: TERMS.qty });
  fillResting(at.lab, id, TERMS.qty);
  await until(() => causes(at.hints).includes("gap"));
  expect(about(at.hints, "order").length).toBeGreaterThanOrEqual(2);
});

test("everything about a fill is lost: the next one asks for everything", async () => {
  const at = await listening();
  await connected(at);
  await trade(at.lab);
  await pushed(at.lab, at.hints);
  const { armed } = await at.lab.fault("ws_gap");
  await trade(at.lab);
  await at.lab.admin("DELETE", `faults/${String(armed?.id)}`);
  expect(causes(at.hints)).toEqual([]);
  await trade(at.lab);
  await until(() => causes(at.hints).includes("gap"));
});

test("a refused sign-in is told, and tried again until it is taken", async () => {
  const at = await listening({ faults: [{ name: "ws_auth_fail", times: 2 }] });
  await until(() => causes(at.hints).includes("connected"));
  expect(causes(at.hints)).toEqual(["disconnected", "disconnected", "connected"]);
  await pushed(at.lab, at.hints);
});

test("a listen key that ends is none of its business: it signs in with the account's key", async () => {
  const at = await listening();
  await connected(at);
  await at.lab.call("POST", "/v3/account/listenKey", { type: "WEBSOCKET" });
  await at.lab.fault("listenkey_expire");
  await pushed(at.lab, at.hints);
  expect(causes(at.hints)).toEqual([]);
});
