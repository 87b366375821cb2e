// Opens the port for the app and closes it in order. Called by the composition of `serve`.
import type { Hono } from "hono";
import type { WebEnv } from "./route.ts";

/** Where to listen. */
export type ListenOptions = {
  readonly host: string;
  readonly port: number;
};

/** Above every limit of a route, so that the route can answer with a sentence. */
const BODY_BYTES_MAX = 4 * 2 ** 30;

/** A listening server. */
export type WebServer = {
  readonly host: string;
  /** The real port, also when 0 was asked for. */
  readonly port: number;
  /** Takes no new requests, waits for the running ones up to the limit, then cuts them off. */
  stop(drainLimitMs: number): Promise<void>;
};

/** The port cannot be opened; the message is a sentence for the operator. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** Starts to listen. @throws ListenError when the address is taken or not ours */
export function listen(app: Hono<WebEnv>, options: ListenOptions): WebServer {
  const server = open(app, options);
  return {
    host: options.host,
    port: server.port ?? options.port,
    async stop(drainLimitMs) {
      const drained = server.stop(false);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, drainLimitMs);
      });
      await Promise.race([drained, limit]);
      clearTimeout(timer);
      await server.stop(true);
    },
  };
}

function open(app: Hono<WebEnv>, { host, port }: ListenOptions) {
  try {
    return Bun.serve({
      hostname: host,
      port,
      fetch: (request, server) => app.fetch(request, { peer: server.requestIP(request)?.address }),
      maxRequestBodySize: BODY_BYTES_MAX,
      idleTimeout: 30,
      development: false,
      // Without this a second program may take the same port and half of the requests.
      reusePort: false,
    });
  } catch (cause) {
    throw new ListenError(listenSentence(cause, host, port), { cause });
  }
}

function listenSentence(cause: unknown, host: string, port: number): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE") {
    return `port ${port} on ${host} is already in use: stop the other program or set DRAGON_PORT to a free port`;
  }
  if (code === "EACCES") {
    return `port ${port} on ${host} may not be opened by this user: set DRAGON_PORT to a port from 1024 to 65535`;
  }
  if (code === "EADDRNOTAVAIL") {
    return `${host} is not an address of this machine: set DRAGON_HOST to 127.0.0.1, 0.0.0.0 or one of its addresses`;
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return `cannot listen on ${host} port ${port}: ${reason}`;
}
