// The checks of an account's pre-flight by how they ended, or that one is under way. Rendered by accounts-live.tsx.
import { Alert } from "../components/form.tsx";
import { Progress } from "../components/parts.tsx";
import { CheckList, type CheckRow } from "./accounts-parts.tsx";

/** What of a pre-flight is shown. */
type PreflightShown = {
  readonly verdict: "pass" | "warn" | "fail";
  /** e.g. `3 minutes ago`. */
  readonly when: string;
  /** Failures, then warnings, then what passed; a remedy ends the sentence. */
  readonly fails: readonly CheckRow[];
  readonly warnings: readonly CheckRow[];
  readonly passes: readonly CheckRow[];
};

/** Props of the checks. */
export type PreflightProps = {
  readonly run: PreflightShown | null;
  /** Set while one is under way. */
  readonly busy: string | null;
  /** The last one ended before its verdict. */
  readonly hasFailed: boolean;
};

const VERDICTS = {
  pass: "Every check passed.",
  warn: "Nothing failed; read the warnings.",
  fail: "At least one check failed: the account cannot be armed.",
} as const;

function Group({
  title,
  checks,
  isOpen,
}: {
  title: string;
  checks: readonly CheckRow[];
  isOpen: boolean;
}) {
  if (checks.length === 0) return null;
  return (
    <details open={isOpen}>
      <summary>
        {title} ({checks.length})
      </summary>
      <CheckList checks={checks} />
    </details>
  );
}

/** The checks of the last pre-flight, or that one is under way. */
export function PreflightView({ run, busy, hasFailed }: PreflightProps) {
  if (busy !== null) {
    return (
      <div data-stage="busy">
        <p class="stage">{busy}</p>
        <Progress label={busy} share={null} />
      </div>
    );
  }
  return (
    <>
      {hasFailed ? (
        <Alert>The last pre-flight was not finished; the log says why. Run it again.</Alert>
      ) : null}
      {run === null ? (
        <p class="muted">No pre-flight was made yet.</p>
      ) : (
        <>
          <p>
            <strong>{VERDICTS[run.verdict]}</strong>{" "}
            <span class="muted small">Checked {run.when}.</span>
          </p>
          <Group title="Failed" checks={run.fails} isOpen />
          <Group title="Warnings" checks={run.warnings} isOpen />
          <Group title="Passed" checks={run.passes} isOpen={false} />
        </>
      )}
    </>
  );
}
