// One message over a real connection to a server of this test: what is sent, how it is signed, and how answers count.
import { afterEach, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { createNotifier } from "../../../src/adapters/notify/notifier.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import type { Alarm, AlarmTarget } from "../../../src/ports/notifier.ts";

const NOW = Date.UTC(2026, 0, 5, 12);
const KEY = Buffer.alloc(32, 9).toString("base64");
const { signal } = new AbortController();
const alarm: Alarm = {
  ...{ id: "msg_1_event-7", kind: "bot_error", subject: "bot:3", severity: "error", at: NOW },
  ...{ title: "Dragon: The bot stopped – oh", sentence: "Bot “A” stopped." },
};

type Seen = { readonly headers: Headers; readonly body: string; readonly path: string };
const servers: { stop(force?: boolean): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop(true);
});

/** A receiver that answers as told and remembers what came. */
function receiver(answer: (path: string) => Response) {
  const seen: Seen[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname: path } = new URL(request.url);
      seen.push({ headers: request.headers, body: await request.text(), path });
      return answer(path);
    },
  });
  servers.push(server);
  return { seen, url: `http://127.0.0.1:${server.port}` };
}

const notifier = createNotifier({ clock: { now: () => NOW }, userAgent: "Dragon/9" });
const to = (url: string, change: Partial<AlarmTarget> = {}): AlarmTarget => ({
  ...{ kind: "webhook", url: createSecret(url), mayBePrivate: true },
  signingSecret: createSecret(`whsec_${KEY}`),
  ...change,
});

test("a webhook carries the message and the signature of Standard Webhooks", async () => {
  const { seen, url } = receiver(() => new Response("ok"));
  const delivery = await notifier.deliver(to(`${url}/hook?token=1`), alarm, signal);
  expect(delivery).toEqual({ outcome: "delivered" });
  const [one] = seen;
  if (!one) throw new Error("nothing came");
  const sentS = String(NOW / 1000);
  expect(one.headers.get("webhook-id")).toBe(alarm.id);
  expect(one.headers.get("webhook-timestamp")).toBe(sentS);
  const signed = `${alarm.id}.${sentS}.${one.body}`;
  const mac = createHmac("sha256", Buffer.from(KEY, "base64")).update(signed).digest("base64");
  expect(one.headers.get("webhook-signature")).toBe(`v1,${mac}`);
  expect(JSON.parse(one.body)).toEqual({
    type: "dragon.bot_error",
    timestamp: "2026-01-05T12:00:00.000Z",
    data: {
      ...{ subject: "bot:3", severity: "error", title: alarm.title, sentence: alarm.sentence },
    },
  });
});

test("ntfy gets the sentence as the body and an ASCII title", async () => {
  const { seen, url } = receiver(() => new Response("ok"));
  const target = to(`${url}/topic`, { kind: "ntfy", signingSecret: null });
  expect(await notifier.deliver(target, alarm, signal)).toEqual({ outcome: "delivered" });
  const [one] = seen;
  expect(one?.body).toBe("Bot “A” stopped.");
  expect(one?.headers.get("title")).toBe("Dragon: The bot stopped ? oh");
  expect(one?.headers.get("priority")).toBe("5");
});

describe("answers:", () => {
  const cases: [status: number, isFinal: boolean][] = [
    [302, true],
    [400, true],
    [404, true],
    [408, false],
    [429, false],
    [500, false],
    [503, false],
  ];
  for (const [status, isFinal] of cases) {
    test(`${status} is a failure that ${isFinal ? "stays" : "may pass"}`, async () => {
      const headers = { location: "http://169.254.169.254/" };
      const { seen, url } = receiver(() => new Response("", { status, headers }));
      const delivery = await notifier.deliver(to(url), alarm, signal);
      expect(delivery).toMatchObject({ outcome: "failed", isFinal });
      // A redirect is not followed.
      expect(seen).toHaveLength(1);
    });
  }

  test("nobody there is a failure that may pass, and the sentence hides the address", async () => {
    const { url } = receiver(() => new Response("ok"));
    for (const server of servers.splice(0)) server.stop(true);
    const delivery = await notifier.deliver(to(`${url}/secret-topic`), alarm, signal);
    expect(delivery).toMatchObject({ outcome: "failed", isFinal: false });
    expect(JSON.stringify(delivery)).not.toContain("127.0.0.1");
    expect(JSON.stringify(delivery)).not.toContain("secret-topic");
  });
});

test("this machine is not reached unless the owner allows private addresses", async () => {
  const { seen, url } = receiver(() => new Response("ok"));
  const delivery = await notifier.deliver(to(url, { mayBePrivate: false }), alarm, signal);
  expect(delivery).toMatchObject({ outcome: "failed", isFinal: true });
  expect(seen).toEqual([]);
});

test("the connection goes to the address that was checked, whatever the name says later", async () => {
  const { seen, url } = receiver(() => new Response("ok"));
  const { port } = new URL(url);
  let asked = 0;
  const pinned = createNotifier({
    ...{ clock: { now: () => NOW }, userAgent: "Dragon/9" },
    resolve: async () => [++asked === 1 ? "127.0.0.1" : "169.254.169.254"],
  });
  const target = to(`http://rebinding.example:${port}/x`);
  expect(await pinned.deliver(target, alarm, signal)).toEqual({ outcome: "delivered" });
  expect(seen[0]?.headers.get("host")).toBe(`rebinding.example:${port}`);
  expect(asked).toBe(1);
});
