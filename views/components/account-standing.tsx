// How an account stands, as its worker told last: money, exposure, exchange, what keeps entries back, what disagrees.
// Kept fresh by the server's stream; rendered by pages/accounts-detail.tsx and routes/account-live.tsx.
import { type FindingRow, FindingsList } from "./findings-list.tsx";
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
    readonly findings: readonly FindingRow[];
    /** For the forms of the findings. */
    readonly csrf: string;
    /** Set while nobody looks after the account any more. */
    readonly stale: string | null;
  } | null;
};

const HEALTH = {
  ok: { tone: "green", text: "✓ in order" },
  warning: { tone: "amber", text: "! look" },
  error: { tone: "red", text: "✗ decide" },
} as const;

function Blocks({ list }: { list: readonly string[] }) {
  if (list.length === 0) return null;
  return (
    <>
      <h3>What keeps entries back</h3>
      <ul class="rows tight">
        {list.map((sentence) => (
          <li class="breakable">{sentence}</li>
        ))}
      </ul>
    </>
  );
}

function Findings({ csrf, findings }: { csrf: string; findings: readonly FindingRow[] }) {
  if (findings.length === 0) return null;
  return (
    <section id="findings" aria-label="Findings to settle">
      <h3>Findings to settle</h3>
      <FindingsList csrf={csrf} findings={findings} from="account" />
      <p class="muted small">
        <a href="/help/emergency">What each choice does</a>
      </p>
    </section>
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
  const { health, sentence, tiles, facts, blocks, findings, csrf, stale } = standing;
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
      <Blocks list={blocks} />
      <Findings csrf={csrf} findings={findings} />
    </>
  );
}
