// What every room may say to the operator. The console behind it is adapters/system/log.ts;
// an implementation must never print a secret. Durable events are rows, not log lines.

/** Values printed beside the sentence; a Secret prints as its placeholder. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Operator log: one sentence and optional fields per line. */
export type Log = {
  debug(sentence: string, fields?: LogFields): void;
  info(sentence: string, fields?: LogFields): void;
  warn(sentence: string, fields?: LogFields): void;
  error(sentence: string, fields?: LogFields): void;
  /** The same log under a more specific name, e.g. `postgres`. */
  child(name: string): Log;
};
