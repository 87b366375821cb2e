// Live updates to pages: server-sent events, kept alive, closed when the page leaves or Dragon stops.
// Routes open streams; the composition closes them all before the server stops.
import type { Session } from "../ports/access-store.ts";
import type { Log } from "../ports/log.ts";
import type { WebContext } from "./route.ts";

/** Sends one message: HTML to swap in, or a name that elements wait for (`hx-trigger="ended from:…"`). */
export type Send = (message: { readonly html?: string; readonly event?: string }) => void;

/** Open streams of this process. */
export type EventStreams = {
  /**
   * Answers with a stream. `begin` starts listening and returns how to stop; `end` closes the stream
   * from the server's side once everything sent so far has left.
   */
  open(c: WebContext, begin: (send: Send, end: () => void) => () => void): Response;
  /** How many are open. */
  count(): number;
  /** Closes every stream; later ones are refused with 503. */
  closeAll(): void;
};

/** Whether somebody is still signed in; a stream must not outlive its session. */
export type IsSignedIn = (session: Session) => Promise<boolean>;

/** A stream of a session that ended goes on for so long at most. */
const SESSION_CHECK_MS = 1000;
/** Below the idle limits of the server and of common proxies. */
const ALIVE_MS = 15_000;
/** Streams at once; each open page holds one. */
export const STREAMS_MAX = 256;

/** Builds the registry of streams. @param onOpen called after each stream that was opened */
export function createEventStreams(
  log: Log,
  isSignedIn: IsSignedIn,
  onOpen: () => void = () => undefined,
): EventStreams {
  const closers = new Set<() => void>();
  let isClosing = false;
  return {
    open(c, begin) {
      if (isClosing || closers.size >= STREAMS_MAX) {
        return c.text("", 503, { "retry-after": "5" });
      }
      const session = c.get("visitor")?.session;
      const mayStay = async () => session === undefined || (await isSignedIn(session));
      const body = createBody(begin, { closers, log, mayStay });
      onOpen();
      return c.body(body, 200, {
        "content-type": "text/event-stream; charset=utf-8",
        // Proxies would otherwise hold messages back.
        "x-accel-buffering": "no",
      });
    },
    count: () => closers.size,
    closeAll() {
      isClosing = true;
      for (const close of [...closers]) close();
    },
  };
}

type StreamDeps = {
  readonly closers: Set<() => void>;
  readonly log: Log;
  mayStay(): Promise<boolean>;
};

function createBody(
  begin: (send: Send, end: () => void) => () => void,
  { closers, log, mayStay }: StreamDeps,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let close = () => {};
  return new ReadableStream({
    start(controller) {
      let stop = () => {};
      let isOpen = true;
      const write = (text: string) => {
        if (isOpen) controller.enqueue(encoder.encode(text));
      };
      const alive = setInterval(() => write(": alive\n\n"), ALIVE_MS);
      const check = setInterval(() => {
        mayStay()
          .then((stays) => stays || close())
          .catch((error: unknown) => log.debug("a stream's session was not checked", { error }));
      }, SESSION_CHECK_MS);
      close = () => {
        if (!isOpen) return;
        isOpen = false;
        clearInterval(alive);
        clearInterval(check);
        closers.delete(close);
        stop();
        try {
          controller.close();
        } catch (error) {
          log.debug("a stream was already closed", { error });
        }
      };
      closers.add(close);
      write(": open\n\n");
      stop = begin((message) => write(encode(message)), close);
      // The listener may have ended the stream while it began.
      if (!isOpen) stop();
    },
    cancel: () => close(),
  });
}

function encode({ html, event }: Parameters<Send>[0]): string {
  const name = event === undefined ? "" : `event: ${event}\n`;
  const lines = (html ?? "").split("\n").map((line) => `data: ${line}\n`);
  return `${name}${lines.join("")}\n`;
}
