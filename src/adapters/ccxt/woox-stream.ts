// WOO X's private stream as hints: something changed, ask. Opened by the broker. Nothing is booked
// from here: pushes may be lost, doubled or late. After every connection, gap or doubt one resync hint
// goes out, and the truth is read over REST. Source: the exchange's V2 private stream documents.
import { createHmac } from "node:crypto";
import type { BrokerHint, HintStream } from "../../ports/broker.ts";
import type { Log } from "../../ports/log.ts";
import type { BrokerAccount, Client, ClientDeps, Row } from "./broker-client.ts";
import { rowOf, textOf, textOrNull } from "./broker-fields.ts";
import { parseExact } from "./exact-json.ts";

/** What the stream needs; delays are there for tests. */
export type StreamDeps = ClientDeps & {
  readonly log: Log;
  readonly account: BrokerAccount;
  readonly client: Client;
  /** First and longest wait before connecting again, ms. */
  readonly retryMs?: { readonly first: number; readonly most: number };
  /** Silence after which the connection counts as dead, ms. */
  readonly silentMs?: number;
};

type Send = (hint: BrokerHint) => void;
type ResyncCause = Extract<BrokerHint, { kind: "resync" }>["cause"];

const ADDRESS = {
  live: "wss://wss.woox.io/v2/ws/private/stream/",
  testnet: "wss://wss.staging.woox.io/v2/ws/private/stream/",
};
const TOPICS = ["executionreport", "algoexecutionreportv2", "position", "balance"];
const RETRY_MS = { first: 1000, most: 60_000 };
/** The exchange pings every 10 s. */
const SILENT_MS = 25_000;
/** A day is the longest a connection lives; a fresh one before that is ours to choose. */
const LIFE_MS = 82_800_000;

/** Connects, stays connected and passes hints on until stopped. */
export function openWooxStream(deps: StreamDeps, onHint: Send): HintStream {
  const stopping = new AbortController();
  const { signal } = stopping;
  void keepConnected(deps, onHint, signal).catch((error: unknown) => {
    if (!signal.aborted)
      deps.log.error("the private stream of woox ended", { error: nameOf(error) });
  });
  return { stop: () => stopping.abort() };
}

async function keepConnected(deps: StreamDeps, onHint: Send, signal: AbortSignal): Promise<void> {
  const { first, most } = deps.retryMs ?? RETRY_MS;
  let waitMs = first;
  while (!signal.aborted) {
    try {
      const applicationId = await applicationIdOf(deps, signal);
      const wasReady = await oneConnection(deps, applicationId, onHint, signal);
      if (wasReady) waitMs = first;
    } catch (error) {
      // The next round is the remedy; who listens hears that nothing can be relied on meanwhile.
      deps.log.warn("the private stream of woox cannot connect", { error: nameOf(error) });
    }
    if (signal.aborted) return;
    onHint({ kind: "resync", cause: "disconnected" });
    await deps.clock.sleep(waitMs, signal);
    waitMs = Math.min(most, waitMs * 2);
  }
}

/** The id in the stream's address: given with the key, else asked for. */
async function applicationIdOf(deps: StreamDeps, signal: AbortSignal): Promise<string> {
  const { uid } = deps.account.credentials;
  if (uid !== null) return uid.reveal();
  const { client } = deps;
  const answer = await client.wire.run({ sent: [], signal }, () =>
    client.exchange.request("account/info", ["v3", "private"], "GET", {}),
  );
  return textOf(rowOf(rowOf(answer, "account").data, "account"), "applicationId");
}

