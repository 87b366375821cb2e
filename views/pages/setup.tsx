// The pages behind one-time links: the form that creates the owner, and the one with which a user
// sets a password. Rendered by web/routes/setup.tsx.
import { Alert, PasswordField, SelectField, TextField, zoneOptions } from "../components/form.tsx";
import { type Frame, Layout } from "../layout.tsx";

/** Fields of the form; passwords are never sent back to the browser. */
export type SetupFields = { readonly email: string; readonly timeZone: string };

/** One sentence per refused field, and one for the whole form. */
export type SetupProblems = Readonly<
  Partial<Record<"email" | "password" | "repeat" | "timeZone" | "form", string>>
>;

/** Props of the form page. */
export type SetupProps = {
  readonly frame: Frame;
  readonly action: string;
  readonly fields: SetupFields;
  readonly problems: SetupProblems;
  readonly timeZones: readonly string[];
  readonly passwordCharsMin: number;
};

/** What a new password needs, as its hint says it. */
export function passwordHint(charsMin: number): string {
  return `At least ${charsMin} characters. A few unrelated words are easy to remember and hard to guess.`;
}

/** A new password and the same again. */
export function NewPasswordFields(props: {
  readonly problems: SetupProblems;
  readonly charsMin: number;
}) {
  const { problems, charsMin } = props;
  return (
    <>
      <PasswordField
        id="password"
        label="Password"
        hint={passwordHint(charsMin)}
        problem={problems.password}
        autocomplete="new-password"
        min={charsMin}
      />
      <PasswordField
        id="repeat"
        label="Password again"
        problem={problems.repeat}
        autocomplete="new-password"
        min={charsMin}
      />
    </>
  );
}

/** The form at `/setup/:token` while there is no owner. */
export function SetupPage(props: SetupProps) {
  const { fields, problems } = props;
  return (
    <Layout title="Create the owner · Dragon" frame={props.frame}>
      <h1>Create the owner</h1>
      <p class="lead">
        The owner may do everything on this Dragon, also add other users. This link works once;
        afterwards you sign in with this e-mail and password.
      </p>
      {problems.form ? <Alert>{problems.form}</Alert> : null}
      <form class="card form" method="post" action={props.action}>
        <TextField
          id="email"
          label="E-mail"
          type="email"
          autocomplete="username"
          maxlength={254}
          value={fields.email}
          problem={problems.email}
          hint="Your name for signing in. Dragon sends no mail to it."
        />
        <NewPasswordFields problems={problems} charsMin={props.passwordCharsMin} />
        <SelectField
          id="timeZone"
          label="Time zone"
          value={fields.timeZone}
          options={zoneOptions(props.timeZones)}
          problem={problems.timeZone}
          hint="For times on pages. Everything is stored in UTC."
        />
        <button type="submit">Create owner</button>
      </form>
    </Layout>
  );
}

/** Props of the page on which a user sets a password. */
export type LinkPageProps = {
  readonly frame: Frame;
  readonly action: string;
  readonly email: string;
  readonly problems: SetupProblems;
  readonly passwordCharsMin: number;
};

/** The form at `/setup/:token` for a user's link. */
export function LinkPage(props: LinkPageProps) {
  return (
    <Layout title="Set your password · Dragon" frame={props.frame}>
      <h1>Set your password</h1>
      <p class="lead">
        For {props.email}. This link works once; afterwards you sign in with this e-mail and the
        password.
      </p>
      <form class="card form" method="post" action={props.action}>
        {/* Tells a password manager whose password it keeps. */}
        <input type="hidden" autocomplete="username" value={props.email} />
        <NewPasswordFields problems={props.problems} charsMin={props.passwordCharsMin} />
        <button type="submit">Set password</button>
      </form>
    </Layout>
  );
}
