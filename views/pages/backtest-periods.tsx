// Saved periods: a form for a new one, and the list with new names and deletion. Takes plain props.
import { CsrfField, Done, TextField } from "../components/form.tsx";
import { dateTime, duration } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";

/** A saved period. */
export type PeriodRow = {
  readonly id: number;
  readonly name: string;
  readonly fromAt: number;
  readonly toAt: number;
};

/** Everything the page shows. */
export type PeriodsPageProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly periods: readonly PeriodRow[];
  readonly timeZone: string;
  readonly nameCharsMax: number;
  /** What was typed for a new period. */
  readonly fields: { readonly name: string; readonly from: string; readonly to: string };
  readonly problems: { readonly name?: string; readonly from?: string; readonly to?: string };
  /** A new name that was refused. */
  readonly refused: { readonly id: number; readonly name: string; readonly problem: string } | null;
  readonly done: string | undefined;
};

function Moment(props: { id: "from" | "to"; label: string; value: string; problem?: string }) {
  const { id, label, value, problem } = props;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={id}
        type="datetime-local"
        required
        value={value}
        aria-invalid={problem ? "true" : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
      />
      {problem ? (
        <p class="problem" id={`${id}-problem`}>
          {problem}
        </p>
      ) : null}
    </div>
  );
}

function NewPeriod({ csrf, fields, problems, nameCharsMax }: PeriodsPageProps) {
  return (
    <section class="card form" aria-labelledby="new-period">
      <h2 id="new-period">New period</h2>
      <form method="post" action="/backtest/periods">
        <CsrfField csrf={csrf} />
        <TextField
          id="name"
          label="Name"
          value={fields.name}
          maxlength={nameCharsMax}
          problem={problems.name}
        />
        <Moment
          id="from"
          label="Start (UTC)"
          value={fields.from}
          {...(problems.from ? { problem: problems.from } : {})}
        />
        <Moment
          id="to"
          label="End (UTC)"
          value={fields.to}
          {...(problems.to ? { problem: problems.to } : {})}
        />
        <button type="submit">Save period</button>
      </form>
    </section>
  );
}

function Period({ period, props }: { period: PeriodRow; props: PeriodsPageProps }) {
  const { csrf, timeZone, refused, nameCharsMax } = props;
  const { id, name, fromAt, toAt } = period;
  const again = refused?.id === id ? refused : null;
  return (
    <li class="period">
      <div>
        <p class="row-title">
          <a href={`/backtest?period=${id}`}>{name}</a>
        </p>
        <p class="muted small">
          {dateTime(fromAt, timeZone)} to {dateTime(toAt, timeZone)} · {duration(toAt - fromAt)}
        </p>
        {again ? (
          <p class="problem" id={`rename-${id}-problem`}>
            {again.problem}
          </p>
        ) : null}
      </div>
      <div class="buttons">
        <form method="post" action={`/backtest/periods/${id}/rename`} class="buttons">
          <CsrfField csrf={csrf} />
          <input
            name="name"
            aria-label={`New name of ${name}`}
            value={again?.name ?? name}
            maxlength={nameCharsMax}
            required
            aria-invalid={again ? "true" : undefined}
            aria-describedby={again ? `rename-${id}-problem` : undefined}
          />
          <button type="submit" class="quiet" aria-label={`Rename ${name}`}>
            Rename
          </button>
        </form>
        <form method="post" action={`/backtest/periods/${id}/delete`}>
          <CsrfField csrf={csrf} />
          <button type="submit" class="danger" aria-label={`Delete ${name}`}>
            Delete
          </button>
        </form>
      </div>
    </li>
  );
}

/** The page. */
export function PeriodsPage(props: PeriodsPageProps) {
  const { frame, periods, done } = props;
  return (
    <Layout title="Saved periods · Dragon" frame={frame} parts={["backtest"]}>
      <p class="crumb">
        <a href="/backtest">Backtest</a>
      </p>
      <h1>Saved periods</h1>
      <p class="lead">Windows with a name, for everybody in this workspace.</p>
      {done ? <Done>{done}</Done> : null}
      {periods.length > 0 ? (
        <ul class="rows card" aria-label="Saved periods">
          {periods.map((period) => (
            <Period period={period} props={props} />
          ))}
        </ul>
      ) : (
        <p class="muted">None yet. Save the window of a test you will want to repeat.</p>
      )}
      <NewPeriod {...props} />
    </Layout>
  );
}