/** One connection from open to end; true when it had been signed in. */
function oneConnection(
  deps: StreamDeps,
  applicationId: string,
  onHint: Send,
  signal: AbortSignal,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = new WebSocket(addressOf(deps) + encodeURIComponent(applicationId));
  const frames = createFrameReader(onHint);
  let isReady = false;
  let silence: ReturnType<typeof setTimeout> | undefined;
  const age = setTimeout(() => socket.close(), LIFE_MS);
  const resync = (cause: ResyncCause) => onHint({ kind: "resync", cause });
  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      resync("silent");
      end();
    }, deps.silentMs ?? SILENT_MS);
  };
  const end = () => {
    clearTimeout(silence);
    clearTimeout(age);
    signal.removeEventListener("abort", end);
    // A peer that is gone never answers the closing handshake.
    socket.terminate();
    resolve(isReady);
  };
  signal.addEventListener("abort", end, { once: true });
  socket.onopen = () => {
    listen();
    socket.send(JSON.stringify(signIn(deps)));
  };
  socket.onmessage = ({ data }) => {
    listen();
    const frame = parseExact(String(data));
    const event = frame === undefined ? null : textOrNull(rowOf(frame, "frame"), "event");
    if (event === "ping") {
      socket.send(JSON.stringify({ event: "pong", ts: deps.clock.now() }));
    } else if (event === "auth") {
      if ((frame as Row).success !== true) return end();
      isReady = true;
      TOPICS.forEach((topic, index) => {
        socket.send(JSON.stringify({ id: String(index + 1), event: "subscribe", topic }));
      });
      resync("connected");
    } else {
      frames(frame as Row | undefined);
    }
  };
  socket.onerror = end;
  socket.onclose = end;
  return promise;
}

function addressOf({ account, loopbackUrl }: StreamDeps): string {
  const address = account.isTestnet ? ADDRESS.testnet : ADDRESS.live;
  if (loopbackUrl === null) return address;
  return address.replace(/^wss:\/\/[^/]+/, loopbackUrl.replace(/^http/, "ws"));
}

function signIn({ account, client }: StreamDeps): Row {
  const { apiKey, apiSecret } = account.credentials;
  const timestamp = String(client.exchange.milliseconds());
  const sign = createHmac("sha256", apiSecret.reveal()).update(`|${timestamp}`).digest("hex");
  return { id: "0", event: "auth", params: { apikey: apiKey.reveal(), sign, timestamp } };
}

/**
 * Turns frames into hints; a topic's time that runs backwards, or a leg's version that does or jumps,
 * is a gap. Each topic and each leg counts for itself.
 */
function createFrameReader(onHint: Send): (frame: Row | undefined) => void {
  const versions = new Map<string, number>();
  const instants = new Map<string, number>();
  const resync = (cause: ResyncCause) => onHint({ kind: "resync", cause });

  function orders(row: Row, isAlgo: boolean): void {
    const clientId = textOrNull(row, isAlgo ? "clientAlgoOrderId" : "clientOrderId");
    onHint({
      kind: "order",
      symbol: textOf(row, "symbol"),
      exchangeOrderId: textOf(row, isAlgo ? "algoOrderId" : "orderId"),
      clientOrderId: clientId === "0" ? null : clientId,
    });
  }
  function positions(all: Row): void {
    for (const [symbol, position] of Object.entries(all)) {
      const row = rowOf(position, "position");
      const leg = `${symbol} ${textOrNull(row, "positionSide") ?? "BOTH"}`;
      const version = Number(textOrNull(row, "version"));
      const known = versions.get(leg);
      if (known !== undefined && version !== known && version !== known + 1) resync("gap");
      if (Number.isFinite(version)) versions.set(leg, version);
      onHint({ kind: "position", symbol });
    }
  }

  return (frame) => {
    if (frame === undefined) return resync("unreadable");
    const topic = textOrNull(frame, "topic");
    if (topic === null) {
      // A refused subscription would leave us deaf without a word.
      if (frame.event === "subscribe" && frame.success !== true) resync("gap");
      return;
    }
    try {
      const at = Number(textOrNull(frame, "ts"));
      if (at < (instants.get(topic) ?? 0)) resync("gap");
      else if (Number.isFinite(at)) instants.set(topic, at);
      const data = frame.data;
      const rows = Array.isArray(data) ? data.map((each) => rowOf(each, "data")) : null;
      if (topic === "position") positions(rowOf(rowOf(data, "data").positions, "positions"));
      else if (topic === "balance") onHint({ kind: "balance" });
      else {
        const isAlgo = topic === "algoexecutionreportv2";
        for (const row of rows ?? [rowOf(data, "data")]) orders(row, isAlgo);
      }
    } catch {
      // What cannot be read may have been about anything: everything is asked for.
      resync("unreadable");
    }
  };
}

/** The kind of an error; its message may hold an address. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "unknown";
}
