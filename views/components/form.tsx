// Parts of forms: fields with hint and problem, the hidden token, and the boxes above a form. Used by
// every page with a form; passwords are never sent back to the browser.
import type { Child } from "hono/jsx";

/** Name of the hidden field that carries the session's token. */
export const CSRF_FIELD = "csrf";
/** Header that carries it where there is no form: partial updates and files. */
export const CSRF_HEADER = "x-csrf-token";

/** The hidden field every form of a signed-in page needs. */
export function CsrfField({ csrf }: { csrf: string }) {
  return <input type="hidden" name={CSRF_FIELD} value={csrf} />;
}

/** What all fields have in common. */
export type FieldProps = {
  readonly id: string;
  readonly label: string;
  readonly hint?: string | undefined;
  /** One sentence when the value was refused. */
  readonly problem?: string | undefined;
};

/** A control of any kind with its label, what was wrong with it, and its hint. */
export function Field(props: FieldProps & { readonly unit?: string; readonly children: Child }) {
  const { id, label, unit, hint, problem, children } = props;
  return (
    <div class="field">
      <label for={id}>
        {label}
        {unit ? <span class="muted"> ({unit})</span> : null}
      </label>
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

/** What tells those who only hear the page about problem and hint. */
export function ariaOf({ id, hint, problem }: FieldProps) {
  const ids = [problem ? `${id}-problem` : "", hint ? `${id}-hint` : ""].filter(Boolean);
  return {
    "aria-invalid": problem ? ("true" as const) : undefined,
    "aria-describedby": ids.length > 0 ? ids.join(" ") : undefined,
  };
}

type TextProps = FieldProps & {
  readonly value: string;
  readonly type?: "text" | "email" | "number";
  readonly autocomplete?: string;
  readonly maxlength?: number;
  readonly min?: number;
  readonly max?: number;
  readonly autofocus?: boolean;
};

/** One line of text that must be filled in. */
export function TextField(props: TextProps) {
  const { id, label, hint, problem, value, type = "text", ...rest } = props;
  const aria = ariaOf(props);
  return (
    <Field id={id} label={label} hint={hint} problem={problem}>
      <input id={id} name={id} type={type} required value={value} {...rest} {...aria} />
    </Field>
  );
}

type PasswordProps = FieldProps & {
  readonly autocomplete: "current-password" | "new-password";
  readonly min?: number;
  readonly isOptional?: boolean;
  readonly autofocus?: boolean;
};

/** A password; the browser's own manager fills it in. */
export function PasswordField(props: PasswordProps) {
  const { id, label, hint, problem, autocomplete, min, isOptional, autofocus } = props;
  return (
    <Field id={id} label={label} hint={hint} problem={problem}>
      <input
        id={id}
        name={id}
        type="password"
        autocomplete={autocomplete}
        required={!isOptional}
        minlength={min}
        autofocus={autofocus}
        {...ariaOf(props)}
      />
    </Field>
  );
}

type SelectProps = FieldProps & {
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
};

/** A choice from a list. */
export function SelectField(props: SelectProps) {
  const { id, label, hint, problem, value, options } = props;
  return (
    <Field id={id} label={label} hint={hint} problem={problem}>
      <select id={id} name={id} {...ariaOf(props)}>
        {options.map((option) => (
          <option value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** Time zones as choices. */
export function zoneOptions(zones: readonly string[]) {
  return zones.map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }));
}

/** Something went wrong with the whole form. */
export function Alert({ children }: { children: Child }) {
  return (
    <div class="notice" role="alert">
      <p>{children}</p>
    </div>
  );
}

/** Something was done. */
export function Done({ children }: { children: Child }) {
  return (
    <div class="notice done" role="status">
      <p>{children}</p>
    </div>
  );
}

type ActionProps = {
  readonly action: string;
  readonly csrf: string;
  readonly label: string;
  /** What the button acts on, for those who only hear it. */
  readonly about?: string;
  readonly tone?: "quiet" | "danger";
};

/** A form that is one button. */
export function ActionButton({ action, csrf, label, about, tone = "quiet" }: ActionProps) {
  return (
    <form method="post" action={action} class="action">
      <CsrfField csrf={csrf} />
      <button type="submit" class={tone} aria-label={about ? `${label} ${about}` : undefined}>
        {label}
      </button>
    </form>
  );
}
