// The one place where the broker's requests leave the program, and what is remembered of each: was
// it sent, what came back. Used by broker-client.ts. Nothing is ever sent twice from here, and an
// account bound to loopback reaches nothing else, whatever proxy is configured.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../ports/clock.ts";
import { parseExact } from "./exact-json.ts";

/** One request as it went out and what is known of its answer. */
export type Sent = {
  readonly method: string;
  /** Null until an answer has come. */
  status: number | null;
  /** The answer as exact JSON; undefined when it is none. */
  body: unknown;
  retryAfterMs: number | null;
};

/** Everything one call sent, oldest first. */
export type Trail = { readonly sent: Sent[]; readonly signal: AbortSignal };

/** How a request gets to the exchange; `fetch` unless a composition root hands in another. */
export type Send = (address: string, init: RequestInit) => Promise<Response>;

/** Sends for ccxt and keeps the trail of each call. */
export type Wire = {
  /** Given to ccxt in place of its own fetch. */
  fetch(address: string, init: RequestInit): Promise<Response>;
  /** Runs a call; what it sends is written to the trail. */
  run<T>(trail: Trail, call: () => Promise<T>): Promise<T>;
};

/** A request that may not leave; it was not sent. */
export class EgressError extends Error {
  override readonly name = "EgressError";
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\])$/;
/** Bun takes a configured proxy even for loopback addresses unless told not to. */
const WITHOUT_PROXY: object = { proxy: false };
const RETRY_AFTER_MAX_MS = 3_600_000;

/**
 * A wire without a trail yet.
 * @param isLoopbackOnly true refuses every other address
 * @param carry what every permitted request is handed to
 */
export function createWire(clock: Clock, isLoopbackOnly: boolean, carry: Send = fetch): Wire {
  const trails = new AsyncLocalStorage<Trail>();

  async function send(address: string, init: RequestInit): Promise<Response> {
    const trail = trails.getStore();
    if (trail === undefined) throw new EgressError("a request outside of a call was not sent");
    trail.signal.throwIfAborted();
    if (isLoopbackOnly && !isLoopback(address)) {
      throw new EgressError("a request to another machine was not sent for a demo account");
    }
    const method = init.method ?? "GET";
    const sent: Sent = { method, status: null, body: undefined, retryAfterMs: null };
    trail.sent.push(sent);
    const signals = init.signal ? [init.signal, trail.signal] : [trail.signal];
    const answer = await carry(address, {
      ...init,
      ...(isLoopbackOnly ? WITHOUT_PROXY : {}),
      redirect: "error",
      // Bun repeats a PUT or DELETE by itself when a kept connection dies before the answer.
      keepalive: method === "GET" || method === "POST",
      signal: AbortSignal.any(signals),
    });
    const text = await answer.text();
    sent.status = answer.status;
    sent.body = parseExact(text);
    sent.retryAfterMs = retryAfterMs(answer.headers, clock.now());
    const { status, headers } = answer;
    return new Response(hasNoBody(status) ? null : text, { status, headers: plain(headers) });
  }

  return { fetch: send, run: (trail, call) => trails.run(trail, call) };
}

/** Whether an address is on this machine. */
export function isLoopback(address: string): boolean {
  return URL.canParse(address) && LOOPBACK.test(new URL(address).hostname);
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** The text is unpacked already; headers that say otherwise would mislead the next reader. */
function plain(headers: Headers): Headers {
  const kept = new Headers(headers);
  kept.delete("content-encoding");
  kept.delete("content-length");
  return kept;
}

function retryAfterMs(headers: Headers, now: number): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(waitMs) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, waitMs)) : null;
}
