// Changes of one bot by its page: a new version of its configuration, an old one taken back, and the trading
// state of this bot alone. Used by bot-detail.ts. Stores note every change in the audit log; a worker takes it
// up by itself.
import type { Scope } from "../../ports/access-store.ts";
import type { Bot, BotConfig, BotStore } from "../../ports/bot-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ControlStore } from "../../ports/control-store.ts";
import type { TradingStore } from "../../ports/trading-store.ts";
import { type Actor, type FieldRefusal, refuseField } from "./actor.ts";
import { checkConfig, editConfig, type EditSituation } from "./bot-edits.ts";
import { ownerOfBot } from "./bot-pnl.ts";

/** What must be typed to stop this bot's orders. */
export const KILL_WORD = "KILL";
const NOTE_CHARS_MAX = 200;

/** The outcome of a change. */
export type ChangeOutcome = { readonly ok: true; readonly bot: Bot } | FieldRefusal;

/** Changes of a bot. */
export type BotChanges = {
  /** Whether settings may be changed that an open cycle was counted by. */
  isIdle(scope: Scope, bot: Bot): Promise<boolean>;
  /** @param typed texts by the path of the setting, and `note` */
  edit(
    actor: Actor,
    bot: Bot,
    seenVersion: number,
    typed: Readonly<Record<string, string | undefined>>,
  ): Promise<ChangeOutcome>;
  /** A former version becomes the newest one, under the rules of an edit. */
  undo(actor: Actor, bot: Bot, seenVersion: number, version: number): Promise<ChangeOutcome>;
  /** Halts this bot: entries are taken back, what protects stays. */
  kill(actor: Actor, bot: Bot, typed: string): Promise<{ readonly ok: true } | FieldRefusal>;
  /** Lifts the halt. */
  release(actor: Actor, bot: Bot): Promise<void>;
};

/** What changes need. */
export type BotChangesDeps = {
  readonly bots: Pick<BotStore, "changeConfig" | "configVersions">;
  readonly trading: Pick<TradingStore, "holdings" | "aliveIntents">;
  readonly control: Pick<ControlStore, "setStates" | "read">;
  readonly clock: Clock;
};

/** Builds the changes. */
export function createBotChanges(deps: BotChangesDeps): BotChanges {
  const { bots, control, clock } = deps;
  const situation = async (scope: Scope, bot: Bot): Promise<EditSituation> => ({
    timeframeMin: bot.timeframeMin,
    isIdle: await isIdle(deps, scope, bot),
  });

  async function save(
    { scope, user }: Actor,
    bot: Bot,
    seenVersion: number,
    config: BotConfig,
    note: string,
  ): Promise<ChangeOutcome> {
    const change = { seenVersion, config, note: note.slice(0, NOTE_CHARS_MAX) };
    const changed = await bots.changeConfig(scope, bot.id, change, user.email, clock.now());
    if (changed.ok) return { ok: true, bot: changed.value };
    return refuseField("form", `${changed.detail}: somebody else changed it meanwhile, look again`);
  }

  const setState = async (
    { scope, user }: Actor,
    { id: botId }: Bot,
    state: "halted" | "active",
    reason: string,
  ) => {
    const change = { scope: { kind: "bot", botId }, state, reason, actor: user.email } as const;
    await control.setStates(scope, [change], clock.now());
  };

  return {
    isIdle: (scope, bot) => isIdle(deps, scope, bot),
    async edit(actor, bot, seenVersion, typed) {
      const next = editConfig(bot.config, typed, await situation(actor.scope, bot));
      if (!next.ok) return next;
      return save(actor, bot, seenVersion, next.value, typed.note?.trim() ?? "");
    },
    async undo(actor, bot, seenVersion, version) {
      const versions = await bots.configVersions(actor.scope, bot.id);
      const former = versions.find((each) => each.version === version);
      if (!former) return refuseField("form", `there is no version ${version} any more`);
      const next = checkConfig(bot.config, former.config, await situation(actor.scope, bot));
      if (!next.ok) return next;
      return save(actor, bot, seenVersion, next.value, `back to version ${version}`);
    },
    async kill(actor, bot, typed) {
      if (typed.trim() !== KILL_WORD) {
        const shown = typed.slice(0, 60);
        return refuseField("kill", `“${shown}” is not ${KILL_WORD}; nothing was changed`);
      }
      const { states } = await control.read(actor.scope);
      const own = states.find(({ scope }) => scope.kind === "bot" && scope.botId === bot.id);
      if (own?.state === "frozen") {
        return refuseField("kill", `${bot.name} is frozen already, which is stricter`);
      }
      await setState(actor, bot, "halted", `${bot.name} was stopped on its page`);
      return { ok: true };
    },
    release: (actor, bot) => setState(actor, bot, "active", `${bot.name} was released on its page`),
  };
}

/** Nothing held, no order alive, and nothing that could open one. */
async function isIdle({ trading }: BotChangesDeps, scope: Scope, bot: Bot): Promise<boolean> {
  const { accountId, status, desiredStatus, desiredAction } = bot;
  if (status === "running" || desiredStatus === "running" || desiredAction !== null) return false;
  const owner = ownerOfBot(bot);
  const [holdings, alive] = await Promise.all([
    trading.holdings(scope, accountId),
    trading.aliveIntents(scope, accountId),
  ]);
  return (
    !holdings.some(({ holder }) => holder === owner) &&
    !alive.some((intent) => intent.owner === owner)
  );
}
