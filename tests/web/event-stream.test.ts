// Live streams: what is sent arrives as server-sent events, leaving stops the listener, stopping Dragon
// closes every stream, and their number is bounded.
import { expect, test } from "bun:test";
import { Hono } from "hono";
import { createEventStreams, type Send, STREAMS_MAX } from "../../src/web/event-stream.ts";
import type { WebEnv } from "../../src/web/route.ts";
import { silentLog } from "../support/silent-log.ts";

function streamCase(begin: (send: Send, end: () => void) => () => void) {
  const streams = createEventStreams(silentLog, async () => true);
  const app = new Hono<WebEnv>().get("/", (c) => streams.open(c, begin));
  return { streams, open: (signal?: AbortSignal) => app.request("/", signal ? { signal } : {}) };
}

test("messages arrive in order, many lines as many data lines, names as events", async () => {
  const { open } = streamCase((send, end) => {
    send({ html: "<p>one</p>\n<p>two</p>" });
    send({ event: "ended" });
    end();
    return () => {};
  });
  const answer = await open();
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  expect(await answer.text()).toBe(
    ": open\n\ndata: <p>one</p>\ndata: <p>two</p>\n\nevent: ended\ndata: \n\n",
  );
});

test("the listener is called off once, whoever ends the stream", async () => {
  let stops = 0;
  const stop = () => {
    stops += 1;
  };
  const byReader = streamCase(() => stop);
  await (await byReader.open()).body?.cancel();
  expect(stops).toBe(1);
  const byServer = streamCase(() => stop);
  const answer = await byServer.open();
  byServer.streams.closeAll();
  byServer.streams.closeAll();
  expect(await answer.text()).toBe(": open\n\n");
  expect(stops).toBe(2);
  const atOnce = streamCase((_send, end) => {
    end();
    return stop;
  });
  await (await atOnce.open()).text();
  expect(stops).toBe(3);
});

test("a message after the end goes nowhere", async () => {
  let late: Send = () => {};
  const { open } = streamCase((send, end) => {
    late = send;
    end();
    return () => {};
  });
  const answer = await open();
  late({ html: "too late" });
  expect(await answer.text()).toBe(": open\n\n");
});

test("streams beyond the limit, or while Dragon stops, are refused", async () => {
  const { open, streams } = streamCase(() => () => {});
  const answers = await Promise.all(Array.from({ length: STREAMS_MAX }, () => open()));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect((await open()).status).toBe(503);
  await answers[0]?.body?.cancel();
  expect((await open()).status).toBe(200);
  streams.closeAll();
  expect((await open()).status).toBe(503);
});

test("a stream ends soon after its session", async () => {
  let isOpen = true;
  const streams = createEventStreams(silentLog, async () => isOpen);
  const app = new Hono<WebEnv>().get("/", (c) => {
    c.set("visitor", { session: {} as never, csrf: "" });
    return streams.open(c, () => () => {});
  });
  const answer = await app.request("/");
  isOpen = false;
  expect(await answer.text()).toBe(": open\n\n");
});
