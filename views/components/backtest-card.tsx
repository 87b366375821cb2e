// A card of the backtest form: its groups of fields, the advanced ones folded away. Opens by itself where a
// folded field was refused.
import type { Child } from "hono/jsx";
import { BacktestField, type FormView, whenAttributes } from "./backtest-field.tsx";
import type { FieldCard, FieldGroup, FieldSpec } from "./backtest-field-kinds.ts";

function Fields({ fields, view }: { fields: readonly FieldSpec[]; view: FormView }) {
  return (
    <div class="bt-fields">
      {fields.map((spec) => (
        <BacktestField spec={spec} view={view} />
      ))}
    </div>
  );
}

/** Fields under one heading. */
export function GroupFields({ group, view }: { group: FieldGroup; view: FormView }) {
  const { title, note, fields, advanced = [], when } = group;
  const isRefused = advanced.some(({ name }) => view.problems[name] !== undefined);
  return (
    <div class="bt-group" {...whenAttributes(when, view.values)}>
      {title ? <h3>{title}</h3> : null}
      {note ? <p class="muted small">{note}</p> : null}
      <Fields fields={fields} view={view} />
      {advanced.length > 0 ? (
        <details open={isRefused}>
          <summary>Advanced</summary>
          <Fields fields={advanced} view={view} />
        </details>
      ) : null}
    </div>
  );
}

/** A whole card; `children` come first. */
export function BacktestCard(props: { card: FieldCard; view: FormView; children?: Child }) {
  const { card, view, children } = props;
  return (
    <section class="card bt-card" aria-labelledby={`card-${card.id}`}>
      <h2 id={`card-${card.id}`}>{card.title}</h2>
      {children}
      {card.groups.map((group) => (
        <GroupFields group={group} view={view} />
      ))}
    </section>
  );
}
