// The search dialog of the frame and the answers in it. The dialog is opened by shell.js; answers
// come from web/routes/search.tsx while somebody types.

/** One answer. */
export type SearchResult = {
  readonly href: string;
  readonly label: string;
  /** What kind of thing it is, e.g. `Page`. */
  readonly kind: string;
};

/** The list of answers. */
export function SearchResults({
  query,
  results,
}: {
  query: string;
  results: readonly SearchResult[];
}) {
  if (results.length === 0) return <p class="muted">Nothing found for “{query}”.</p>;
  return (
    <ul>
      {results.map(({ href, label, kind }) => (
        <li>
          <a href={href}>
            <span>{label}</span> <span class="muted small">{kind}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** The dialog behind `/`. */
export function SearchDialog() {
  return (
    <dialog id="search" class="dialog" aria-label="Search">
      <label for="search-query" class="small muted">
        Search pages, the manual, or a run by its number
      </label>
      <input
        id="search-query"
        name="q"
        type="search"
        autocomplete="off"
        placeholder="candles, stop loss, run 12"
        autofocus
        hx-get="/search"
        hx-trigger="focus once, input changed delay:120ms"
        hx-target="#search-results"
      />
      <div id="search-results" class="results" aria-live="polite"></div>
    </dialog>
  );
}
