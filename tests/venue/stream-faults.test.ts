// The streams: subscribing, authentication, pings, listen keys, and how they misbehave when asked to.
import { afterEach, expect, test } from "bun:test";
import { type Lab, type Row, startLab, stopLabs } from "./lab.ts";
import { authenticated, authMessage, connect, subscribed } from "./stream-client.ts";

afterEach(stopLabs);

const BOOK = "PERP_BTC_USDT@markprice";

/** Moves the price through some values, one message each. */
async function moves(lab: Lab, prices: readonly string[]): Promise<void> {
  for (const price of prices) {
    await lab.step(1000);
    await lab.price(price);
  }
}

const prices = (messages: readonly Row[]) => messages.map((message) => Number(message.data?.price));

test("subscriptions are acknowledged with their id, unsubscribing ends the messages", async () => {
  const lab = startLab();
  const stream = await connect(`${lab.venue.wsUrl}/ws/stream/${lab.account.applicationId}`);
  const ack = stream.next((message) => String(message.event) === "subscribe");
  stream.send({ id: 17, event: "subscribe", topic: BOOK });
  expect(await ack).toMatchObject({ id: "17", success: true, data: BOOK });
  await moves(lab, ["101"]);
  const gone = stream.next((message) => String(message.event) === "unsubscribe");
  stream.send({ id: "18", event: "unsubscribe", topic: BOOK });
  expect(await gone).toMatchObject({ id: "18", success: true, data: BOOK });
  await moves(lab, ["102"]);
  await stream.settled();
  // The present price at the start, then the one change that was listened to.
  expect(prices(stream.about(BOOK))).toEqual([100, 101]);
});

test("unknown topics and private ones without authentication are refused, too many as well", async () => {
  const lab = startLab();
  const stream = await connect(`${lab.venue.wsUrl}/v3/public`);
  for (const [topic, why] of [
    ["PERP_BTC_USDT@nothing", /unknown topic/],
    ["PERP_DOGE_USDT@trade", /unknown topic/],
    ["executionreport", /^Auth is needed\.$/],
  ] as const) {
    const ack = stream.next((message) => String(message.event) === "subscribe");
    stream.send({ id: 1, event: "subscribe", topic });
    const reply = await ack;
    expect(reply).toMatchObject({ id: "1", success: false });
    expect(String(reply.errorMsg)).toMatch(why);
  }
  stream.send({ event: "nonsense" });
  await stream.next((message) => String(message.errorMsg) === "unknown event");
});

test("orders, positions and balance reach their account alone", async () => {
  const lab = startLab();
  await lab.admin("POST", "accounts", { name: "bob", deposit: "1000" });
  const bob = [...lab.x.accounts.values()].find((account) => account.name === "bob")!;
  const topics = ["executionreport", "position", "balance"];
  const mine = await subscribed(lab, topics);
  const his = await subscribed({ ...lab, account: bob }, topics);
  const id = await lab.place({ type: "MARKET", quantity: "0.02" });
  await Promise.all([mine.settled(), his.settled()]);
  const news = mine
    .about("executionreport")
    .map(({ data }) => [String(data?.orderId), String(data?.status)]);
  expect(news).toEqual([
    [id, "NEW"],
    [id, "PARTIAL_FILLED"],
    [id, "FILLED"],
  ]);
  const held = mine.about("position").at(-1)?.data?.positions as Row | undefined;
  expect(held?.PERP_BTC_USDT).toMatchObject({ holding: 0.02 });
  expect(mine.about("balance").length).toBeGreaterThan(0);
  expect(topics.flatMap((topic) => his.about(topic))).toEqual([]);
});

test("a wrong sign, a stale one, and ws_auth_fail are refused", async () => {
  const lab = startLab();
  const stream = await connect(`${lab.venue.wsUrl}/v2/ws/private/stream/x`);
  const reply = async (message: object) => {
    const next = stream.next(({ event }) => String(event) === "auth");
    stream.send(message);
    return (await next).success as unknown;
  };
  expect(await reply(authMessage(lab, "wrong"))).toBe(false);
  const stale = authMessage(lab);
  await lab.step(300_001);
  expect(await reply(stale)).toBe(false);
  await lab.fault("ws_auth_fail", { times: 1 });
  expect(await reply(authMessage(lab))).toBe(false);
  expect(await reply(authMessage(lab))).toBe(true);
});

