// How long events, samples and commands are kept, as a form for owners. Part of the page of jobs.
import { CsrfField, TextField } from "./form.tsx";

/** A rule with what is typed into its field. */
export type RetentionField = {
  readonly name: string;
  readonly value: string;
  readonly min: number;
  readonly max: number;
};

/** Props of the form. */
export type RetentionFormProps = {
  readonly csrf: string;
  readonly revision: number;
  readonly fields: readonly RetentionField[];
};

const LABELS: Readonly<Record<string, string>> = {
  eventDays: "Events, days",
  eventMegabytes: "Events, megabytes",
  fullSampleDays: "Every sample of equity, days",
  sampleDays: "One sample of equity an hour, days",
  commandDays: "Commands that were carried out, days",
};

/** The form; it posts to `/jobs/retention`. */
export function RetentionForm({ csrf, revision, fields }: RetentionFormProps) {
  return (
    <form class="card form" method="post" action="/jobs/retention">
      <h2>What is kept for how long</h2>
      <p class="muted">
        Once a day what is older goes. Orders, fills, the ledger and the audit log always stay.
      </p>
      <CsrfField csrf={csrf} />
      <input type="hidden" name="revision" value={String(revision)} />
      {fields.map(({ name, value, min, max }) => (
        <TextField
          id={name}
          label={LABELS[name] ?? name}
          type="number"
          hint={`${min} to ${max}`}
          {...{ value, min, max }}
        />
      ))}
      <button type="submit">Save</button>
    </form>
  );
}
