// Closings that end in a stop: written down before anything is wished, followed until every bot is flat, then halted.
// Used by emergency.ts alone. A restart finds them in the settings again; a wish that was lost is wished again.
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { Bot, BotId, BotStore } from "../../ports/bot-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ControlStore } from "../../ports/control-store.ts";
import type { Json, SettingsStore } from "../../ports/settings-store.ts";
import { strictest } from "../../risk/trading-state.ts";
import { ownState, scopeOfKey } from "./trading-scopes.ts";

/** One closing: which bots, since when, and what becomes of the scope in the end. */
export type FlattenRound = {
  /** Key of the scope. */
  readonly scope: string;
  readonly since: EpochMs;
  readonly actor: string;
  readonly reason: string;
  /** Events up to this one tell of earlier closings. */
  readonly afterEventId: number;
  readonly botIds: readonly number[];
  /** When the scope was halted; null while something is open. */
  readonly haltedAt: EpochMs | null;
};

/** How a bot of a round stands. */
export type RoundBot = {
  readonly botId: number;
  readonly name: string;
  readonly outcome: "waiting" | "closed" | "incomplete";
  readonly sentence: string;
};

/** What rounds are kept and followed with. */
export type RoundsDeps = {
  readonly settings: Pick<SettingsStore, "read" | "write">;
  readonly bots: Pick<BotStore, "find" | "list" | "wish" | "events">;
  readonly control: Pick<ControlStore, "read" | "setStates">;
  readonly clock: Pick<Clock, "now">;
};

const KEY = "flatten_rounds";
/** Rounds that are remembered, newest first. */
const ROUNDS_MAX = 20;
const WRITES_MAX = 5;
const EVENTS_MAX = 200;
const SENTENCES = {
  waiting: "is being closed; a worker takes it within seconds",
  lost: "was deleted",
} as const;

/** The rounds of a workspace, newest first. */
export async function readRounds(
  { settings }: Pick<RoundsDeps, "settings">,
  scope: Scope,
): Promise<readonly FlattenRound[]> {
  return parse((await settings.read(scope, KEY))?.value ?? null);
}

/** Puts a round in place of an earlier one of the same scope. */
export async function writeRound(
  deps: Pick<RoundsDeps, "settings" | "clock">,
  scope: Scope,
  round: FlattenRound,
): Promise<void> {
  await change(deps, scope, (rounds) => [round, ...rounds.filter((one) => !isSame(one, round))]);
}

/** Forgets the round of a scope. */
export async function dropRound(
  deps: Pick<RoundsDeps, "settings" | "clock">,
  scope: Scope,
  key: string,
): Promise<void> {
  await change(deps, scope, (rounds) => rounds.filter((round) => round.scope !== key));
}

async function change(
  { settings, clock }: Pick<RoundsDeps, "settings" | "clock">,
  scope: Scope,
  edit: (rounds: readonly FlattenRound[]) => readonly FlattenRound[],
): Promise<void> {
  for (let attempt = 1; attempt <= WRITES_MAX; attempt++) {
    const stored = await settings.read(scope, KEY);
    const next = edit(parse(stored?.value ?? null)).slice(0, ROUNDS_MAX);
    const value: Json = next.map((round) => ({ ...round, botIds: [...round.botIds] }));
    const expectedRevision = stored?.revision ?? 0;
    const wrote = await settings.write(scope, { key: KEY, value, expectedRevision }, clock.now());
    if (wrote.ok) return;
  }
  throw new Error("the closings could not be written down: somebody else writes all the time");
}

function isSame(a: FlattenRound, b: FlattenRound): boolean {
  return a.scope === b.scope;
}

/** Only this file writes them; what is not there is no round. */
function parse(value: Json): readonly FlattenRound[] {
  return Array.isArray(value) ? (value as unknown as readonly FlattenRound[]) : [];
}

/** How every bot of a round stands. */
export async function roundBots(
  { bots }: Pick<RoundsDeps, "bots">,
  scope: Scope,
  round: FlattenRound,
): Promise<readonly RoundBot[]> {
  const rows: RoundBot[] = [];
  for (const botId of round.botIds) {
    const bot = await bots.find(scope, botId as BotId);
    rows.push(await standingOf(bots, scope, round, botId, bot));
  }
  return rows;
}

async function standingOf(
  bots: RoundsDeps["bots"],
  scope: Scope,
  round: FlattenRound,
  botId: number,
  bot: Bot | null,
): Promise<RoundBot> {
  if (bot === null) {
    return { botId, name: `Bot ${botId}`, outcome: "closed", sentence: SENTENCES.lost };
  }
  const { name } = bot;
  const query = { accountId: bot.accountId, botId: bot.id, severities: null, beforeId: null };
  const told = (await bots.events(scope, { ...query, limit: EVENTS_MAX })).find(
    ({ id, kind }) =>
      id > round.afterEventId && (kind === "flatten_completed" || kind === "flatten_incomplete"),
  );
  if (bot.desiredAction !== null || told === undefined) {
    return { botId, name, outcome: "waiting", sentence: SENTENCES.waiting };
  }
  const outcome = told.kind === "flatten_completed" ? "closed" : "incomplete";
  return { botId, name, outcome, sentence: told.sentence };
}

/**
 * Follows what is under way in a workspace: wishes again what was lost, halts what is flat.
 * @returns how many rounds are still open
 */
export async function followRounds(deps: RoundsDeps, scope: Scope): Promise<number> {
  const open = (await readRounds(deps, scope)).filter(({ haltedAt }) => haltedAt === null);
  let left = 0;
  for (const round of open) {
    const standing = await roundBots(deps, scope, round);
    for (const { botId, outcome } of standing) {
      if (outcome === "waiting") await wishAgain(deps, scope, botId as BotId);
    }
    if (standing.every(({ outcome }) => outcome === "closed")) await halt(deps, scope, round);
    else left += 1;
  }
  return left;
}

async function wishAgain({ bots, clock }: RoundsDeps, scope: Scope, id: BotId): Promise<void> {
  const bot = await bots.find(scope, id);
  if (bot?.desiredAction === null) {
    await bots.wish(scope, id, { action: "flatten" }, clock.now());
  }
}

async function halt(deps: RoundsDeps, scope: Scope, round: FlattenRound): Promise<void> {
  const { control, clock, bots } = deps;
  const { states } = await control.read(scope);
  // The account or bot may be gone: then there is nothing left to halt.
  const all = await bots.list(scope, null);
  const accounts = [...new Set(all.map(({ accountId }) => accountId))];
  const of = scopeOfKey(round.scope, {
    bots: all,
    accounts: accounts.map((id) => ({ id, name: "", mode: "demo", status: "active" })),
  });
  if (of !== null) {
    const state = strictest([ownState(states, of)?.state ?? "active", "halted"]);
    const reason = `everything is closed: ${round.reason}`.slice(0, REASON_MAX);
    await control.setStates(scope, [{ scope: of, state, reason, actor: "dragon" }], clock.now());
  }
  await writeRound(deps, scope, { ...round, haltedAt: clock.now() });
}

const REASON_MAX = 300;
