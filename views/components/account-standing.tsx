// How an account stands, as its worker told last: money, exposure, exchange, what keeps entries back. Kept fresh by the
// server's stream and therefore without forms; rendered by pages/accounts-detail.tsx and routes/account-live.tsx.
import { type Kpi, KpiTiles } from "./parts.tsx";

/** One fact in words. */
export type StandingFact = { readonly label: string; readonly value: string };

/** Props of the card's inside. */
export type AccountStandingProps = {
  /** Null before a worker looked. */
  readonly standing: {
    readonly health: "ok" | "warning" | "error";
    readonly sentence: string;
    readonly tiles: readonly Kpi[];
    readonly facts: readonly StandingFact[];
    readonly blocks: readonly string[];
    readonly findings: readonly string[];
    /** Set while nobody looks after the account any more. */
    readonly stale: string | null;
  } | null;
};

const HEALTH = {
  ok: { tone: "green", text: "✓ in order" },
  warning: { tone: "amber", text: "! look" },
  error: { tone: "red", text: "✗ decide" },
} as const;

function Sentences({ title, list }: { title: string; list: readonly string[] }) {
  if (list.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="rows tight">
        {list.map((sentence) => (
          <li class="breakable">{sentence}</li>
        ))}
      </ul>
    </>
  );
}

/** The inside of the card. */
export function AccountStandingView({ standing }: AccountStandingProps) {
  if (standing === null) {
    return (
      <p class="muted">
        No worker has looked at the account yet. It is taken up when a bot on it is to run.
      </p>
    );
  }
  const { health, sentence, tiles, facts, blocks, findings, stale } = standing;
  const { tone, text } = HEALTH[health];
  return (
    <>
      {stale === null ? (
        <p>
          <span class={`pill ${tone}`}>{text}</span> {sentence}
        </p>
      ) : (
        <p>
          <span class="pill amber">! old</span> {stale}
        </p>
      )}
      <KpiTiles tiles={tiles} label="Figures of the account" />
      <dl class="facts">
        {facts.map(({ label, value }) => (
          <div>
            <dt>{label}</dt>
            <dd class="number">{value}</dd>
          </div>
        ))}
      </dl>
      <Sentences title="What keeps entries back" list={blocks} />
      <Sentences title="Findings to settle" list={findings} />
      {findings.length > 0 ? <a href="/trading#findings">Settle findings</a> : null}
    </>
  );
}
