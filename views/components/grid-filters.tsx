// What narrows a grid: the bar above it, the active filters as chips, and the two dialogs that
// static/grid.js fills: one filter of a column, and the choice of columns.
import type { Child } from "hono/jsx";
import { CsrfField } from "./form.tsx";

/** A field of the bar; `name` is a parameter of the address. */
export type BarField = {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly value: string;
  /** A choice when there are options, a line of text when there are none. */
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  readonly type?: "search" | "number";
  readonly placeholder?: string;
};

function Bar({ field }: { field: BarField }) {
  const { id, name, label, value, options, type = "search", placeholder } = field;
  return (
    <div class="bar-field">
      <label for={id}>{label}</label>
      {options ? (
        <select id={id} name={name}>
          <option value="">All</option>
          {options.map((option) => (
            <option value={option.value} selected={option.value === value}>
              {option.label}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          name={name}
          type={type}
          step={type === "number" ? "any" : undefined}
          value={value}
          placeholder={placeholder}
          maxlength={type === "search" ? 100 : undefined}
        />
      )}
    </div>
  );
}

/** The bar: a plain form whose answer is the filtered list. */
export function FilterBar(props: {
  action: string;
  fields: readonly BarField[];
  /** Parameters that the bar has no field for and keeps. */
  kept: readonly (readonly [name: string, value: string])[];
}) {
  return (
    <form class="filter-bar" method="get" action={props.action}>
      {props.fields.map((field) => (
        <Bar field={field} />
      ))}
      {props.kept.map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button type="submit" class="quiet">
        Apply
      </button>
    </form>
  );
}

/** An active filter and the address without it. */
export type Chip = { readonly text: string; readonly href: string };

/** The active filters. */
export function Chips({ chips, clearHref }: { chips: readonly Chip[]; clearHref: string }) {
  if (chips.length === 0) return null;
  return (
    <ul class="chips" aria-label="Active filters">
      {chips.map(({ text, href }) => (
        <li class="chip">
          <span>{text}</span>
          <a href={href} aria-label={`Remove the filter ${text}`}>
            ×
          </a>
        </li>
      ))}
      <li>
        <a class="clear" href={clearHref}>
          Clear all
        </a>
      </li>
    </ul>
  );
}

/** The dialog of one column's filter; its choices come with the page as data. */
export function ColumnFilterDialog({ data }: { data: Child }) {
  return (
    <>
      <dialog id="column-filter" class="dialog" aria-labelledby="column-filter-title">
        <form method="dialog">
          <h2 id="column-filter-title">Filter</h2>
          <p class="muted small" id="column-filter-about"></p>
          <div id="column-filter-fields"></div>
          <div class="buttons">
            <button type="submit" value="apply">
              Apply the filter
            </button>
            <button type="submit" value="remove" class="quiet">
              Remove it
            </button>
            <button type="button" class="quiet" data-closes>
              Close
            </button>
          </div>
        </form>
      </dialog>
      {data}
    </>
  );
}

/** A column in the choice of columns. */
export type ColumnChoice = {
  readonly key: string;
  readonly label: string;
  readonly isShown: boolean;
  readonly width: number | null;
};

/** The choice of columns and their order. */
export function ColumnsDialog(props: {
  action: string;
  csrf: string;
  columns: readonly ColumnChoice[];
  /** Query string to come back to. */
  back: string;
}) {
  return (
    <dialog id="columns" class="dialog" aria-labelledby="columns-title">
      <form method="post" action={props.action}>
        <CsrfField csrf={props.csrf} />
        <input type="hidden" name="back" value={props.back} />
        <h2 id="columns-title">Columns</h2>
        <p class="muted small">
          Drag a column or use its arrows. On a heading, Alt with ← or → changes its width.
        </p>
        <ol class="column-list">
          {props.columns.map(({ key, label, isShown, width }) => (
            <li draggable={true} data-key={key}>
              <label>
                <input type="checkbox" name="column" value={key} checked={isShown} /> {label}
              </label>
              <button type="button" class="quiet move" data-move="up" aria-label={`${label} up`}>
                ↑
              </button>
              <button
                type="button"
                class="quiet move"
                data-move="down"
                aria-label={`${label} down`}
              >
                ↓
              </button>
              {width === null ? null : (
                <input type="hidden" name="width" value={`${key}:${width}`} />
              )}
            </li>
          ))}
        </ol>
        <div class="buttons">
          <button type="submit">Save the columns</button>
          <button type="submit" name="reset" value="yes" class="quiet">
            Back to the usual ones
          </button>
          <button type="button" class="quiet" data-closes>
            Close
          </button>
        </div>
      </form>
    </dialog>
  );
}
