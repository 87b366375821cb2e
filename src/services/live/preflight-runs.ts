// Pre-flights that go on while nobody waits for them: at most one per account, begun by a form, followed by a page.
// Built by the composition; the verdict is kept by preflight.ts, what is in memory here only tells of its making.
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId, AccountStore } from "../../ports/account-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { includesRole } from "../desk/tokens.ts";
import type { Preflight } from "./preflight.ts";

/** Why none was begun. */
export type BeginRefusal = "unknown_account" | "not_allowed" | "not_live" | "busy";

/** What is known of the making; null when none is under way and the last one ended well. */
export type Making = { readonly since: EpochMs; readonly hasFailed: boolean } | null;

/** Pre-flights under way. */
export type PreflightRuns = {
  /** Begins one for a live account; refused while one is under way. */
  begin(scope: Scope, accountId: AccountId): Promise<Result<null, BeginRefusal>>;
  /** Of an account the caller found in its workspace. */
  making(accountId: AccountId): Making;
  /** Calls back once, when the one under way ends; at once without one. @returns calls it off */
  whenEnded(accountId: AccountId, listener: () => void): () => void;
  /** Ends all that are under way and waits for them. */
  stop(): Promise<void>;
};

/** What it works with. */
export type PreflightRunsDeps = {
  readonly preflight: Pick<Preflight, "run">;
  readonly accounts: Pick<AccountStore, "find">;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
};

/** Under way at once, over all workspaces: each asks an exchange dozens of questions. */
const RUNS_MAX = 8;

type Entry = {
  readonly since: EpochMs;
  hasFailed: boolean;
  /** Null once it ended. */
  done: Promise<void> | null;
  readonly listeners: Set<() => void>;
};

/** Nothing is under way. */
export function createPreflightRuns(deps: PreflightRunsDeps): PreflightRuns {
  const { preflight, accounts, clock, log } = deps;
  const entries = new Map<AccountId, Entry>();
  const stopped = new AbortController();
  const underWay = () => [...entries.values()].filter(({ done }) => done !== null);

  async function make(scope: Scope, accountId: AccountId, entry: Entry): Promise<void> {
    try {
      await preflight.run(scope, accountId, stopped.signal);
      entries.delete(accountId);
    } catch (error) {
      entry.hasFailed = true;
      if (!stopped.signal.aborted) log.error("a pre-flight was not finished", { error });
    }
    entry.done = null;
    for (const listener of [...entry.listeners]) listener();
    entry.listeners.clear();
  }

  return {
    async begin(scope, accountId) {
      const account = await accounts.find(scope, accountId);
      if (account === null) return refuse("unknown_account", "there is no such account");
      if (!includesRole(scope.role, "trader")) {
        return refuse("not_allowed", "a pre-flight needs the rights of a trader");
      }
      if (account.mode !== "live") {
        return refuse("not_live", `${account.name} trades no real money and needs no pre-flight`);
      }
      if (entries.get(accountId)?.done) {
        return refuse("busy", "a pre-flight of the account is under way already");
      }
      if (stopped.signal.aborted || underWay().length >= RUNS_MAX) {
        return refuse("busy", "too many pre-flights are under way; try again in a minute");
      }
      const entry: Entry = {
        since: clock.now(),
        hasFailed: false,
        done: null,
        listeners: new Set(),
      };
      entries.set(accountId, entry);
      entry.done = make(scope, accountId, entry);
      return ok(null);
    },
    making(accountId) {
      const entry = entries.get(accountId);
      return entry ? { since: entry.since, hasFailed: entry.hasFailed } : null;
    },
    whenEnded(accountId, listener) {
      const entry = entries.get(accountId);
      if (!entry?.done) {
        listener();
        return () => undefined;
      }
      entry.listeners.add(listener);
      return () => void entry.listeners.delete(listener);
    },
    async stop() {
      stopped.abort(new Error("Dragon stops"));
      await Promise.all(underWay().map(({ done }) => done));
    },
  };
}
