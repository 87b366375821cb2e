// The body of a grid: rows as one string, then what follows them. Sent with the page and alone when
// somebody asks for more. Strings, because a page holds thousands of cells; cells escape their text.
import { raw } from "hono/html";
import { count } from "../format.ts";

/** The rows behind those shown. */
export type GridNext = {
  /** Address of a page that begins there, and of its rows alone. */
  readonly href: string;
  readonly rowsHref: string;
  readonly size: number;
  /** Rows looked through when the page is not full; the next ones are then looked for unasked. */
  readonly lookedAt: number | null;
};

/** Cells of a row, each from its opening `<td` on; end tags are left to the browser. */
export type GridRowHtml = { readonly id: number; readonly cells: readonly string[] };

export type GridRowsProps = {
  readonly rows: readonly GridRowHtml[];
  /** Rows can be selected, for whoever may act on them. */
  readonly isSelectable: boolean;
  /** What a row is called, e.g. `run`. */
  readonly noun: string;
  readonly next: GridNext | null;
};

function rowHtml({ id, cells }: GridRowHtml, { isSelectable, noun }: GridRowsProps): string {
  const box = isSelectable
    ? `<td class=k><input type=checkbox name=id value=${id} aria-label="Select ${noun} ${id}">`
    : "";
  return `<tr data-id=${id} tabindex=-1>${box}${cells.join("")}`;
}

function More({ next, noun }: { next: GridNext; noun: string }) {
  const isLooking = next.lookedAt !== null;
  return (
    <tr class="more">
      <td colspan={99}>
        <a
          class="button quiet"
          href={next.href}
          hx-get={next.rowsHref}
          hx-target="closest tr"
          hx-swap="outerHTML"
          hx-trigger={isLooking ? "load, click" : "click"}
        >
          {isLooking
            ? `Looked through ${count(next.lookedAt)} ${noun}s; looking on…`
            : `Show ${next.size} more`}
        </a>
        <span class="skeleton" aria-hidden="true"></span>
      </td>
    </tr>
  );
}

/** Rows and, if more follow, the row that brings them. */
export function GridRows(props: GridRowsProps) {
  const html = props.rows.map((row) => rowHtml(row, props)).join("\n");
  return (
    <>
      {raw(html)}
      {props.next ? <More next={props.next} noun={props.noun} /> : null}
    </>
  );
}
