// The exchange's addresses as a led program sees them: TLS under the exchange's names, every byte passed on to the
// simulated one. Opened by kill-world.ts; a test hears of requests that pass, and keeps one, or its answer, while it
// kills who sent it. It reads the heads of requests and never changes what passes.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";

/** What is waited for: a request that passes, one that is kept from the exchange, one whose answer is kept. */
export type DoorWish = "passes" | "request" | "answer";

/** A request that was waited for. */
export type Caught = {
  /** Method and path, e.g. `POST /v3/trade/order`. */
  readonly request: string;
  /** Lets go of what was kept: a request reaches the exchange also when its sender is gone. */
  release(): void;
  /** Ends the connection with what was kept. */
  lose(): void;
};

/** A running door. */
export type ExchangeDoor = {
  readonly port: number;
  /** The next request whose head, from its method to its last header, matches; null when none comes in time. */
  next(wish: DoorWish, pattern: RegExp, limitMs: number): Promise<Caught | null>;
  stop(): void;
};

/** Certificate and key for the exchange's names; only programs that are told to trust them. */
export const DOOR_CERTIFICATE = join(import.meta.dir, "exchange-door.pem");

const REQUEST = /^(?:GET|POST|PUT|DELETE) [^ ?]+/;
const HEAD_CHARACTERS_MAX = 4000;
/** A request that was released after its sender's end has this long to be answered. */
const LINGER_MS = 1000;

type Wait = {
  readonly wish: DoorWish;
  readonly pattern: RegExp;
  /** It was fulfilled: nothing else may do so. */
  begin(): void;
  settle(caught: Caught): void;
};

/** One connection of the program and the one it continues in. */
type Pipe = {
  readonly program: Socket;
  readonly exchange: Socket;
  /** What is kept now, and whether it came from the program. */
  kept: { readonly isRequest: boolean; readonly bytes: Buffer[] } | null;
  /** Told of the first bytes of an answer, which is kept then. */
  onAnswer: (() => void) | null;
};

/** Opens a door to the exchange at `url`. */
export async function openDoor(url: string): Promise<ExchangeDoor> {
  const { hostname, port } = new URL(url);
  const waits = new Set<Wait>();
  const pipes = new Set<Pipe>();
  const pem = readFileSync(DOOR_CERTIFICATE);
  const server = createServer({ cert: pem, key: pem }, (program) => {
    const exchange = connect(Number(port), hostname);
    const pipe: Pipe = { program, exchange, kept: null, onAnswer: null };
    pipes.add(pipe);
    run(pipe, waits, () => pipes.delete(pipe));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the door has no port");
  return {
    port: address.port,
    next: (wish, pattern, limitMs) => waitFor(waits, wish, pattern, limitMs),
    stop() {
      server.close();
      for (const { program, exchange } of pipes) {
        program.destroy();
        exchange.destroy();
      }
    },
  };
}

function waitFor(
  waits: Set<Wait>,
  wish: DoorWish,
  pattern: RegExp,
  limitMs: number,
): Promise<Caught | null> {
  return new Promise((resolve) => {
    const wait: Wait = {
      ...{ wish, pattern },
      begin() {
        clearTimeout(timer);
        waits.delete(wait);
      },
      settle: resolve,
    };
    const timer = setTimeout(() => {
      waits.delete(wait);
      resolve(null);
    }, limitMs);
    waits.add(wait);
  });
}

function run(pipe: Pipe, waits: ReadonlySet<Wait>, onEnd: () => void): void {
  const { program, exchange } = pipe;
  program.on("data", (bytes: Buffer) => {
    look(pipe, waits, bytes);
    if (pipe.kept?.isRequest) pipe.kept.bytes.push(bytes);
    else exchange.write(bytes);
  });
  exchange.on("data", (bytes: Buffer) => {
    if (pipe.onAnswer) {
      pipe.kept = { isRequest: false, bytes: [] };
      pipe.onAnswer();
      pipe.onAnswer = null;
    }
    if (pipe.kept?.isRequest === false) pipe.kept.bytes.push(bytes);
    else program.write(bytes);
  });
  // The end of one side is told by `close`, which follows every error.
  program.on("error", () => program.destroy());
  exchange.on("error", () => exchange.destroy());
  program.on("close", () => {
    if (!pipe.kept?.isRequest) exchange.destroy();
  });
  exchange.on("close", () => {
    onEnd();
    pipe.onAnswer?.();
    program.destroy();
  });
}

/** Serves the first wait that the beginning of a request fulfils. */
function look(pipe: Pipe, waits: ReadonlySet<Wait>, bytes: Buffer): void {
  const head = bytes.toString("latin1", 0, HEAD_CHARACTERS_MAX);
  const request = REQUEST.exec(head)?.[0];
  if (request === undefined) return;
  const wait = [...waits].find(({ pattern }) => pattern.test(head));
  if (wait === undefined) return;
  wait.begin();
  const caught: Caught = {
    request,
    release: () => release(pipe),
    lose() {
      pipe.program.destroy();
      pipe.exchange.destroy();
    },
  };
  if (wait.wish === "answer") {
    pipe.onAnswer = () => wait.settle(caught);
    return;
  }
  if (wait.wish === "request") pipe.kept = { isRequest: true, bytes: [] };
  wait.settle(caught);
}

function release(pipe: Pipe): void {
  const { kept, program, exchange } = pipe;
  if (kept === null) return;
  pipe.kept = null;
  for (const bytes of kept.bytes) (kept.isRequest ? exchange : program).write(bytes);
  if (program.destroyed) setTimeout(() => exchange.destroy(), LINGER_MS);
}
