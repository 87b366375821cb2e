// A wire to a database that counts how often its client waits: answers are held back until the client has
// been silent for a moment, so statements that are sent together count once. Used by tests of repositories
// whose waiting is limited.
import { createConnection, createServer, type Socket } from "node:net";
import type { ConnectTarget } from "../../src/adapters/postgres/connect.ts";

const SILENCE_MS = 20;

/** The wire and what went over it. */
export type CountedWire = {
  /** The same database through the wire. */
  readonly target: ConnectTarget;
  /** How often the client sent something after an answer, since the wire was made. */
  trips(): number;
  stop(): void;
};

/** Lays a wire to a database. */
export async function countedWire(target: ConnectTarget): Promise<CountedWire> {
  let trips = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const far = open(target);
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        client.destroy();
        far.destroy();
      });
    }
    let held: Buffer[] = [];
    let isAnswered = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answer = () => {
      if (held.length === 0) return;
      client.write(Buffer.concat(held));
      held = [];
      isAnswered = true;
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(answer, SILENCE_MS);
    };
    client.on("data", (bytes) => {
      if (isAnswered) trips += 1;
      isAnswered = false;
      far.write(bytes);
      wait();
    });
    far.on("data", (bytes) => {
      held.push(Buffer.from(bytes));
      wait();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return {
    target: { kind: "url", url: throughPort(target, address.port) },
    trips: () => trips,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function open(target: ConnectTarget): Socket {
  if (target.kind === "socket") {
    return createConnection({ path: `${target.folder}/.s.PGSQL.${target.port}` });
  }
  const { hostname, port } = new URL(target.url);
  return createConnection({ host: hostname, port: Number(port || "5432") });
}

function throughPort(target: ConnectTarget, port: number): string {
  if (target.kind === "socket") {
    const user = encodeURIComponent(target.user);
    return `postgres://${user}@127.0.0.1:${port}/${encodeURIComponent(target.database)}`;
  }
  const url = new URL(target.url);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return url.href;
}
