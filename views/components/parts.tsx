// Small parts of working pages: empty states, figures, progress, typed confirmation. Plain props in,
// HTML out; used by every page with data.
import type { Child } from "hono/jsx";
import { CsrfField } from "./form.tsx";

/** Nothing is there yet: one sentence and one action. */
export function EmptyState(props: { sentence: string; action?: { href: string; label: string } }) {
  return (
    <section class="card empty">
      <p>{props.sentence}</p>
      {props.action ? (
        <a class="button" href={props.action.href}>
          {props.action.label}
        </a>
      ) : null}
    </section>
  );
}

/** One figure; `tone` colours it, `note` stands small below. */
export type Kpi = {
  readonly label: string;
  readonly value: string;
  readonly tone?: "up" | "down" | "warn" | undefined;
  readonly note?: string | undefined;
  /** Explains the figure, shown on hover and to screen readers. */
  readonly about?: string;
};

/** A row of figures. */
export function KpiTiles({ tiles, label }: { tiles: readonly Kpi[]; label: string }) {
  return (
    <dl class="kpis" aria-label={label}>
      {tiles.map(({ label: name, value, tone, note, about }) => (
        <div class="kpi" title={about}>
          <dt>{name}</dt>
          <dd class={tone}>{value}</dd>
          {note === undefined ? null : <dd class="note">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}

/** How far something is; without a share it only says that it goes on. */
export function Progress({ label, share }: { label: string; share: number | null }) {
  return share === null ? (
    <progress aria-label={label}></progress>
  ) : (
    <progress aria-label={label} value={share} max={1}></progress>
  );
}

/** A dangerous action behind a word that must be typed. */
export function TypedConfirm(props: {
  action: string;
  csrf: string;
  /** What will happen, with its size. */
  effect: Child;
  /** Verb and noun, e.g. `Delete series`. */
  label: string;
  /** What must be typed; the route checks it in the field `confirm`. */
  word: string;
  problem?: string | undefined;
  fields?: Readonly<Record<string, string>>;
}) {
  const { action, csrf, effect, label, word, problem, fields = {} } = props;
  const id = `confirm-${action.replace(/\W+/g, "-")}`;
  return (
    <details class="danger-zone" open={problem !== undefined}>
      <summary>{label}…</summary>
      <form method="post" action={action}>
        <CsrfField csrf={csrf} />
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <p>{effect}</p>
        <div class="field">
          <label for={id}>
            Type <code>{word}</code> to confirm
          </label>
          <input
            id={id}
            name="confirm"
            autocomplete="off"
            required
            aria-invalid={problem ? "true" : undefined}
          />
          {problem ? <p class="problem">{problem}</p> : null}
        </div>
        <button type="submit" class="danger">
          {label}
        </button>
      </form>
    </details>
  );
}
