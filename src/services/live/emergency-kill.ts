// Kills, releases and decisions about findings, checked and written in the order that keeps a crash harmless. Used by
// emergency.ts alone, one after the other in a workspace. It never makes a scope laxer but by a release.
import type { Scope } from "../../ports/access-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { Command } from "../../ports/command-store.ts";
import type { TradingScope } from "../../ports/control-store.ts";
import { strictest, type TradingState } from "../../risk/trading-state.ts";
import { type Actor, type FieldRefusal, refuseField } from "../desk/actor.ts";
import { includesRole } from "../desk/tokens.ts";
import { readArmed } from "./armed-mark.ts";
import { dropRound, writeRound } from "./emergency-rounds.ts";
import {
  type Emergency,
  type EmergencyDeps,
  type EmergencyOutcome,
  KILL_LEVELS,
  KILL_WORDS,
  type KillWish,
  RESUME_WORD,
} from "./emergency-types.ts";
import { heirTyped } from "./findings-heirs.ts";
import {
  botsToFlatten,
  findingsOf,
  type KillLevel,
  LEVEL_STATES,
  readFacts,
  type TradingFacts,
} from "./emergency-view.ts";
import {
  coveringState,
  covers,
  isNeverOn,
  ownState,
  scopeKey,
  scopeName,
  scopeOfKey,
} from "./trading-scopes.ts";

const REASON_MAX = 300;

/** The level of a name; null for anything else. */
export function levelOf(typed: string): KillLevel | null {
  return KILL_LEVELS.find((level) => level === typed) ?? null;
}

const refuse = (reason: "not_allowed" | "no_effect", detail: string) =>
  ({ ok: false, reason, detail }) as const;

type Checked = {
  readonly facts: TradingFacts;
  readonly of: TradingScope;
  readonly name: string;
  readonly reason: string;
};

async function checkWish(
  deps: EmergencyDeps,
  { scope }: Actor,
  wish: Pick<KillWish, "scope" | "reason">,
  fallback: string,
): Promise<Checked | FieldRefusal> {
  const facts = await readFacts(deps, scope);
  const of = scopeOfKey(wish.scope, facts);
  if (of === null) {
    const detail = `scope: "${wish.scope.slice(0, 40)}" is no account or bot of yours`;
    return refuseField("scope", `${detail}; global, live, account:… or bot:… is allowed`);
  }
  const reason = wish.reason.trim() === "" ? fallback : wish.reason.trim();
  if (reason.length > REASON_MAX) {
    const detail = `reason: it has ${reason.length} characters; ${REASON_MAX} are allowed`;
    return refuseField("reason", detail);
  }
  return { facts, of, name: scopeName(of, facts), reason };
}

function wrongWord(typed: string, word: string): FieldRefusal {
  const shown = typed.trim().slice(0, 40);
  return refuseField("confirm", `word: "${shown}" is not ${word}; nothing was changed`);
}

/** Makes a scope stricter, or closes everything in it. */
export async function kill(
  deps: EmergencyDeps,
  actor: Actor,
  wish: KillWish,
): Promise<EmergencyOutcome> {
  if (!includesRole(actor.scope.role, "trader")) {
    return refuse("not_allowed", "stopping trading needs the rights of a trader");
  }
  const level = levelOf(wish.level);
  if (level === null) {
    const allowed = KILL_LEVELS.join(", ");
    return refuseField("level", `level: "${wish.level.slice(0, 40)}" must be one of ${allowed}`);
  }
  const word = KILL_WORDS[level];
  if (word !== null && wish.confirm.trim() !== word) return wrongWord(wish.confirm, word);
  const checked = await checkWish(deps, actor, wish, "stopped by hand");
  if ("ok" in checked) return checked;
  return level === "flatten"
    ? killAndClose(deps, actor, checked)
    : tighten(deps, actor, checked, LEVEL_STATES[level]);
}

/** Makes a scope stricter; an equally strict one is left as it is. */
async function tighten(
  deps: EmergencyDeps,
  actor: Actor,
  { facts, of, name, reason }: Checked,
  wanted: TradingState,
): Promise<EmergencyOutcome> {
  const own = ownState(facts.rows.states, of);
  const present = own?.state ?? "active";
  const state = strictest([present, wanted]);
  if (state === present) {
    const way =
      own !== null && isNeverOn(own) ? "its pre-flight switches it on" : "an owner releases it";
    return refuse("no_effect", `${name} is ${present} already; ${way}`);
  }
  const change = { scope: of, state, reason, actor: actor.user.email };
  const { epoch } = await deps.control.setStates(actor.scope, [change], deps.clock.now());
  return { ok: true, sentence: `${name} is ${state}.`, epoch };
}

/**
 * First what is to be done is written down, then nothing opens any more, then the bots are asked: a crash in
 * between is made good by whoever follows the closings.
 */
