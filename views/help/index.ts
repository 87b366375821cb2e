// The manual: Markdown embedded as text, in reading order. Printed by `dragon help TOPIC`; a topic
// that is not in this list does not exist.
import access from "./access.md" with { type: "text" };
import accounts from "./accounts.md" with { type: "text" };
import backtest from "./backtest.md" with { type: "text" };
import backupAndKeys from "./backup-and-keys.md" with { type: "text" };
import bot from "./bot.md" with { type: "text" };
import bots from "./bots.md" with { type: "text" };
import candles from "./candles.md" with { type: "text" };
import configuration from "./configuration.md" with { type: "text" };
import database from "./database.md" with { type: "text" };
import demo from "./demo.md" with { type: "text" };
import emergency from "./emergency.md" with { type: "text" };
import gettingStarted from "./getting-started.md" with { type: "text" };
import goingLive from "./going-live.md" with { type: "text" };
import results from "./results.md" with { type: "text" };
import runs from "./runs.md" with { type: "text" };
import strategy from "./strategy.md" with { type: "text" };
import workers from "./workers.md" with { type: "text" };
import venue from "./venue.md" with { type: "text" };

/** One page of the manual. */
export type HelpTopic = {
  readonly name: string;
  readonly summary: string;
  readonly markdown: string;
};

/** All pages. */
export const HELP_TOPICS: readonly HelpTopic[] = [
  { name: "getting-started", summary: "the first hour", markdown: gettingStarted },
  { name: "demo", summary: "the demo account, its bot, and wiping it", markdown: demo },
  { name: "access", summary: "users, roles, passwords, sessions and API tokens", markdown: access },
  {
    name: "backtest",
    summary: "the page, the files and the result of a backtest",
    markdown: backtest,
  },
  { name: "strategy", summary: "every parameter of the strategy", markdown: strategy },
  { name: "results", summary: "the page of a run, and every figure on it", markdown: results },
  { name: "runs", summary: "the list of runs: filters, columns, keys, CSV", markdown: runs },
  { name: "candles", summary: "import, fetch and look at candle history", markdown: candles },
  { name: "bots", summary: "the list of bots, and a bot from a run", markdown: bots },
  { name: "bot", summary: "the page of a bot: figures, gates, actions, settings", markdown: bot },
  { name: "emergency", summary: "stop, close, freeze, release, alarms", markdown: emergency },
  { name: "accounts", summary: "exchange accounts, keys, tests, limits", markdown: accounts },
  { name: "workers", summary: "several processes, their jobs, logs, retention", markdown: workers },
  {
    name: "going-live",
    summary: "pre-flight, arming real money, reached limits",
    markdown: goingLive,
  },
  { name: "venue", summary: "the simulated exchange and its faults", markdown: venue },
  { name: "configuration", summary: "all environment variables", markdown: configuration },
  {
    name: "backup-and-keys",
    summary: "the master key, and what to back up",
    markdown: backupAndKeys,
  },
  { name: "database", summary: "bundled or external PostgreSQL", markdown: database },
];
