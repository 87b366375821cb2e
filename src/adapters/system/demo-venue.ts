// The demo exchange in a thread of this process. Built by the composition with the address of the thread's
// program. It starts and stops the thread and says when it died; it never starts one again by itself,
// because what the accounts hold must be read afresh before.
import type { Log } from "../../ports/log.ts";
import type {
  DemoAccount,
  DemoExchange,
  DemoKeys,
  DemoReply,
  DemoRequest,
  DemoSettings,
  DemoVenue,
  PlainAccount,
  PlainKeys,
} from "../../ports/demo-venue.ts";
import type { Secret } from "../../ports/vault.ts";

/** What the composition hands in. */
export type DemoVenueDeps = {
  /** The program of the thread. */
  readonly url: URL;
  readonly log: Log;
  /** Wraps a key so that it does not print. */
  readonly createSecret: (text: string) => Secret;
};

/** How long the thread may take to stop listening before it is ended. */
const STOP_MS = 2000;

type Answered<Kind extends DemoReply["kind"]> = Extract<DemoReply, { kind: Kind }>;
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

type Thread = {
  readonly worker: Worker;
  readonly waiting: Map<number, (reply: DemoReply | Error) => void>;
  asked: number;
  /** Ended by us: its end is no death. */
  isStopped: boolean;
  lastWords: string;
};

/** Demo exchanges on threads of this process. */
export function createDemoVenue(deps: DemoVenueDeps): DemoVenue {
  return {
    async start(settings, onDeath) {
      const thread = spawn(deps, onDeath);
      try {
        return await started(deps, thread, settings);
      } catch (error) {
        end(thread);
        throw error;
      }
    },
  };
}

async function started(
  { createSecret }: DemoVenueDeps,
  thread: Thread,
  { seed, idsAbove, accounts }: DemoSettings,
): Promise<DemoExchange> {
  const secretive = ({ apiKey, apiSecret }: PlainKeys): DemoKeys => ({
    apiKey: createSecret(apiKey),
    apiSecret: createSecret(apiSecret),
  });
  const request = { kind: "start", seed, idsAbove, accounts: accounts.map(plain) } as const;
  const { url, wsUrl, adminToken, keys } = await ask(thread, request, "started");
  return {
    url,
    wsUrl,
    adminToken,
    keys: keys.map(secretive),
    async openAccount(account) {
      const opened = await ask(thread, { kind: "open", account: plain(account) }, "opened");
      return secretive(opened.keys);
    },
    stop: () => stop(thread),
  };
}

/** Keys are laid open for the way into the thread alone. */
function plain({ keys, ...account }: DemoAccount): PlainAccount {
  if (keys === null) return { ...account, keys };
  return {
    ...account,
    keys: { apiKey: keys.apiKey.reveal(), apiSecret: keys.apiSecret.reveal() },
  };
}

function spawn({ url, log }: DemoVenueDeps, onDeath: (words: string) => void): Thread {
  const worker = new Worker(url.href);
  const thread: Thread = {
    worker,
    waiting: new Map(),
    asked: 0,
    isStopped: false,
    lastWords: "",
  };
  worker.addEventListener("message", ({ data }: MessageEvent<DemoReply>) => {
    const settle = thread.waiting.get(data.id);
    thread.waiting.delete(data.id);
    settle?.(data);
  });
  worker.addEventListener("error", (event: ErrorEvent) => {
    event.preventDefault();
    thread.lastWords = event.message;
  });
  worker.addEventListener("close", () => {
    const words = thread.lastWords;
    const wasStopped = thread.isStopped;
    thread.isStopped = true;
    for (const settle of thread.waiting.values()) settle(gone(words));
    thread.waiting.clear();
    if (wasStopped) return;
    log.error("the demo exchange ended unexpectedly", { words });
    onDeath(words);
  });
  return thread;
}

function gone(words: string): Error {
  return new Error(`the demo exchange has ended${words === "" ? "" : `: ${words}`}`);
}

async function ask<Kind extends DemoReply["kind"]>(
  thread: Thread,
  request: WithoutId<DemoRequest>,
  kind: Kind,
): Promise<Answered<Kind>> {
  if (thread.isStopped) throw gone(thread.lastWords);
  const id = ++thread.asked;
  const reply = await new Promise<DemoReply>((resolve, reject) => {
    thread.waiting.set(id, (settled) =>
      settled instanceof Error ? reject(settled) : resolve(settled),
    );
    thread.worker.postMessage({ ...request, id });
  });
  if (reply.kind === "refused") throw new Error(`the demo exchange: ${reply.sentence}`);
  if (reply.kind !== kind) throw new Error(`the demo exchange answered ${reply.kind}`);
  return reply as Answered<Kind>;
}

/** Lets it finish what it answers, then ends the thread; a deaf one is ended all the same. */
async function stop(thread: Thread): Promise<void> {
  if (thread.isStopped) return;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, STOP_MS);
  const asked = ask(thread, { kind: "stop" }, "stopped");
  thread.isStopped = true;
  await Promise.race([asked.catch(() => undefined), late]);
  clearTimeout(timer);
  end(thread);
}

function end(thread: Thread): void {
  thread.isStopped = true;
  for (const settle of thread.waiting.values()) settle(gone(thread.lastWords));
  thread.waiting.clear();
  thread.worker.terminate();
}