test("a listen key opens a private stream; a newer key and listenkey_expire end it", async () => {
  const lab = startLab();
  const key = async () =>
    String((await lab.call("POST", "/v3/account/listenKey", { type: "WEBSOCKET" })).json.data?.key);
  const url = (listenKey: string) => `${lab.venue.wsUrl}/v3/private?key=${listenKey}`;
  const first = await key();
  const stream = await connect(url(first));
  const ack = stream.next((message) => String(message.event) === "subscribe");
  stream.send({ id: 1, event: "subscribe", topic: "executionreport" });
  expect((await ack).success as unknown).toBe(true);
  const second = await key();
  expect(await stream.closed).toBe(1001);
  await expect(connect(url(first))).rejects.toThrow();
  const other = await connect(url(second));
  await lab.fault("listenkey_expire");
  expect(await other.closed).toBe(1001);
  await expect(connect(url(second))).rejects.toThrow();
  const third = await key();
  await lab.step(86_400_000);
  await expect(connect(url(third))).rejects.toThrow();
});

test("ws_drop closes with 1011, and a new connection works", async () => {
  const lab = startLab();
  const stream = await subscribed(lab, [BOOK]);
  await lab.fault("ws_drop");
  expect(await stream.closed).toBe(1011);
  expect((await subscribed(lab, [BOOK])).about(BOOK)).toBeDefined();
});

test("ws_silent keeps back messages, answers and pongs until it is disarmed", async () => {
  const lab = startLab();
  const stream = await subscribed(lab, [BOOK]);
  await stream.settled();
  await lab.fault("ws_silent");
  const heard = stream.heard.length;
  stream.send({ event: "ping" });
  await moves(lab, ["101"]);
  await Bun.sleep(50);
  expect(stream.heard.length).toBe(heard);
  await lab.admin("DELETE", "faults");
  await stream.settled();
});

test("ws_dup, ws_out_of_order and ws_gap: twice, swapped, missing", async () => {
  const lab = startLab();
  const stream = await subscribed(lab, [BOOK]);
  await lab.fault("ws_dup", { times: 1, match: { topic: BOOK } });
  await moves(lab, ["101", "102"]);
  await lab.fault("ws_out_of_order", { times: 1, match: { topic: BOOK } });
  await moves(lab, ["103", "104", "105"]);
  await lab.fault("ws_gap", { times: 2, match: { topic: BOOK } });
  await moves(lab, ["106", "107", "108"]);
  await stream.settled();
  expect(prices(stream.about(BOOK))).toEqual([100, 101, 101, 102, 104, 103, 105, 108]);
});

test("timestamps of a topic ascend, also within one instant", async () => {
  const lab = startLab();
  const stream = await subscribed(lab, [BOOK]);
  for (const price of ["101", "102", "103"]) await lab.price(price);
  await stream.settled();
  const stamps = stream.about(BOOK).map((message) => Number(message.ts));
  expect(stamps).toEqual([...new Set(stamps)].sort((a, b) => a - b));
  expect(stamps).toHaveLength(4);
});

test("a stream that never answers pings is dropped after ten, one that lives a day as well", async () => {
  const lab = startLab();
  const { createStreams } = await import("../../src/venue/streams.ts");
  const streams = createStreams(lab.x);
  const sent: string[] = [];
  const ends: [number, string][] = [];
  const pipe = {
    send: (text: string) => sent.push(text),
    close: (code: number, reason: string) => ends.push([code, reason]),
  };
  const seat = { isPrivate: false, account: null, listenKey: null };
  const mute = streams.open(pipe, seat);
  for (let i = 0; i < 10; i++) streams.ping(() => true);
  expect(ends).toEqual([]);
  expect(JSON.parse(sent.at(-1) ?? "{}")).toMatchObject({ event: "ping" });
  streams.receive(mute, `{"event":"pong"}`, lab.x.now);
  for (let i = 0; i < 10; i++) streams.ping(() => true);
  expect(ends).toEqual([]);
  streams.ping(() => true);
  expect(ends).toEqual([[1001, "no pong"]]);
  streams.open(pipe, seat);
  await lab.step(86_400_000);
  streams.ping(() => true);
  expect(ends.at(-1)).toEqual([1001, "expired"]);
});

test("a message that is no JSON object is answered, the connection stays", async () => {
  const lab = startLab();
  const stream = await authenticated(lab);
  const reply = stream.next((message) => String(message.errorMsg) === "invalid JSON");
  stream.send([1, 2]);
  await reply;
  await stream.settled();
});
