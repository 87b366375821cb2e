// A grid: headings that sort and filter, a body of rows, its own scrolling. Plain props in, HTML out;
// static/grid.js adds keys, column filters, widths and inline notes, and it reads well without.
import { CsrfField } from "./form.tsx";
import { GridRows, type GridRowsProps } from "./grid-rows.tsx";

/** A heading. */
export type GridHead = {
  readonly key: string;
  readonly label: string;
  readonly about: string | undefined;
  /** Digits, which stand at the right. */
  readonly isNumber: boolean;
  /** Steps of 8 px; null for the usual width. */
  readonly width: number | null;
  readonly sorted: "ascending" | "descending" | null;
  readonly isFiltered: boolean;
  /** Stays in sight while the others scroll sideways. */
  readonly isPinned: boolean;
  /** Address of the list sorted by it. */
  readonly href: string;
};

export type DataGridProps = GridRowsProps & {
  readonly label: string;
  readonly heads: readonly GridHead[];
  readonly csrf: string;
};

const ARROWS = { ascending: " ▲", descending: " ▼" } as const;

function Head({ head }: { head: GridHead }) {
  const { key, label, about, width, sorted, isFiltered, href } = head;
  const classes = [
    head.isNumber ? "r" : "",
    isFiltered ? "filtered" : "",
    head.isPinned ? "p" : "",
  ].filter((name) => name !== "");
  return (
    <th
      scope="col"
      class={classes.length > 0 ? classes.join(" ") : undefined}
      data-key={key}
      data-width={width ?? undefined}
      aria-sort={sorted ?? undefined}
    >
      <span class="head">
        <a href={href} title={about}>
          {label}
          {sorted ? <span aria-hidden="true">{ARROWS[sorted]}</span> : null}
        </a>
        <button
          type="button"
          class="column-menu small-target"
          aria-label={isFiltered ? `Change the filter of ${label}` : `Filter by ${label}`}
          aria-haspopup="dialog"
        >
          ▾
        </button>
      </span>
      <span class="grip" aria-hidden="true"></span>
    </th>
  );
}

/** The table in its scrolling box, inside the form that its buttons belong to. */
export function DataGrid({ label, heads, csrf, ...rows }: DataGridProps) {
  return (
    <form method="post" class="grid-form" id="grid-form">
      <CsrfField csrf={csrf} />
      <section class="grid-scroll" aria-label={label} tabindex={0}>
        <table class="grid">
          <colgroup>
            {rows.isSelectable ? <col class="box" /> : null}
            {heads.map(({ key, width }) => (
              <col class={width === null ? `of-${key}` : `w${width}`} />
            ))}
          </colgroup>
          <thead>
            <tr>
              {rows.isSelectable ? (
                <th scope="col" class="k">
                  <input type="checkbox" data-all aria-label={`Select every shown ${rows.noun}`} />
                </th>
              ) : null}
              {heads.map((head) => (
                <Head head={head} />
              ))}
            </tr>
          </thead>
          <tbody>
            <GridRows {...rows} />
          </tbody>
        </table>
      </section>
    </form>
  );
}
