// The line on every page that says what is stopped, and the place it is loaded into. Its content comes from
// web/routes/trading.tsx, asked for by shell.js while somebody looks.

/** How hard something is stopped. */
export type StopState = "active" | "reducing" | "halted" | "frozen";

/** One scope that is not active. */
export type StoppedScope = { readonly name: string; readonly state: StopState };

/** States in the words of people. */
export const STATE_WORDS: Readonly<Record<StopState, string>> = {
  active: "active",
  reducing: "opens nothing",
  halted: "stopped",
  frozen: "frozen",
};

const TONES: Readonly<Record<StopState, string>> = {
  active: "green",
  reducing: "amber",
  halted: "red",
  frozen: "blue",
};

/** A state as a pill. */
export function StatePill({ state }: { state: StopState }) {
  return <span class={`pill ${TONES[state]}`}>{STATE_WORDS[state]}</span>;
}

/** Scopes named one by one before the rest is counted. */
const NAMED_MAX = 3;

/** What is stopped, in one line; nothing while everything is active. */
export function TradingBanner(props: {
  scopes: readonly StoppedScope[];
  /** e.g. `2 of 2 workers confirmed`. */
  confirmed: string;
}) {
  const { scopes, confirmed } = props;
  if (scopes.length === 0) return null;
  const more = scopes.length - NAMED_MAX;
  return (
    <p class="banner">
      {scopes.slice(0, NAMED_MAX).map(({ name, state }) => (
        <span>
          <strong>{name}</strong> <StatePill state={state} />
        </span>
      ))}
      {more > 0 ? <span>and {more} more</span> : null}
      <span class="muted">{confirmed}</span>
      <a href="/trading">Trading states</a>
    </p>
  );
}

/** Where the line appears. */
export function BannerPlace() {
  return (
    <div
      id="trading-banner"
      role="status"
      hx-get="/trading/banner"
      hx-trigger="load, look"
      hx-swap="innerMorph"
    ></div>
  );
}
