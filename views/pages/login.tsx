// The sign-in form. Rendered by web/routes/login.tsx; the password is never sent back.
import { Alert, Done, PasswordField, TextField } from "../components/form.tsx";
import { type Frame, Layout } from "../layout.tsx";

/** Props of the form. */
export type LoginProps = {
  readonly frame: Frame;
  /** How a command is written on this installation. */
  readonly program: string;
  readonly email: string;
  /** Where to go afterwards; a path of ours. */
  readonly next: string;
  readonly problem?: string | undefined;
  /** Something that just happened, e.g. a new password. */
  readonly done?: string | undefined;
};

/** The page at `/login`. */
export function LoginPage({ frame, program, email, next, problem, done }: LoginProps) {
  return (
    <Layout title="Sign in · Dragon" frame={frame}>
      <div class="narrow">
        <h1>Sign in</h1>
        {problem ? <Alert>{problem}</Alert> : null}
        {done ? <Done>{done}</Done> : null}
        <form class="card form" method="post" action="/login">
          <input type="hidden" name="next" value={next} />
          <TextField
            id="email"
            label="E-mail"
            type="email"
            autocomplete="username"
            maxlength={254}
            value={email}
            autofocus={email === ""}
          />
          <PasswordField
            id="password"
            label="Password"
            autocomplete="current-password"
            autofocus={email !== ""}
          />
          <button type="submit">Sign in</button>
        </form>
        <p class="muted small">
          Forgotten the password? An owner can make you a new one-time link; on the machine itself{" "}
          <code>{program} admin reset-password</code> does it.
        </p>
      </div>
    </Layout>
  );
}
