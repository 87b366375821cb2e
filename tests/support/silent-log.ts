// A log that says nothing, for tests that look at behaviour alone.
import type { Log } from "../../src/ports/log.ts";

/** Swallows every line. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
