// One POST to an address somebody typed in: guarded, pinned to the address that was checked, no redirects, a short
// answer at most. Used by notifier.ts alone.
import { request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { placeOf, type Resolve } from "./address-guard.ts";

/** What is sent. */
export type Post = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly mayBePrivate: boolean;
};

/** The status, or why there is none. */
export type Posted =
  { readonly status: number } | { readonly problem: string; readonly isFinal: boolean };

/** The whole exchange, name resolution included. */
const LIMIT_MS = 10_000;
/** Answers are thrown away; a longer one is cut. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** Sends it. Never throws but with the signal's reason. */
export async function post(
  { url, headers, body, mayBePrivate }: Post,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<Posted> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  try {
    const place = await withLimit(placeOf(url, mayBePrivate, resolve), limited);
    if (typeof place === "string") return { problem: place, isFinal: true };
    const isTls = url.protocol === "https:";
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const options: RequestOptions = {
      host: place.address,
      port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
      method: "POST",
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, "content-length": Buffer.byteLength(body) },
      signal: limited,
      agent: false,
      ...(isTls ? { servername: host } : {}),
    };
    return { status: await sent(isTls, options, body) };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: problemOf(error, limited), isFinal: false };
  }
}

function withLimit<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

function sent(isTls: boolean, options: RequestOptions, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const make = isTls ? tlsRequest : plainRequest;
    const request = make(options, (answer) => {
      const { statusCode = 0 } = answer;
      let bytes = 0;
      answer.on("data", (chunk: Uint8Array) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) answer.destroy();
      });
      answer.on("error", reject);
      answer.on("close", () => resolve(statusCode));
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Codes of the system only: its sentences name the address. */
function problemOf(error: unknown, limited: AbortSignal): string {
  if (limited.aborted) return `no answer within ${LIMIT_MS / 1000} seconds`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (/ENOTFOUND|EAI_/.test(code)) return "the name could not be resolved";
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code)) return `the certificate is bad (${code})`;
  return code === "" ? "the connection failed" : `the connection failed (${code})`;
}
