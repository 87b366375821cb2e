// The first page of somebody who is signed in: what is there, and what to do next. Rendered by
// web/routes/home.tsx.
import { type Frame, Layout } from "../layout.tsx";

/** Props of the start page. */
export type StartProps = {
  readonly frame: Frame;
  readonly workspace: string;
  /** e.g. `bundled PostgreSQL 18.4`. */
  readonly database: string;
  /** How a command is written on this installation. */
  readonly program: string;
  readonly isOwner: boolean;
  /** People who may sign in, including this one; null for those who may not know. */
  readonly users: number | null;
};

function Facts({ workspace, database, users }: StartProps) {
  return (
    <dl class="facts">
      <div>
        <dt>Workspace</dt>
        <dd>{workspace}</dd>
      </div>
      <div>
        <dt>Database</dt>
        <dd>{database}</dd>
      </div>
      {users === null ? null : (
        <div>
          <dt>Users</dt>
          <dd>{users}</dd>
        </div>
      )}
    </dl>
  );
}

/** The page at `/` for a signed-in user. */
export function StartPage(props: StartProps) {
  return (
    <Layout title="Start · Dragon" frame={props.frame}>
      <h1>Start</h1>
      <p class="lead">Dragon is running. This version keeps candle history and runs backtests.</p>
      <Facts {...props} />
      <h2 class="section">Next steps</h2>
      <div class="tiles">
        <section class="card">
          <h3>Run a backtest</h3>
          <p class="muted">From four files, in a terminal; needs no exchange account.</p>
          <pre tabindex={0}>
            <code>{`${props.program} help backtest`}</code>
          </pre>
          <p>
            <a href="/help/backtest">The files and the result</a>
          </p>
        </section>
        <section class="card">
          <h3>Fetch candles</h3>
          <p class="muted">History of any exchange, kept in this database.</p>
          <pre tabindex={0}>
            <code>{`${props.program} help candles`}</code>
          </pre>
          <p>
            <a href="/help/candles">Import, fetch and look at candles</a>
          </p>
        </section>
        {props.isOwner ? (
          <section class="card">
            <h3>Add somebody</h3>
            <p class="muted">Traders work with bots, viewers only look.</p>
            <p>
              <a href="/users/new">Add a user</a>
            </p>
          </section>
        ) : null}
        <section class="card">
          <h3>Let a program in</h3>
          <p class="muted">An API token has a scope and an end, and can be revoked.</p>
          <p>
            <a href="/account#tokens">Make an API token</a>
          </p>
        </section>
        {props.isOwner ? (
          <section class="card">
            <h3>Keep the key safe</h3>
            <p class="muted">A copy of the master key outside this machine.</p>
            <p>
              <a href="/help/backup-and-keys">What to back up</a>
            </p>
          </section>
        ) : null}
      </div>
    </Layout>
  );
}
