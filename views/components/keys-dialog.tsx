// The list of keys behind `?`, in the frame of every signed-in page. The keys themselves live in
// static/shell.js and static/grid.js.
import { PAGES, type PageRole, mayOpen } from "../navigation.ts";

const COMMON: readonly (readonly [string, string])[] = [
  ["/", "Search"],
  ["!", "Stop trading"],
  ["?", "This list"],
  ["Esc", "Close what is open"],
];
const LISTS: readonly (readonly [string, string])[] = [
  ["j k", "Next, previous row"],
  ["Enter", "Open the row"],
  ["x", "Shortlist the row"],
];

function Keys({ title, rows }: { title: string; rows: readonly (readonly [string, string])[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl class="keys">
        {rows.map(([keys, what]) => (
          <div>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** The dialog behind `?`. */
export function KeysDialog({ role }: { role: PageRole }) {
  const pages = PAGES.flatMap((each) =>
    each.key !== undefined && mayOpen(each, role) ? [[`g ${each.key}`, each.label] as const] : [],
  );
  return (
    <dialog id="keys" class="dialog" aria-labelledby="keys-title">
      <div class="title-row">
        <h2 id="keys-title">Keys</h2>
        <button type="button" class="quiet" data-closes>
          Close
        </button>
      </div>
      <div class="columns">
        <Keys title="Go to" rows={pages} />
        <div>
          <Keys title="Everywhere" rows={COMMON} />
          <Keys title="In lists" rows={LISTS} />
        </div>
      </div>
    </dialog>
  );
}
