// The question before something is asked of bots that is hard to undo, and the one for a new name. Rendered by
// web/routes/bots-act.tsx; says what each of them holds now.
import { Alert, CsrfField } from "../components/form.tsx";
import { type BotMode, ModePill } from "../components/bot-row.tsx";
import { type Frame, Layout } from "../layout.tsx";

/** A bot of the question. */
export type DoomedBot = {
  readonly id: number;
  readonly name: string;
  readonly symbol: string;
  readonly account: string;
  readonly mode: BotMode;
  readonly status: string;
  /** What it holds and has in the market, as a sentence. */
  readonly holding: string;
};

/** Props of the question. */
export type BotsActProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly act: "stopped" | "flatten" | "delete" | "rename";
  readonly bots: readonly DoomedBot[];
  /** What must be typed; null for a new name. */
  readonly word: string | null;
  /** The new name as typed. */
  readonly name: string;
  readonly nameCharsMax: number;
  readonly back: string;
  readonly problems: readonly string[];
};

const TITLES = { stopped: "Stop", flatten: "Flatten", delete: "Delete", rename: "Rename" } as const;

const EFFECTS = {
  stopped:
    "Every order but the protective stop is cancelled: take-profits and rungs too. A position stays open and is guarded by its stop alone, where it has one.",
  flatten:
    "Every order is cancelled and every position is closed at the market, at whatever price it gives. The bots are paused after that.",
  delete:
    "The bots leave the list for everybody in this workspace. Their orders, fills and ledger are kept. Only bots that are stopped and hold nothing can be deleted.",
  rename: "The name is how you and others find the bot; orders do not carry it.",
} as const;

function Bots({ bots }: Pick<BotsActProps, "bots">) {
  return (
    <ul class="rows" aria-label="Bots">
      {bots.map(({ name, symbol, account, mode, status, holding }) => (
        <li>
          <div>
            <p class="row-title">
              {name} <span class="muted">{symbol}</span>
            </p>
            <p class="muted small">{holding}</p>
          </div>
          <p class="small">
            <ModePill mode={mode} /> {account} · {status}
          </p>
        </li>
      ))}
    </ul>
  );
}

function Problems({ sentences }: { sentences: readonly string[] }) {
  return (
    <>
      {sentences.map((sentence) => (
        <Alert>{sentence}</Alert>
      ))}
    </>
  );
}

/** The question at `/bots/act`. */
export function BotsActPage(props: BotsActProps) {
  const { frame, csrf, act, bots, word, back, problems } = props;
  const what = bots.length === 1 ? (bots[0]?.name ?? "") : `${bots.length} bots`;
  const label = `${TITLES[act]} ${what}`;
  return (
    <Layout title={`${label} · Dragon`} frame={frame} parts={["grid", "bots"]}>
      <p class="crumb">
        <a href="/bots">Bots</a>
      </p>
      <h1 class="breakable">{label}?</h1>
      <form method="post" action="/bots/act" class="card form act-form">
        <CsrfField csrf={csrf} />
        <input type="hidden" name="act" value={act} />
        <input type="hidden" name="back" value={back} />
        {bots.map(({ id }) => (
          <input type="hidden" name="id" value={id} />
        ))}
        <Bots bots={bots} />
        <p>{EFFECTS[act]}</p>
        <Problems sentences={problems} />
        {word === null ? (
          <div class="field">
            <label for="name">New name</label>
            <input
              id="name"
              name="name"
              value={props.name}
              maxlength={props.nameCharsMax}
              autocomplete="off"
              required
            />
          </div>
        ) : (
          <div class="field">
            <label for="confirm">
              Type <code>{word}</code> to confirm
            </label>
            <input id="confirm" name="confirm" autocomplete="off" required />
          </div>
        )}
        <div class="buttons">
          <button type="submit" class={word === null ? undefined : "danger"}>
            {label}
          </button>
          <a class="button quiet" href={back === "" ? "/bots" : `/bots?${back}`}>
            {bots.length === 1 ? "Leave it as it is" : "Leave them as they are"}
          </a>
        </div>
      </form>
    </Layout>
  );
}
