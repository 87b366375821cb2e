// Limits of an account and its bots that were reached, each with its reset for owners. Rendered by accounts-detail.tsx.
import { TypedConfirm } from "../components/parts.tsx";

/** One limit that was reached. */
export type ReachedRow = {
  readonly key: string;
  /** e.g. `Daily loss · the account`. */
  readonly title: string;
  readonly sentence: string;
  readonly when: string;
};

/** Props of the limits that were reached. */
export type ReachedProps = {
  readonly id: number;
  readonly csrf: string;
  readonly canOwn: boolean;
  readonly problems: Readonly<Record<string, string | undefined>>;
  readonly reached: readonly ReachedRow[];
  readonly resetWord: string;
};

const RESET_EFFECT =
  "Entries are allowed again. A loss that is still beyond its limit is reached again at once; a " +
  "drawdown counts from the next equity on.";

/** Limits that were reached, a card each with its reset. */
export function ReachedCards({ id, csrf, canOwn, problems, reached, resetWord }: ReachedProps) {
  if (reached.length === 0) return null;
  return (
    <div id="reached">
      {reached.map(({ key, title, sentence, when }) => (
        <section class="card reached">
          <h2>Limit reached: {title}</h2>
          <p class="breakable">
            {sentence} <span class="muted small">Since {when}; exits and stops go on.</span>
          </p>
          {canOwn ? (
            <TypedConfirm
              action={`/accounts/${id}/reset-limit?limit=${encodeURIComponent(key)}`}
              csrf={csrf}
              label="Reset the limit"
              word={resetWord}
              effect={RESET_EFFECT}
              problem={problems[`reset:${key}`]}
            />
          ) : null}
        </section>
      ))}
    </div>
  );
}
