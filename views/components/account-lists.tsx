// Sessions and API tokens of the own account: the lists and the form for a new token. Used by the
// account page.
import { browser, date, dateTime } from "../format.ts";
import { ActionButton, CsrfField, SelectField, TextField } from "./form.tsx";

/** A session as a row. */
export type SessionRow = {
  readonly id: number;
  readonly client: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly isCurrent: boolean;
};

/** A token as a row. */
export type TokenRow = {
  readonly id: number;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly prefix: string;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
};

/** One sentence per refused field. */
export type AccountProblems = Readonly<Record<string, string | undefined>>;

/** What the lists of the account show. */
export type AccountListProps = {
  readonly csrf: string;
  readonly timeZone: string;
  readonly sessions: readonly SessionRow[];
  readonly tokens: readonly TokenRow[];
  readonly scopes: readonly string[];
  readonly tokenFields: { readonly name: string; readonly scope: string; readonly days: string };
  readonly tokenDaysMax: number;
  readonly problems: AccountProblems;
};

const SCOPE_LABELS: Readonly<Record<string, string>> = {
  read: "read: look at everything",
  trade: "trade: also manage bots",
  admin: "admin: also users and settings",
};

/** Browsers that are signed in. */
export function SessionList({ csrf, sessions, timeZone }: AccountListProps) {
  return (
    <section class="card" aria-labelledby="sessions">
      <h2 id="sessions">Signed in</h2>
      <ul class="rows">
        {sessions.map((session) => (
          <li>
            <div>
              <p class="row-title">
                {browser(session.client)}{" "}
                {session.isCurrent ? <span class="pill green">this browser</span> : null}
              </p>
              <p class="muted small">
                since {dateTime(session.createdAt, timeZone)}, last seen{" "}
                {dateTime(session.lastSeenAt, timeZone)}
              </p>
            </div>
            {session.isCurrent ? null : (
              <ActionButton
                action={`/account/sessions/${session.id}/revoke`}
                csrf={csrf}
                label="Sign out"
                about={`${browser(session.client)}, since ${dateTime(session.createdAt, timeZone)}`}
              />
            )}
          </li>
        ))}
      </ul>
      {sessions.length > 1 ? (
        <ActionButton
          action="/account/sessions/revoke-others"
          csrf={csrf}
          label="Sign out everywhere else"
        />
      ) : (
        <p class="muted">No other browser is signed in.</p>
      )}
    </section>
  );
}

/** Open tokens, or a sentence. */
export function TokenList({ csrf, tokens, timeZone }: AccountListProps) {
  if (tokens.length === 0) {
    return <p class="muted">There is no token yet. Make one for each program that needs access.</p>;
  }
  return (
    <ul class="rows">
      {tokens.map((token) => (
        <li>
          <div>
            <p class="row-title">
              {token.name} <span class="pill">{token.scopes.join(", ")}</span>
            </p>
            <p class="muted small">
              <code>{token.prefix}…</code> ends {date(token.expiresAt, timeZone)}, last used{" "}
              {token.lastUsedAt === null ? "never" : dateTime(token.lastUsedAt, timeZone)}
            </p>
          </div>
          <ActionButton
            action={`/account/tokens/${token.id}/revoke`}
            csrf={csrf}
            label="Revoke"
            about={token.name}
          />
        </li>
      ))}
    </ul>
  );
}

/** The form for a new token. */
export function TokenForm({ csrf, scopes, tokenFields, tokenDaysMax, problems }: AccountListProps) {
  return (
    <form class="form" method="post" action="/account/tokens">
      <CsrfField csrf={csrf} />
      <TextField
        id="name"
        label="Name"
        value={tokenFields.name}
        maxlength={60}
        problem={problems.name}
        hint="What it is for, e.g. backup script."
      />
      <div class="pair">
        <SelectField
          id="scope"
          label="Scope"
          value={tokenFields.scope}
          options={scopes.map((scope) => ({ value: scope, label: SCOPE_LABELS[scope] ?? scope }))}
          problem={problems.scope}
        />
        <TextField
          id="days"
          label="Days until it ends"
          type="number"
          min={1}
          max={tokenDaysMax}
          value={tokenFields.days}
          problem={problems.days}
        />
      </div>
      <button type="submit">Make token</button>
    </form>
  );
}
