// The cards on the page of one account: last test, keys, trading, limits. Rendered by
// accounts-detail.tsx; what only owners change is in accounts-manage.tsx.
import { ActionButton, CsrfField } from "../components/form.tsx";
import { type Kpi, KpiTiles } from "../components/parts.tsx";
import { age, date, dateTime } from "../format.ts";
import { KeysForm, type LimitField, type ManageProps } from "./accounts-manage.tsx";
import { type AccountState, type CheckRow, CheckList, OpenField } from "./accounts-parts.tsx";

/** A set of keys without its secrets. */
export type KeyRow = {
  readonly maskedKey: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** When it was replaced, null for the one in use. */
  readonly revokedAt: number | null;
};

/** What the cards need. */
export type AccountCardsProps = ManageProps & {
  readonly state: AccountState;
  readonly presentKey: KeyRow | null;
  readonly formerKeys: readonly KeyRow[];
  /** The last test, null before the first. */
  readonly test: {
    readonly at: number;
    readonly symbol: string;
    readonly tiles: readonly Kpi[];
    readonly checks: readonly CheckRow[];
  } | null;
  readonly testSymbol: string;
  readonly symbolCharsMax: number;
  readonly canTrade: boolean;
  readonly canOwn: boolean;
  readonly now: number;
  readonly timeZone: string;
};

/** The last test, and the form for the next. */
export function TestCard(props: AccountCardsProps) {
  const { id, csrf, test, canTrade, problems, timeZone } = props;
  return (
    <section class="card" aria-labelledby="test">
      <h2 id="test">Connectivity</h2>
      {test ? (
        <>
          <KpiTiles tiles={test.tiles} label="Figures of the last test" />
          <CheckList checks={test.checks} />
          <p class="muted small">
            Tested {dateTime(test.at, timeZone)} with {test.symbol}. A test changes nothing at the
            exchange.
          </p>
        </>
      ) : (
        <p class="muted">These keys were not tested yet.</p>
      )}
      {canTrade ? (
        <form method="post" action={`/accounts/${id}/test`}>
          <CsrfField csrf={csrf} />
          <OpenField
            id="symbol"
            label="Symbol to look at"
            type="text"
            value={props.testSymbol}
            maxlength={props.symbolCharsMax}
            problem={problems.symbol}
          />
          <button type="submit">Test the account</button>
        </form>
      ) : null}
    </section>
  );
}

/** The keys in use, masked, and those before them. */
export function KeyCard({ presentKey, formerKeys, now, timeZone, ...props }: AccountCardsProps) {
  return (
    <section class="card" aria-labelledby="account-keys">
      <h2 id="account-keys">Keys</h2>
      {presentKey ? (
        <dl class="facts">
          <div>
            <dt>API key</dt>
            <dd>
              <code>{presentKey.maskedKey}</code>
            </dd>
          </div>
          <div>
            <dt>Added</dt>
            <dd>{date(presentKey.createdAt, timeZone)}</dd>
          </div>
          <div>
            <dt>Last used</dt>
            <dd>{age(presentKey.lastUsedAt, now)}</dd>
          </div>
        </dl>
      ) : (
        <p class="muted">A paper account reads public prices and needs no keys.</p>
      )}
      {formerKeys.length > 0 ? (
        <details>
          <summary>Former keys</summary>
          <ul class="rows">
            {formerKeys.map(({ maskedKey, createdAt, revokedAt }) => (
              <li>
                <code>{maskedKey}</code>
                <span class="muted small number">
                  {date(createdAt, timeZone)} – {date(revokedAt, timeZone)}
                </span>
              </li>
            ))}
          </ul>
        </details>
      ) : null}
      {presentKey && props.canOwn ? <KeysForm {...props} /> : null}
    </section>
  );
}

/** What trades here, and how to stop it. */
export function StateCard({
  id,
  name,
  csrf,
  state,
  canOwn,
  canTrade,
  problems,
}: AccountCardsProps) {
  const { status, isBlocked } = state;
  const isActive = status === "active";
  const button = (verb: string, label: string, tone: "quiet" | "danger") => (
    <ActionButton
      action={`/accounts/${id}/${verb}`}
      csrf={csrf}
      label={label}
      about={name}
      tone={tone}
    />
  );
  return (
    <section class="card" aria-labelledby="state">
      <h2 id="state">Trading</h2>
      <p class="muted">
        {isActive
          ? "A disabled account trades nothing. Blocked entries leave exits and stops at work."
          : "The account is disabled: nothing is traded with it."}
      </p>
      {problems.block ? <p class="problem">{problems.block}</p> : null}
      {canTrade ? (
        <div class="buttons">
          {isBlocked ? null : button("block", "Block new entries", "danger")}
          {isBlocked && canOwn ? button("unblock", "Allow new entries", "quiet") : null}
          {isActive ? button("disable", "Disable account", "danger") : null}
          {!isActive && canOwn ? button("enable", "Enable account", "quiet") : null}
        </div>
      ) : null}
      {canTrade && !canOwn && (isBlocked || !isActive) ? (
        <p class="muted small">An owner lifts this.</p>
      ) : null}
    </section>
  );
}

/** The limits for those who cannot change them. */
export function Limits({ limits }: { limits: readonly LimitField[] }) {
  return (
    <section class="card" aria-labelledby="limits">
      <h2 id="limits">Limits</h2>
      <dl class="facts">
        {limits.map(({ label, shown }) => (
          <div>
            <dt>{label}</dt>
            <dd class="number">{shown}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
