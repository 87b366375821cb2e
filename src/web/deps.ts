// What the web room is handed by the composition. Routes take the parts they need.
import type { Log } from "../ports/log.ts";
import type { Health } from "../services/desk/health.ts";
import type { Setup } from "../services/desk/setup.ts";

/** Facts about this program for pages. */
export type About = {
  readonly version: string;
  /** How a command is written on this installation. */
  readonly program: string;
  /** e.g. `bundled PostgreSQL 18.4`. */
  readonly database: string;
  /** The zone preselected in forms. */
  readonly timeZone: string;
};

/** Everything `createApp` needs. */
export type WebDeps = {
  readonly about: About;
  readonly health: Health;
  readonly setup: Setup;
  readonly log: Log;
  /** Address behind a proxy; its host counts as our own. */
  readonly publicUrl: string | undefined;
};
