// What the web room is handed by the composition. Routes take the parts they need.
import type { WorkspaceId } from "../ports/access-store.ts";
import type { Log } from "../ports/log.ts";
import type { BacktestDesk } from "../services/research/backtest-desk.ts";
import type { Candles } from "../services/research/candles.ts";
import type { Markets } from "../services/research/markets.ts";
import type { Periods } from "../services/research/periods.ts";
import type { SampleMarket } from "../services/research/sample-market.ts";
import type { StaticFile } from "../../static/index.ts";
import type { EventStreams } from "./event-stream.ts";
import type { Account } from "../services/desk/account.ts";
import type { Demo } from "../services/desk/demo.ts";
import type { BotDetail } from "../services/desk/bot-detail.ts";
import type { BotsDesk } from "../services/desk/bots.ts";
import type { JobsDesk } from "../services/desk/jobs.ts";
import type { Retention } from "../services/live/retention.ts";
import type { Health } from "../services/desk/health.ts";
import type { Members } from "../services/desk/members.ts";
import type { Sessions } from "../services/desk/sessions.ts";
import type { AccountLive } from "../services/live/account-live.ts";
import type { Alarms } from "../services/live/alarms.ts";
import type { Emergency } from "../services/live/emergency-types.ts";
import type { RunList } from "../services/research/run-list.ts";
import type { Runs } from "../services/research/runs.ts";
import type { Setup } from "../services/desk/setup.ts";
import type { Tokens } from "../services/desk/tokens.ts";
import type { TradingAccounts } from "../services/desk/trading-accounts.ts";

/** Facts about this program for pages. */
export type About = {
  readonly version: string;
  /** How a command is written on this installation. */
  readonly program: string;
  /** e.g. `bundled PostgreSQL 18.4`. */
  readonly database: string;
  /** The zone preselected in forms. */
  readonly timeZone: string;
  /** Whether a workspace has a demo, as pages have to say. */
  readonly hasDemo: (workspaceId: WorkspaceId) => boolean;
};

/** What is believed about the way a request came. */
export type Trust = {
  /** Address behind a proxy; its host counts as our own. */
  readonly publicUrl: string | undefined;
  /** Addresses and networks whose headers are believed; empty means no header is. */
  readonly trustedProxies: readonly string[];
  /** Header in which a trusted proxy names the user by e-mail. */
  readonly authHeader: string | undefined;
};

/** An embedded file as it is sent. */
export type Encoded = { readonly encoding: "br" | "gzip"; readonly data: Uint8Array };

/** Compressed embedded files: of the executable, or made once at their first use. */
export type Assets = {
  /** The smallest form a client accepts; undefined when only the plain text will do. */
  find(file: StaticFile, accepts: string): Promise<Encoded | undefined>;
};

/** Everything `createApp` needs. */
export type WebDeps = {
  readonly about: About;
  readonly health: Health;
  readonly setup: Setup;
  readonly sessions: Sessions;
  readonly account: Account;
  readonly members: Members;
  readonly tokens: Tokens;
  readonly tradingAccounts: TradingAccounts;
  readonly bots: BotsDesk;
  readonly botDetail: BotDetail;
  readonly demo: Demo;
  readonly emergency: Emergency;
  readonly alarms: Alarms;
  readonly accountLive: AccountLive;
  readonly sample: SampleMarket;
  readonly runs: Runs;
  readonly runList: RunList;
  readonly candles: Candles;
  readonly backtestDesk: BacktestDesk;
  readonly markets: Markets;
  readonly periods: Periods;
  readonly jobs: JobsDesk;
  readonly retention: Retention;
  readonly streams: EventStreams;
  /** Compressed forms of the embedded files. */
  readonly assets: Assets;
  readonly log: Log;
  readonly trust: Trust;
};
