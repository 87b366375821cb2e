// The words of a bot's life: what it is, what its owner wishes, what happened. Stores, services and pages
// carry them; nothing here decides.

/** What a bot does now; `error` needs a person. */
export type BotStatus = "created" | "running" | "paused" | "stopped" | "error";

/** What its owner wants it to do. */
export type DesiredStatus = "running" | "paused" | "stopped";

/** A pause that goes on guarding the position, or one that touches nothing. */
export type PauseMode = "exits_only" | "freeze";

/** Asked for once, carried out by the worker, then cleared. */
export type DesiredAction = "flatten" | "flatten_then_resume";

/** How loud an event is. */
export type Severity = "debug" | "info" | "warning" | "error";
