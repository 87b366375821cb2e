// The pages behind the one-time link: the form that creates the owner, and the sentence a link
// shows when it cannot be used. Rendered by web/routes/setup.ts.
import { Layout } from "../layout.tsx";

/** Fields of the form; passwords are never sent back to the browser. */
export type SetupFields = { readonly email: string; readonly timeZone: string };

/** One sentence per refused field, and one for the whole form. */
export type SetupProblems = Readonly<
  Partial<Record<"email" | "password" | "repeat" | "timeZone" | "form", string>>
>;

/** Props of the form page. */
export type SetupProps = {
  readonly version: string;
  readonly action: string;
  readonly fields: SetupFields;
  readonly problems: SetupProblems;
  readonly timeZones: readonly string[];
  readonly passwordCharsMin: number;
};

type FieldProps = {
  id: string;
  label: string;
  hint?: string;
  problem: string | undefined;
  children: unknown;
};

function Field({ id, label, hint, problem, children }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {problem ? (
        <p class="problem" id={`${id}-problem`}>
          {problem}
        </p>
      ) : null}
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

function describedBy(
  id: string,
  problem: string | undefined,
  hasHint: boolean,
): string | undefined {
  const ids = [problem ? `${id}-problem` : "", hasHint ? `${id}-hint` : ""].filter(Boolean);
  return ids.length > 0 ? ids.join(" ") : undefined;
}

function PasswordField(props: {
  id: "password" | "repeat";
  label: string;
  hint?: string;
  problem: string | undefined;
  min: number;
}) {
  const { id, label, hint, problem } = props;
  return (
    <Field id={id} label={label} problem={problem} {...(hint ? { hint } : {})}>
      <input
        id={id}
        name={id}
        type="password"
        autocomplete="new-password"
        required
        minlength={props.min}
        aria-invalid={problem ? "true" : undefined}
        aria-describedby={describedBy(id, problem, hint !== undefined)}
      />
    </Field>
  );
}

/** The form at `/setup/:token`. */
export function SetupPage(props: SetupProps) {
  const { fields, problems } = props;
  const hint = `At least ${props.passwordCharsMin} characters. A few unrelated words are easy to remember and hard to guess.`;
  return (
    <Layout title="Create the owner · Dragon" version={props.version}>
      <h1>Create the owner</h1>
      <p class="lead">
        The owner may do everything on this Dragon. This link works once; afterwards the command
        line can add users and reset a password.
      </p>
      {problems.form ? (
        <div class="notice" role="alert">
          <p>{problems.form}</p>
        </div>
      ) : null}
      <form class="card form" method="post" action={props.action}>
        <Field
          id="email"
          label="E-mail"
          problem={problems.email}
          hint="Your name for signing in. Dragon sends no mail to it."
        >
          <input
            id="email"
            name="email"
            type="email"
            autocomplete="username"
            required
            maxlength={254}
            value={fields.email}
            aria-invalid={problems.email ? "true" : undefined}
            aria-describedby={describedBy("email", problems.email, true)}
          />
        </Field>
        <PasswordField
          id="password"
          label="Password"
          hint={hint}
          problem={problems.password}
          min={props.passwordCharsMin}
        />
        <PasswordField
          id="repeat"
          label="Password again"
          problem={problems.repeat}
          min={props.passwordCharsMin}
        />
        <Field
          id="timeZone"
          label="Time zone"
          problem={problems.timeZone}
          hint="For times on pages. Everything is stored in UTC."
        >
          <select
            id="timeZone"
            name="timeZone"
            aria-invalid={problems.timeZone ? "true" : undefined}
            aria-describedby={describedBy("timeZone", problems.timeZone, true)}
          >
            {props.timeZones.map((zone) => (
              <option value={zone} selected={zone === fields.timeZone}>
                {zone.replaceAll("_", " ")}
              </option>
            ))}
          </select>
        </Field>
        <button type="submit">Create owner</button>
      </form>
    </Layout>
  );
}
