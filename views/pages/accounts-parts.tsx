// Small parts the accounts pages share: pills, the list of checks, fields for secrets. A secret that was
// typed is never sent back to the browser.
import { ariaOf, Field, type FieldProps } from "../components/form.tsx";

/** Where an account stands. */
export type AccountState = {
  readonly mode: "demo" | "paper" | "live";
  readonly status: "active" | "disabled";
  readonly isBlocked: boolean;
};

/** How the last test ended. */
export type TestVerdict = "none" | "good" | "warning" | "bad";

/** One check of a test. */
export type CheckRow = {
  readonly label: string;
  readonly outcome: "pass" | "warn" | "fail" | "skipped";
  readonly sentence: string;
};

const MODES = { demo: "blue", paper: "purple", live: "amber" } as const;

/** Which kind of trading, whether it trades at all, and whether nothing new may be opened. */
export function StatePills({ mode, status, isBlocked }: AccountState) {
  return (
    <>
      <span class={`pill ${MODES[mode]}`}>{mode}</span>{" "}
      <span class={status === "active" ? "pill green" : "pill red"}>{status}</span>{" "}
      {isBlocked ? <span class="pill red">entries blocked</span> : null}
    </>
  );
}

const VERDICTS = {
  none: { tone: "", text: "not tested" },
  good: { tone: "green", text: "✓ passed" },
  warning: { tone: "amber", text: "! look" },
  bad: { tone: "red", text: "✗ failed" },
} as const;

/** How the last test ended. */
export function TestPill({ verdict }: { verdict: TestVerdict }) {
  const { tone, text } = VERDICTS[verdict];
  return <span class={`pill ${tone}`}>{text}</span>;
}

const OUTCOMES = {
  pass: { tone: "green", text: "✓ pass" },
  warn: { tone: "amber", text: "! look" },
  fail: { tone: "red", text: "✗ fail" },
  skipped: { tone: "", text: "– skipped" },
} as const;

/** What was checked and what came of it, a sentence each. */
export function CheckList({ checks }: { checks: readonly CheckRow[] }) {
  return (
    <ul class="rows" aria-label="Checks">
      {checks.map(({ label, outcome, sentence }) => (
        <li>
          <div>
            <p class="row-title">{label}</p>
            <p class="muted small breakable">{sentence}</p>
          </div>
          <span class={`pill ${OUTCOMES[outcome].tone}`}>{OUTCOMES[outcome].text}</span>
        </li>
      ))}
    </ul>
  );
}

type OpenFieldProps = FieldProps & {
  readonly type: "password" | "text";
  readonly value?: string;
  readonly maxlength: number;
  readonly isRequired?: boolean;
  readonly inputmode?: "decimal";
  readonly unit?: string;
};

/** A line that no browser keeps or fills in; `password` ones never carry a value. */
export function OpenField(props: OpenFieldProps) {
  const { id, label, hint, problem, type, value, unit, isRequired, ...rest } = props;
  const field = { id, label, hint, problem, ...(unit === undefined ? {} : { unit }) };
  return (
    <Field {...field}>
      <input
        id={id}
        name={id}
        type={type}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        required={isRequired}
        value={type === "password" ? undefined : value}
        {...rest}
        {...ariaOf(props)}
      />
    </Field>
  );
}

/** What the fields of keys need. */
export type KeyFieldsProps = {
  readonly needsPassphrase: boolean;
  readonly keyCharsMax: number;
  readonly problems: Readonly<Record<string, string | undefined>>;
};

/** Key, secret and, where the exchange wants one, the passphrase. */
export function KeyFields({ needsPassphrase, keyCharsMax, problems }: KeyFieldsProps) {
  const common = { type: "password", maxlength: keyCharsMax, isRequired: true } as const;
  return (
    <>
      <OpenField id="apiKey" label="API key" problem={problems.apiKey} {...common} />
      <OpenField id="apiSecret" label="API secret" problem={problems.apiSecret} {...common} />
      {needsPassphrase ? (
        <OpenField
          id="passphrase"
          label="Passphrase"
          hint="The one chosen when the key was made, not your password."
          problem={problems.passphrase}
          {...common}
        />
      ) : problems.passphrase ? (
        <p class="problem">{problems.passphrase}</p>
      ) : null}
    </>
  );
}
