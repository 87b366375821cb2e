// The own account: who am I, time zone, password, sessions, API tokens. Rendered by
// web/routes/account.tsx.
import {
  type AccountListProps,
  SessionList,
  TokenForm,
  TokenList,
} from "../components/account-lists.tsx";
import {
  Alert,
  CsrfField,
  Done,
  PasswordField,
  SelectField,
  zoneOptions,
} from "../components/form.tsx";
import { date } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";
import { passwordHint } from "./setup.tsx";

/** Props of the page. */
export type AccountProps = AccountListProps & {
  readonly frame: Frame;
  readonly email: string;
  readonly role: string;
  readonly workspace: string;
  readonly createdAt: number;
  readonly timeZones: readonly string[];
  readonly passwordCharsMin: number;
  readonly done?: string | undefined;
};

function WhoAmI(props: AccountProps) {
  return (
    <dl class="facts">
      <div>
        <dt>E-mail</dt>
        <dd>{props.email}</dd>
      </div>
      <div>
        <dt>Role</dt>
        <dd>{props.role}</dd>
      </div>
      <div>
        <dt>Workspace</dt>
        <dd>{props.workspace}</dd>
      </div>
      <div>
        <dt>Since</dt>
        <dd>{date(props.createdAt, props.timeZone)}</dd>
      </div>
    </dl>
  );
}

function ZoneForm({ csrf, timeZone, timeZones, problems }: AccountProps) {
  return (
    <form class="card form" method="post" action="/account/time-zone">
      <h2>Time zone</h2>
      <CsrfField csrf={csrf} />
      <SelectField
        id="timeZone"
        label="Times on pages"
        value={timeZone}
        options={zoneOptions(timeZones)}
        problem={problems.timeZone}
      />
      <button type="submit">Save time zone</button>
    </form>
  );
}

function PasswordForm({ csrf, email, passwordCharsMin, problems }: AccountProps) {
  return (
    <form class="card form" method="post" action="/account/password">
      <h2>Password</h2>
      <p class="muted">A new password signs out every other browser.</p>
      <CsrfField csrf={csrf} />
      <input type="hidden" autocomplete="username" value={email} />
      <PasswordField
        id="current"
        label="Present password"
        problem={problems.current}
        autocomplete="current-password"
      />
      <PasswordField
        id="password"
        label="New password"
        hint={passwordHint(passwordCharsMin)}
        problem={problems.password}
        autocomplete="new-password"
        min={passwordCharsMin}
      />
      <PasswordField
        id="repeat"
        label="New password again"
        problem={problems.repeat}
        autocomplete="new-password"
        min={passwordCharsMin}
      />
      <button type="submit">Change password</button>
    </form>
  );
}

/** The page at `/account`. */
export function AccountPage(props: AccountProps) {
  return (
    <Layout title="Account · Dragon" frame={props.frame}>
      <h1>Account</h1>
      {props.done ? <Done>{props.done}</Done> : null}
      {props.problems.form ? <Alert>{props.problems.form}</Alert> : null}
      <WhoAmI {...props} />
      <div class="columns">
        <div>
          <PasswordForm {...props} />
          <ZoneForm {...props} />
        </div>
        <div>
          <SessionList {...props} />
          <section class="card" aria-labelledby="tokens">
            <h2 id="tokens">API tokens</h2>
            <TokenList {...props} />
            <TokenForm {...props} />
          </section>
        </div>
      </div>
    </Layout>
  );
}
