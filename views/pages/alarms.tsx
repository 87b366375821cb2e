// Who is told when something needs a person: one address outside, its test, and what is told. Rendered by
// web/routes/alarms.tsx. Address and secret are never sent back once they are stored.
import {
  ActionButton,
  Alert,
  CsrfField,
  Done,
  SelectField,
  TextField,
} from "../components/form.tsx";
import { type Frame, Layout } from "../layout.tsx";

/** The stored target. */
export type AlarmTargetRow = {
  readonly kind: "webhook" | "ntfy";
  readonly place: string;
  readonly mayBePrivate: boolean;
  readonly setAt: string;
  /** How the last message ended; null when none was sent since Dragon started. */
  readonly last: { readonly isDelivered: boolean; readonly sentence: string } | null;
};

/** Props of the page. */
export type AlarmsProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly target: AlarmTargetRow | null;
  readonly typed: { readonly kind: string; readonly url: string; readonly mayBePrivate: boolean };
  readonly problems: Readonly<Record<string, string | undefined>>;
  /** Sentences of the kinds that are told beside every error. */
  readonly named: readonly string[];
  readonly done?: string | undefined;
  readonly problem?: string | undefined;
};

const KINDS = [
  { value: "webhook", label: "Webhook (JSON, signed)" },
  { value: "ntfy", label: "ntfy topic" },
];

function Target({ csrf, target }: { csrf: string; target: AlarmTargetRow }) {
  return (
    <section class="card">
      <h2>Told at present</h2>
      <ul class="rows tight">
        <li>
          <span class="muted">Where</span>
          <span class="breakable">
            {target.place} <span class="pill">{target.kind}</span>{" "}
            {target.mayBePrivate ? <span class="pill amber">may be private</span> : null}
          </span>
        </li>
        <li>
          <span class="muted">Set</span>
          <span>{target.setAt}</span>
        </li>
        <li>
          <span class="muted">Last message</span>
          <span class={target.last === null ? "muted" : target.last.isDelivered ? "up" : "down"}>
            {target.last?.sentence ?? "none since Dragon started"}
          </span>
        </li>
      </ul>
      <div class="buttons">
        <ActionButton action="/settings/alarms/test" csrf={csrf} label="Send a test message" />
        <ActionButton action="/settings/alarms/off" csrf={csrf} label="Switch off" tone="danger" />
      </div>
    </section>
  );
}

/** The page at `/settings/alarms`. */
export function AlarmsPage(props: AlarmsProps) {
  const { frame, csrf, target, typed, problems, named } = props;
  return (
    <Layout title="Alarms · Dragon" frame={frame}>
      <h1>Alarms</h1>
      {props.done ? <Done>{props.done}</Done> : null}
      {props.problem ? <Alert>{props.problem}</Alert> : null}
      {target === null ? (
        <p class="lead warn">Nobody will be told when something needs a person.</p>
      ) : (
        <Target csrf={csrf} target={target} />
      )}
      <form method="post" action="/settings/alarms" class="card form">
        <h2>{target === null ? "Tell somebody" : "Tell somebody else"}</h2>
        <CsrfField csrf={csrf} />
        <SelectField
          id="kind"
          label="Kind"
          value={typed.kind}
          options={KINDS}
          problem={problems.kind}
        />
        <TextField
          id="url"
          label="Address"
          value={typed.url}
          maxlength={2000}
          autocomplete="off"
          hint="https only, except to this machine. It is stored encrypted and not shown again."
          problem={problems.url}
        />
        <div class="field">
          <label for="signingSecret">
            Signing secret <span class="muted">(webhooks; optional)</span>
          </label>
          <input
            id="signingSecret"
            name="signingSecret"
            type="password"
            autocomplete="off"
            maxlength={120}
            aria-describedby="signingSecret-hint"
            aria-invalid={problems.signingSecret ? "true" : undefined}
          />
          {problems.signingSecret ? <p class="problem">{problems.signingSecret}</p> : null}
          <p class="hint" id="signingSecret-hint">
            Standard Webhooks, whsec_… Left empty, the stored one stays, or one is made and shown
            once.
          </p>
        </div>
        <label class="tick">
          <input type="checkbox" name="mayBePrivate" value="yes" checked={typed.mayBePrivate} /> The
          address may lie in a private network or on this machine
        </label>
        <button type="submit">Save</button>
      </form>
      <section class="card">
        <h2>What is told</h2>
        <p>
          Every change of a trading state, every event of severity error, and these. The same thing
          about the same bot is told once an hour at most.
        </p>
        <ul class="rows tight">
          {named.map((sentence) => (
            <li>{sentence}</li>
          ))}
        </ul>
      </section>
    </Layout>
  );
}
