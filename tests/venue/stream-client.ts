// A plain WebSocket client for the venue tests: signs by itself, keeps every message it hears.
import { type Lab, type Row, sign } from "./lab.ts";

/** A connection that listens. */
export type StreamClient = {
  /** Everything heard, oldest first. */
  readonly heard: Row[];
  /** Messages of one topic. */
  about(topic: string): Row[];
  send(message: object): void;
  /** Resolves with the next message that fits. */
  next(fits: (message: Row) => boolean): Promise<Row>;
  /** Resolves once the venue has answered a ping, hence sent everything before it. */
  settled(): Promise<void>;
  /** Resolves with the code the connection was closed with. */
  readonly closed: Promise<number>;
  close(): void;
};

const PRIVATE = ["executionreport", "algoexecutionreportv2", "position", "balance"];
const PATIENCE_MS = 5000;

/** Connects to a path of the venue. */
export async function connect(url: string): Promise<StreamClient> {
  const socket = new WebSocket(url);
  const heard: Row[] = [];
  const waiting = new Set<(message: Row) => void>();
  const { promise: closed, resolve: setClosed } = Promise.withResolvers<number>();
  socket.addEventListener("close", ({ code }) => setClosed(code));
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Row;
    heard.push(message);
    for (const wake of waiting) wake(message);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`no stream at ${url}`)));
  });
  const next = (fits: (message: Row) => boolean) =>
    new Promise<Row>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("the stream stayed silent")), PATIENCE_MS);
      const wake = (message: Row) => {
        if (!fits(message)) return;
        clearTimeout(late);
        waiting.delete(wake);
        resolve(message);
      };
      waiting.add(wake);
    });
  const send = (message: object) => socket.send(JSON.stringify(message));
  return {
    heard,
    about: (topic) => heard.filter((message) => String(message.topic) === topic),
    send,
    next,
    async settled() {
      const pong = next((message) => String(message.event) === "pong");
      send({ event: "ping" });
      await pong;
    },
    closed,
    close: () => socket.close(),
  };
}

/** The auth message of the lab's account. */
export function authMessage(lab: Lab, secret = lab.account.secret): object {
  const timestamp = String(lab.x.now);
  const params = { apikey: lab.account.apiKey, sign: sign(secret, `|${timestamp}`), timestamp };
  return { event: "auth", params };
}

/** A private connection, authenticated. */
export async function authenticated(lab: Lab): Promise<StreamClient> {
  const { applicationId } = lab.account;
  const client = await connect(`${lab.venue.wsUrl}/v2/ws/private/stream/${applicationId}`);
  const reply = client.next((message) => String(message.event) === "auth");
  client.send(authMessage(lab));
  await reply;
  return client;
}

/** A connection that has subscribed to the topics; private when one of them is. */
export async function subscribed(lab: Lab, topics: readonly string[]): Promise<StreamClient> {
  const isPrivate = topics.some((topic) => PRIVATE.includes(topic));
  const client = isPrivate
    ? await authenticated(lab)
    : await connect(`${lab.venue.wsUrl}/ws/stream`);
  for (const [id, topic] of topics.entries()) {
    const reply = client.next((message) => String(message.event) === "subscribe");
    client.send({ id, event: "subscribe", topic });
    await reply;
  }
  return client;
}
