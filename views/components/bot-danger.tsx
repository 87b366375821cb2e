// What is hard to undo about a bot, each behind a word that must be typed and with the size of its effect.
// Rendered by pages/bot.tsx.
import { ActionButton } from "./form.tsx";
import { TypedConfirm } from "./parts.tsx";

/** Props of the danger zone. */
export type DangerProps = {
  readonly botId: number;
  readonly csrf: string;
  readonly words: {
    readonly stop: string;
    readonly flatten: string;
    readonly kill: string;
    readonly remove: string;
  };
  /** What would be closed: quantity and worth; null when nothing is held. */
  readonly held: string | null;
  readonly openOrders: number;
  readonly isHalted: boolean;
  readonly mayRelease: boolean;
  readonly mayRemove: boolean;
  /** Sentences by the action they belong to. */
  readonly problems: Readonly<Record<string, string | undefined>>;
};

/** What stopping leaves behind. */
function stopEffect({ held }: DangerProps, orders: string): string {
  const rest = held === null ? "It holds nothing." : `Its position stays: ${held}.`;
  return `${orders}, except the protective stop, are taken back, and no worker drives the bot. ${rest}`;
}

/** What is closed. */
function flattenEffect({ held }: DangerProps, orders: string): string {
  const closed = held === null ? "nothing is held" : `${held} closed at the market`;
  return `${orders} are taken back and ${closed}. The bot is paused afterwards.`;
}

const KILL_EFFECT =
  "Halts this bot within a second: entries and rungs are taken back and nothing new is placed but " +
  "the protective stop, which is kept at the size of the position. An owner lifts it.";
const DELETE_EFFECT =
  "The bot leaves every list and its name is free again. Its orders, fills and ledger stay with " +
  "the account.";

/** What is hard to undo, each behind its word. */
export function BotDanger(props: DangerProps) {
  const { botId, csrf, words, openOrders, isHalted, mayRelease, mayRemove, problems } = props;
  const orders = openOrders === 1 ? "1 open order" : `${openOrders} open orders`;
  const zone = (path: string, label: string, word: string, effect: string) => (
    <TypedConfirm
      action={`/bots/${botId}/${path}`}
      problem={problems[path]}
      {...{ csrf, label, word, effect }}
    />
  );
  return (
    <section class="danger-zones" id="danger" aria-label="Danger zone">
      <h2 class="section">Danger zone</h2>
      {zone("stop", "Stop bot", words.stop, stopEffect(props, orders))}
      {zone("flatten", "Flatten bot", words.flatten, flattenEffect(props, orders))}
      {isHalted ? null : zone("kill", "Kill this bot", words.kill, KILL_EFFECT)}
      {isHalted && mayRelease ? (
        <ActionButton
          action={`/bots/${botId}/release`}
          csrf={csrf}
          label="Lift the halt of this bot"
        />
      ) : null}
      {mayRemove ? zone("delete", "Delete bot", words.remove, DELETE_EFFECT) : null}
    </section>
  );
}