async function killAndClose(
  deps: EmergencyDeps,
  actor: Actor,
  { facts, of, name, reason }: Checked,
): Promise<EmergencyOutcome> {
  const { scope, user } = actor;
  const { clock, control } = deps;
  const covered = facts.bots.filter((bot) => covers(of, bot));
  const frozen = covered.filter((bot) => isFrozen(facts, bot));
  const own = ownState(facts.rows.states, of);
  if (own?.state === "frozen" || (covered.length > 0 && frozen.length === covered.length)) {
    const by = own?.state === "frozen" ? own : coveringState(facts.rows.states, first(frozen));
    const whose = by === null ? name : scopeName(by.scope, facts);
    const detail = `${whose} is frozen: ${by?.reason ?? ""}. Frozen touches nothing`;
    return refuse("no_effect", `${detail}; an owner releases it first`);
  }
  const open = covered.filter((bot) => !frozen.includes(bot));
  const wanted = await botsToFlatten(deps, scope, open);
  const [last] = await deps.bots.events(scope, {
    ...{ accountId: null, botId: null, severities: null, beforeId: null, limit: 1 },
  });
  await writeRound(deps, scope, {
    ...{ scope: scopeKey(of), since: clock.now(), actor: user.email, reason, haltedAt: null },
    afterEventId: last?.id ?? 0,
    botIds: wanted.map(({ id }) => id),
  });
  const state = strictest([own?.state ?? "active", LEVEL_STATES.flatten]);
  const change = { scope: of, state, reason, actor: user.email };
  const { epoch } = await control.setStates(scope, [change], clock.now());
  for (const { id } of wanted) await deps.bots.wish(scope, id, { action: "flatten" }, clock.now());
  const left =
    frozen.length === 0 ? "" : ` ${bots(frozen.length)} left alone because they are frozen.`;
  const sentence = `${name} opens nothing; ${bots(wanted.length)} being closed.${left}`;
  return { ok: true, sentence, epoch };
}

function bots(count: number): string {
  return `${count} ${count === 1 ? "bot is" : "bots are"}`;
}

function first(list: readonly Bot[]): Bot {
  const [bot] = list;
  if (bot === undefined) throw new Error("an empty list has no first bot");
  return bot;
}

function isFrozen({ rows }: TradingFacts, bot: Bot): boolean {
  return coveringState(rows.states, bot)?.state === "frozen";
}

/** Makes a scope active again. */
export async function resume(
  deps: EmergencyDeps,
  actor: Actor,
  wish: Omit<KillWish, "level">,
): Promise<EmergencyOutcome> {
  if (!includesRole(actor.scope.role, "owner")) {
    return refuse("not_allowed", "releasing needs the rights of an owner");
  }
  if (wish.confirm.trim() !== RESUME_WORD) return wrongWord(wish.confirm, RESUME_WORD);
  const checked = await checkWish(deps, actor, wish, "released by hand");
  if ("ok" in checked) return checked;
  const { facts, of, name, reason } = checked;
  const row = ownState(facts.rows.states, of);
  if (row === null || row.state === "active") {
    return refuse("no_effect", `${name} is active already`);
  }
  if (of.kind === "live" && row.state === "frozen") {
    const detail = "frozen live trading is switched on by the pre-flight of an account";
    return refuse("no_effect", `${detail}, not by a release`);
  }
  const { scope, user } = actor;
  if (await needsArming(deps, scope, facts, of)) {
    const detail = `${name} trades real money and is not armed; its pre-flight switches it on`;
    return refuse("no_effect", `${detail}, not a release`);
  }
  await dropRound(deps, scope, scopeKey(of));
  const change = { scope: of, state: "active", reason, actor: user.email } as const;
  const { epoch } = await deps.control.setStates(scope, [change], deps.clock.now());
  const others = facts.rows.states
    .filter((other) => scopeKey(other.scope) !== scopeKey(of))
    .filter((other) => other.state !== "active" && !isNeverOn(other))
    .map((other) => scopeName(other.scope, facts));
  const still = others.length === 0 ? "" : ` Still stopped: ${others.join(", ")}.`;
  return { ok: true, sentence: `${name} is active.${still}`, epoch };
}

/** Without a mark nothing but a pre-flight may make a live account active. */
async function needsArming(
  { settings }: Pick<EmergencyDeps, "settings">,
  scope: Scope,
  { accounts }: Pick<TradingFacts, "accounts">,
  of: TradingScope,
): Promise<boolean> {
  if (of.kind !== "account") return false;
  const isLive = accounts.some(({ id, mode }) => id === of.accountId && mode === "live");
  return isLive && (await readArmed(settings, scope, of.accountId)) === null;
}

/** Hands a decision about a finding to the worker of the account. */
export async function settle(
  deps: EmergencyDeps,
  actor: Actor,
  wish: Parameters<Emergency["settle"]>[1],
): Promise<EmergencyOutcome> {
  const { scope, user } = actor;
  if (!includesRole(scope.role, "trader")) {
    return refuse("not_allowed", "settling a finding needs the rights of a trader");
  }
  const { accounts, bots: all, rows } = await readFacts(deps, scope);
  const found = (await findingsOf(deps, scope, accounts)).find(
    ({ accountId, key }) => accountId === wish.accountId && key === wish.findingKey,
  );
  if (found === undefined) return refuse("no_effect", "the finding is not there any more");
  const choice = found.choices.find((each) => each === wish.choice);
  if (choice === undefined) {
    const allowed = found.choices.join(", ");
    return refuseField("choice", `choice: "${wish.choice.slice(0, 40)}" must be one of ${allowed}`);
  }
  // Taking over or ignoring lets entries go on; closing and cancelling make the account safer.
  const isLoosening = choice === "adopt" || choice === "ignore";
  if (isLoosening && !includesRole(scope.role, "owner")) {
    return refuse("not_allowed", `to ${choice} a finding needs the rights of an owner`);
  }
  const word = choice === "flatten" ? KILL_WORDS.flatten : null;
  if (word !== null && wish.confirm.trim() !== word) return wrongWord(wish.confirm, word);
  const { accountId, findingKey } = wish;
  const typed = choice === "adopt" ? (wish.bot ?? "") : "";
  const heir = heirTyped(typed, found, { accountId, bots: all });
  if (!heir.ok) return heir;
  const command: Command = { kind: "settle_finding", findingKey, choice, ...heir.named };
  const asked = await deps.commands.ask(
    scope,
    { accountId, botId: null, command, actor: user.email },
    deps.clock.now(),
  );
  if (!asked.ok) return refuse("no_effect", asked.detail);
  return { ok: true, sentence: `The worker of ${found.account} was asked.`, epoch: rows.epoch };
}
