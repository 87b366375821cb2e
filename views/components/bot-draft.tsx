// What a drafted bot comes to: where it would trade, what to know first, and the ladder. Sent with the form of a
// new bot and again while somebody types. Plain props in, HTML out.
import type { BotMode } from "./bot-row.tsx";
import { LadderPreview } from "./backtest-preview.tsx";
import type { PreviewView } from "./backtest-preview-view.ts";

/** Everything beside the fields. */
export type DraftView = {
  /** The chosen account; null while none is. */
  readonly account: {
    readonly name: string;
    readonly exchange: string;
    readonly mode: BotMode;
  } | null;
  /** How many bots will be made. */
  readonly bots: number;
  readonly notes: readonly { readonly tone: "ok" | "warn" | "bad"; readonly sentence: string }[];
  readonly preview: PreviewView;
};

const MODES: Readonly<Record<BotMode, string>> = {
  live: "Real money",
  paper: "Paper: real prices, invented money",
  demo: "Demo: invented prices, invented money",
};

const MARKS = {
  ok: { glyph: "✓", label: "Fine" },
  warn: { glyph: "!", label: "To know" },
  bad: { glyph: "✕", label: "Wrong" },
} as const;

function Place({ account, bots }: DraftView) {
  if (!account) return <p class="mode-banner none">No account is chosen yet.</p>;
  const what = bots === 1 ? "One bot" : `${bots} bots`;
  return (
    <p class={`mode-banner ${account.mode}`}>
      <strong>{MODES[account.mode]}</strong>
      <span>
        {what} on {account.name}, {account.exchange}
      </span>
    </p>
  );
}

/** The whole part. */
export function DraftPreview(view: DraftView) {
  return (
    <>
      <Place {...view} />
      <ul class="draft-notes" aria-label="What to know first">
        {view.notes.map(({ tone, sentence }) => (
          <li class={tone}>
            <span role="img" aria-label={MARKS[tone].label}>
              {MARKS[tone].glyph}
            </span>
            <span>{sentence}</span>
          </li>
        ))}
      </ul>
      <LadderPreview preview={view.preview} />
    </>
  );
}
