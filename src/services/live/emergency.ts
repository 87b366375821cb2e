// The one way to stop and release trading: pages and commands come here, rows are written in the order that keeps a
// crash harmless, workers obey. Whoever trades may make it safer, only an owner makes it riskier. Nothing here talks
// to an exchange.
import type { Scope } from "../../ports/access-store.ts";
import { createWatch } from "../desk/bot-watch.ts";
import { kill, levelOf, resume, settle } from "./emergency-kill.ts";
import { followRounds, readRounds, roundBots } from "./emergency-rounds.ts";
import type { Emergency, EmergencyDeps, ScopeView, TradingView } from "./emergency-types.ts";
import { effectOf, findingsOf, readFacts, type TradingFacts } from "./emergency-view.ts";
import { isNeverOn, scopeKey, scopeName, scopeOfKey } from "./trading-scopes.ts";

/** Closings under way are looked at this often. */
const FOLLOW_EVERY_MS = 1000;
/** Without one this often, for those another process began. */
const LOOK_EVERY_MS = 15_000;

/** Builds the service. */
export function createEmergency(deps: EmergencyDeps): Emergency {
  let wake: (() => void) | null = null;
  const alone = oneAfterAnother();
  const { clock, log } = deps;
  return {
    watch: createWatch({ read: (scope) => viewOf(deps, scope), clock, log }),
    view: (scope) => viewOf(deps, scope),
    stopped: (scope) => stoppedOf(deps, scope),
    async preview(scope, { scope: key, level: typed }) {
      const facts = await readFacts(deps, scope);
      const of = scopeOfKey(key, facts);
      const level = levelOf(typed);
      if (of === null || level === null) return null;
      return { ...(await effectOf(deps, scope, of, level)), name: scopeName(of, facts), level };
    },
    async kill(actor, wish) {
      const outcome = await alone(() => kill(deps, actor, wish));
      wake?.();
      return outcome;
    },
    resume: (actor, wish) => alone(() => resume(deps, actor, wish)),
    settle: (actor, wish) => settle(deps, actor, wish),
    async run(signal) {
      while (!signal.aborted) {
        const open = await alone(() => follow(deps, signal));
        const woken = new AbortController();
        wake = () => woken.abort();
        const either = AbortSignal.any([signal, woken.signal]);
        const waitMs = open > 0 ? FOLLOW_EVERY_MS : LOOK_EVERY_MS;
        // Either end of the wait is fine: time passed, a kill came, or Dragon stops.
        await deps.clock.sleep(waitMs, either).catch(() => undefined);
      }
    },
  };
}

/** What reads a state before it writes one must not meet another of its kind. */
function oneAfterAnother() {
  let present: Promise<unknown> = Promise.resolve();
  return <T>(step: () => Promise<T>): Promise<T> => {
    const next = present.then(step, step);
    present = next;
    return next;
  };
}

/** @returns how many closings are open */
async function follow(deps: EmergencyDeps, signal: AbortSignal): Promise<number> {
  let open = 0;
  try {
    for (const workspaceId of (await deps.control.readAll()).keys()) {
      if (signal.aborted) return 0;
      open += await followRounds(deps, { workspaceId, userId: null, role: "owner" });
    }
  } catch (error) {
    deps.log.warn("closings under way could not be looked at", { error });
  }
  return open;
}

async function stoppedOf(deps: EmergencyDeps, scope: Scope) {
  const facts = await readFacts(deps, scope);
  const { epoch } = facts.rows;
  const states = statesOf(facts).filter((each) => each.state !== "active" && !each.isNeverOn);
  return { epoch, confirmed: await confirmedOf(deps, scope, epoch), states };
}

const WIDTH = { global: 0, live: 1, account: 2, bot: 3 } as const;

function statesOf(facts: TradingFacts): readonly ScopeView[] {
  return facts.rows.states
    .map((row) => ({
      ...row,
      key: scopeKey(row.scope),
      name: scopeName(row.scope, facts),
      isNeverOn: isNeverOn(row),
    }))
    .sort((a, b) => WIDTH[a.scope.kind] - WIDTH[b.scope.kind] || a.name.localeCompare(b.name));
}

async function confirmedOf({ acknowledged }: EmergencyDeps, scope: Scope, epoch: number) {
  const epochs = await acknowledged(scope);
  if (epochs.length === 0) return null;
  return { count: epochs.filter((seen) => seen >= epoch).length, of: epochs.length };
}

async function viewOf(deps: EmergencyDeps, scope: Scope): Promise<TradingView> {
  const facts = await readFacts(deps, scope);
  const { epoch } = facts.rows;
  const rounds = await Promise.all(
    (await readRounds(deps, scope)).map(async (round) => {
      const of = scopeOfKey(round.scope, facts);
      const name = of === null ? "Something deleted" : scopeName(of, facts);
      return { ...round, name, rows: await roundBots(deps, scope, round) };
    }),
  );
  return {
    ...{ epoch, rounds, accounts: facts.accounts, bots: facts.bots },
    confirmed: await confirmedOf(deps, scope, epoch),
    states: statesOf(facts),
    findings: await findingsOf(deps, scope, facts.accounts),
    at: deps.clock.now(),
  };
}
