// The search behind `/`: pages, topics of the manual and what is typed exactly. Asked by the search
// dialog of the frame while somebody types; answers with a list of links.
import { HELP_TOPICS } from "../../../views/help/index.ts";
import { PAGES, mayOpen } from "../../../views/navigation.ts";
import { SearchResults, type SearchResult } from "../../../views/components/search.tsx";
import { part, type Route } from "../route.ts";

/** Answers shown at once. */
export const RESULTS_MAX = 12;
const QUERY_CHARS_MAX = 100;

/** Routes of `/search`. */
export function searchRoutes(): Route[] {
  return [
    part("/search", "viewer", (c, { session }) => {
      const query = (c.req.query("q") ?? "").trim().slice(0, QUERY_CHARS_MAX);
      const found = [...numbered(query), ...pagesFor(query, session.role), ...topicsFor(query)];
      const shown = <SearchResults query={query} results={found.slice(0, RESULTS_MAX)} />;
      return c.html(shown);
    }),
  ];
}

function matches(query: string, ...texts: readonly string[]): boolean {
  const words = query.toLowerCase().split(/\s+/);
  const text = texts.join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

/** `run 12` and `#12` lead to a run straight away. */
function numbered(query: string): SearchResult[] {
  const id = /^(?:run ?|#)([1-9]\d{0,14})$/i.exec(query)?.[1];
  return id === undefined ? [] : [{ href: `/runs/${id}`, label: `Run ${id}`, kind: "Run" }];
}

function pagesFor(query: string, role: Parameters<typeof mayOpen>[1]): SearchResult[] {
  return PAGES.filter((each) => mayOpen(each, role) && matches(query, each.label, each.about)).map(
    ({ href, label }) => ({ href, label, kind: "Page" }),
  );
}

function topicsFor(query: string): SearchResult[] {
  if (query === "") return [];
  return HELP_TOPICS.filter((topic) =>
    matches(query, topic.name, topic.summary, topic.markdown),
  ).map(({ name, summary }) => ({ href: `/help/${name}`, label: summary, kind: "Manual" }));
}
