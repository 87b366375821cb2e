// What is hard to undo about a bot, each behind a word that must be typed and with the size of its effect. Rendered by
// pages/bot.tsx. Which zones there are and what they would do follows the bot by the server's stream; one that is open
// stays open with what is typed in it.
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
  readonly isStopped: boolean;
  /** False while it is halted or frozen already. */
  readonly mayKill: boolean;
  /** Whether there is a halt that the visitor may lift. */
  readonly mayRelease: boolean;
  readonly mayRemove: boolean;
  /** Sentences by the action they belong to. */
  readonly problems: Readonly<Record<string, string | undefined>>;
};

type Path = "stop" | "flatten" | "kill" | "delete";

/** What stopping leaves behind. */
function stopEffect({ held, openOrders }: DangerProps): string {
  const rest = held === null ? "It holds nothing." : `Its position stays: ${held}.`;
  const kept = "Every order but the protective stop is taken back";
  return `${kept} (${openOrders} open now), and no worker drives the bot. ${rest}`;
}

/** What is closed. */
function flattenEffect({ held, openOrders }: DangerProps): string {
  const closed = held === null ? "nothing is held" : `${held} is closed at the market`;
  return `Every order is taken back (${openOrders} open now); ${closed}. The bot is paused afterwards.`;
}

const KILL_EFFECT =
  "Halts this bot within a second: entries and rungs are taken back and nothing new is placed but " +
  "the protective stop, which is kept at the size of the position. An owner lifts it.";
const DELETE_EFFECT =
  "The bot leaves every list and its name is free again. Its orders, fills and ledger stay with " +
  "the account.";

const ZONES: readonly {
  readonly path: Path;
  readonly label: string;
  readonly word: keyof DangerProps["words"];
  readonly effect: (props: DangerProps) => string;
  /** Whether it makes sense now. */
  readonly isOffered: (props: DangerProps) => boolean;
}[] = [
  {
    ...{ path: "stop", label: "Stop bot", word: "stop", effect: stopEffect },
    isOffered: ({ isStopped }) => !isStopped,
  },
  {
    ...{ path: "flatten", label: "Flatten bot", word: "flatten", effect: flattenEffect },
    isOffered: () => true,
  },
  {
    ...{ path: "kill", label: "Kill this bot", word: "kill", effect: () => KILL_EFFECT },
    isOffered: ({ mayKill }) => mayKill,
  },
  {
    ...{ path: "delete", label: "Delete bot", word: "remove", effect: () => DELETE_EFFECT },
    isOffered: ({ mayRemove }) => mayRemove,
  },
];

/** What each zone would do, by the id of its place; the stream replaces it. */
export function dangerEffects(
  props: DangerProps,
): readonly (readonly [id: string, text: string])[] {
  return ZONES.filter(({ isOffered }) => isOffered(props)).map(
    ({ path, effect }) => [`effect-${path}`, effect(props)] as const,
  );
}

/** The zones; the stream adds and removes them, and leaves those that stay as they are. */
export function DangerZones(props: DangerProps) {
  const { botId, csrf, words, mayRelease, problems } = props;
  return (
    <>
      {ZONES.filter(({ isOffered }) => isOffered(props)).map(({ path, label, word, effect }) => (
        <div id={`zone-${path}`} hx-morph-skip="">
          <TypedConfirm
            action={`/bots/${botId}/${path}`}
            word={words[word]}
            effect={<span id={`effect-${path}`}>{effect(props)}</span>}
            problem={problems[path]}
            {...{ csrf, label }}
          />
        </div>
      ))}
      {mayRelease ? (
        <div id="zone-release">
          <ActionButton
            action={`/bots/${botId}/release`}
            csrf={csrf}
            label="Lift the halt of this bot"
          />
        </div>
      ) : null}
    </>
  );
}

/** What is hard to undo, each behind its word. */
export function BotDanger(props: DangerProps) {
  return (
    <section class="danger-zones" id="danger" aria-label="Danger zone">
      <h2 class="section">Danger zone</h2>
      <div id="bot-danger">
        <DangerZones {...props} />
      </div>
    </section>
  );
}
