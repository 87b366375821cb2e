// One field of the backtest form: label, unit, explanation behind a question mark, and its sentence when it was
// refused. Fields that do not matter are hidden, never removed, so that what was typed stays.
import type { Child } from "hono/jsx";
import { type Choice, type FieldSpec, isShown, ON, type When } from "./backtest-field-kinds.ts";

/** What the whole form is drawn from. */
export type FormView = {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: Readonly<Record<string, string>>;
  /** Ranges of numbers by field. */
  readonly limits: Readonly<Record<string, { readonly min?: number; readonly max?: number }>>;
  /** Explanations of the strategy's parameters by field. */
  readonly help: Readonly<Record<string, string>>;
  /** Choices that depend on what is stored. */
  readonly choices: Readonly<Record<string, readonly Choice[]>>;
  /** The first refused field, which gets the cursor. */
  readonly focus: string | undefined;
};

/** The element id of a field. */
export function fieldId(name: string): string {
  return name.replaceAll(".", "-");
}

/** Tells the page's script when a part matters: `a=b|c=d`. */
export function whenAttributes(when: When | undefined, values: FormView["values"]) {
  if (when === undefined) return {};
  return {
    "data-when": when.map(([field, value]) => `${field}=${value}`).join("|"),
    "x-bind:hidden": "hides($el)",
    hidden: !isShown(when, values),
  };
}

type FieldProps = { readonly spec: FieldSpec; readonly view: FormView };

function explanation({ spec, view }: FieldProps): string | undefined {
  return spec.help ?? view.help[spec.name];
}

/** The question mark and the text behind it. */
function Help({ id, label, text }: { id: string; label: string; text: string }) {
  return (
    <>
      <button
        type="button"
        class="help-button"
        popovertarget={`${id}-help`}
        aria-label={`About ${label}`}
      >
        ?
      </button>
      <div popover="auto" class="help-text" id={`${id}-help`}>
        {text}
      </div>
    </>
  );
}

function inputAttributes(props: FieldProps) {
  const { spec, view } = props;
  const id = fieldId(spec.name);
  const problem = view.problems[spec.name];
  const described = [problem ? `${id}-problem` : "", explanation(props) ? `${id}-help` : ""];
  return {
    id,
    name: spec.name,
    "aria-invalid": problem ? ("true" as const) : undefined,
    "aria-describedby": described.filter(Boolean).join(" ") || undefined,
    autofocus: view.focus === spec.name,
  };
}

function Input(props: FieldProps) {
  const { spec, view } = props;
  const value = view.values[spec.name] ?? "";
  const shared = inputAttributes(props);
  switch (spec.kind) {
    case "choice":
      return (
        <select {...shared}>
          {(view.choices[spec.name] ?? spec.choices ?? []).map(([each, label, about]) => (
            <option value={each} selected={each === value} data-timeframe={about}>
              {label}
            </option>
          ))}
        </select>
      );
    case "number": {
      const { min = spec.min, max = spec.max } = view.limits[spec.name] ?? {};
      const arrows = { min, max, step: spec.step ?? "any" };
      return <input type="number" inputmode="decimal" value={value} {...arrows} {...shared} />;
    }
    case "moment":
      return <input type="datetime-local" value={value} {...shared} />;
    default:
      return <input type="text" value={value} list={spec.list} autocomplete="off" {...shared} />;
  }
}

function Problem({ spec, view }: FieldProps) {
  const problem = view.problems[spec.name];
  return problem ? (
    <p class="problem" id={`${fieldId(spec.name)}-problem`}>
      {problem}
    </p>
  ) : null;
}

function Switch(props: FieldProps) {
  const { spec, view } = props;
  const text = explanation(props);
  const id = fieldId(spec.name);
  return (
    <div class="switch-row">
      <label class="switch" for={id}>
        <input
          type="checkbox"
          value={ON}
          checked={view.values[spec.name] === ON}
          {...inputAttributes(props)}
        />
        <span>{spec.label}</span>
      </label>
      {text ? <Help id={id} label={spec.label} text={text} /> : null}
    </div>
  );
}

/** A field of any kind. */
export function BacktestField(props: FieldProps) {
  const { spec, view } = props;
  const id = fieldId(spec.name);
  const text = explanation(props);
  const condition = whenAttributes(spec.when, view.values);
  if (spec.kind === "switch") {
    return (
      <div class="bt-field wide-field switch-field" {...condition}>
        <Switch {...props} />
        <Problem {...props} />
      </div>
    );
  }
  return (
    <div class={spec.isWide ? "bt-field wide-field" : "bt-field"} {...condition}>
      <div class="label-row">
        <label for={id}>{spec.label}</label>
        {text ? <Help id={id} label={spec.label} text={text} /> : null}
      </div>
      <div class={spec.unit ? "with-unit" : undefined}>
        <Input {...props} />
        {spec.unit ? <span class="unit">{spec.unit}</span> : null}
      </div>
      <Problem {...props} />
    </div>
  );
}

/** A choice shown as neighbouring buttons. */
export function Segments(props: {
  name: string;
  legend: string;
  choices: readonly Choice[];
  view: FormView;
  children?: Child;
}) {
  const { name, legend, choices, view } = props;
  return (
    <fieldset class="segments">
      <legend>{legend}</legend>
      {view.problems[name] ? <p class="problem">{view.problems[name]}</p> : null}
      <div>
        {choices.map(([value, label]) => (
          <label>
            <input
              type="radio"
              name={name}
              value={value}
              checked={view.values[name] === value}
              autofocus={view.focus === name && view.values[name] === value}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
