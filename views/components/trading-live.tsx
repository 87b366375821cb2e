// The part of the page of trading states that changes by itself: states, closings under way, findings to settle.
// Rendered with the page and again by its stream. Plain props in, HTML out.
import { type FindingRow, FindingsList } from "./findings-list.tsx";
import { CsrfField } from "./form.tsx";
import { StatePill, type StopState } from "./trading-banner.tsx";

/** One scope and its state. */
export type ScopeRow = {
  readonly key: string;
  readonly name: string;
  readonly state: StopState;
  /** Empty for scopes nobody ever stopped. */
  readonly since: string;
  readonly by: string;
  readonly why: string;
  /** Whether the visitor may release it here. */
  readonly mayRelease: boolean;
};

/** One closing. */
export type RoundRow = {
  readonly name: string;
  readonly began: string;
  readonly by: string;
  readonly why: string;
  /** e.g. `stopped since …` or `2 of 3 bots closed`. */
  readonly standing: string;
  readonly bots: readonly {
    readonly name: string;
    readonly href: string;
    readonly outcome: "waiting" | "closed" | "incomplete";
    readonly sentence: string;
  }[];
};

/** Everything that changes by itself. */
export type TradingLiveProps = {
  readonly csrf: string;
  readonly summary: string;
  readonly scopes: readonly ScopeRow[];
  readonly rounds: readonly RoundRow[];
  readonly findings: readonly FindingRow[];
};

function Release({ csrf, row }: { csrf: string; row: ScopeRow }) {
  return (
    <form method="post" action="/trading/resume" class="action">
      <CsrfField csrf={csrf} />
      <input type="hidden" name="scope" value={row.key} />
      <button type="submit" class="quiet" aria-label={`Release ${row.name}`}>
        Release…
      </button>
    </form>
  );
}

function Scopes({ csrf, scopes }: TradingLiveProps) {
  const hasReleases = scopes.some(({ mayRelease }) => mayRelease);
  return (
    <div class="card table-card">
      <table class="stacked states" aria-label="States by scope">
        <thead>
          <tr>
            <th scope="col">Scope</th>
            <th scope="col">State</th>
            <th scope="col">Since</th>
            <th scope="col">By</th>
            <th scope="col">Why</th>
            {hasReleases ? <th scope="col"></th> : null}
          </tr>
        </thead>
        <tbody>
          {scopes.map((row) => (
            <tr id={`scope-${row.key.replace(":", "-")}`}>
              <td>{row.name}</td>
              <td>
                <StatePill state={row.state} />
              </td>
              <td class="number">{row.since}</td>
              <td>{row.by}</td>
              <td>{row.why}</td>
              {hasReleases ? (
                <td>{row.mayRelease ? <Release csrf={csrf} row={row} /> : null}</td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const OUTCOMES = {
  waiting: { tone: "amber", text: "under way" },
  closed: { tone: "green", text: "✓ closed" },
  incomplete: { tone: "red", text: "✗ still open" },
} as const;

function Round({ round }: { round: RoundRow }) {
  return (
    <section class="card">
      <h2>Closing: {round.name}</h2>
      <p class="muted">
        {round.began}, {round.by}: {round.why}. <strong>{round.standing}</strong>
      </p>
      <ul class="rows tight">
        {round.bots.map(({ name, href, outcome, sentence }) => (
          <li>
            <div class="row-title">
              <a href={href}>{name}</a>
              <p class="muted small">{sentence}</p>
            </div>
            <span class={`pill ${OUTCOMES[outcome].tone}`}>{OUTCOMES[outcome].text}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The part that changes by itself. */
export function TradingLive(props: TradingLiveProps) {
  const { csrf, summary, rounds, findings } = props;
  return (
    <>
      <p class="lead">{summary}</p>
      <Scopes {...props} />
      {findings.length === 0 ? null : (
        <section class="card" id="findings">
          <h2>Findings to settle</h2>
          <p class="muted">
            What the exchange says is not what Dragon knows. Entries of the market wait until
            somebody decides; a finding that is ignored keeps nothing back. Owners take over and
            ignore, traders close and cancel.
          </p>
          <FindingsList csrf={csrf} findings={findings} from="trading" />
        </section>
      )}
      {rounds.map((round) => (
        <Round round={round} />
      ))}
    </>
  );
}
