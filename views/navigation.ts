// The pages of Dragon as the sidebar, the key help and the search list them. One entry per page that
// exists; read by layout.tsx and web/routes/search.tsx.

/** Roles from least to most. */
export type PageRole = "viewer" | "trader" | "owner";

/** One page. */
export type PageEntry = {
  readonly href: string;
  readonly label: string;
  /** Heading it stands under; none for the first page. */
  readonly group: "" | "Research" | "Trade" | "People" | "Learn";
  /** Words somebody may look for. */
  readonly about: string;
  /** The letter after `g`. */
  readonly key?: string;
  readonly least?: PageRole;
};

/** All pages, in the order of the sidebar. */
export const PAGES: readonly PageEntry[] = [
  { href: "/", label: "Start", group: "", about: "first page, next steps", key: "h" },
  {
    href: "/backtest",
    label: "Backtest",
    group: "Research",
    about: "test a strategy, new run, ladder, settings",
    key: "b",
    least: "trader",
  },
  {
    href: "/runs",
    label: "Runs",
    group: "Research",
    about: "results, list of backtests, compare, shortlist",
    key: "r",
  },
  {
    href: "/candles",
    label: "Candles",
    group: "Research",
    about: "history, import a CSV, download from an exchange, funding, gaps",
    key: "c",
  },
  {
    href: "/bots",
    label: "Bots",
    group: "Trade",
    about: "trading bots, start, pause, stop, flatten, health, next action",
    key: "t",
  },
  {
    href: "/accounts",
    label: "Exchange accounts",
    group: "Trade",
    about: "keys, API key, connectivity test, limits, daily loss, paper, demo, live",
    key: "e",
  },
  {
    href: "/jobs",
    label: "Jobs and workers",
    group: "Trade",
    about: "processes, workers, leases, queue of runs, cancel, retention, history",
    key: "j",
  },
  {
    href: "/trading",
    label: "Trading states",
    group: "Trade",
    about: "kill switch, stop, freeze, flatten, resume, emergency, findings",
    key: "k",
  },
  {
    href: "/settings/alarms",
    label: "Alarms",
    group: "Trade",
    about: "notifications, webhook, ntfy, who is told, test message",
    key: "l",
    least: "owner",
  },
  {
    href: "/users",
    label: "Users",
    group: "People",
    about: "people, roles, one-time links",
    key: "u",
    least: "owner",
  },
  {
    href: "/account",
    label: "Account",
    group: "People",
    about: "password, time zone, sessions, API tokens",
    key: "a",
  },
  { href: "/help", label: "Manual", group: "Learn", about: "help, documentation", key: "m" },
];

const RANK: Readonly<Record<PageRole, number>> = { viewer: 0, trader: 1, owner: 2 };

/** Whether a role may open the page. */
export function mayOpen({ least = "viewer" }: PageEntry, role: PageRole): boolean {
  return RANK[role] >= RANK[least];
}
