// Durable events of one account that belong to no step: collected as they happen, written in order once a
// tick. Used by the account loop; noting never throws and never waits.
import type { Scope } from "../../ports/access-store.ts";
import type { BotStore, NewEvent } from "../../ports/bot-store.ts";
import type { Log } from "../../ports/log.ts";
import type { LeaseGuard } from "../../ports/trading-store.ts";

/** Events on their way to the database. */
export type EventNotes = {
  note(event: NewEvent): void;
  /** Writes what was collected; what could not be written is kept for the next time. */
  flush(): Promise<void>;
};

/** Events kept while the database is away; later ones are only logged then. */
const WAITING_MAX = 2000;
const LEVELS = { debug: "debug", info: "info", warning: "warn", error: "error" } as const;

/** What the notes are written with. */
export type EventNotesDeps = {
  readonly scope: Scope;
  readonly guard: LeaseGuard;
  readonly bots: Pick<BotStore, "appendEvents">;
  readonly severityOf: (kind: NewEvent["kind"]) => keyof typeof LEVELS;
  readonly log: Log;
};

/** Empty notes of one account. */
export function createEventNotes({
  scope,
  guard,
  bots,
  severityOf,
  log,
}: EventNotesDeps): EventNotes {
  let waiting: NewEvent[] = [];
  return {
    note(event) {
      log[LEVELS[severityOf(event.kind)]](event.sentence, {
        kind: event.kind,
        account: guard.accountId,
        bot: event.botId,
      });
      if (waiting.length < WAITING_MAX) waiting.push(event);
      else log.error("too many events wait for the database; this one is only logged");
    },
    async flush() {
      if (waiting.length === 0) return;
      const batch = waiting;
      waiting = [];
      try {
        await bots.appendEvents(scope, guard, batch);
      } catch (error) {
        waiting = [...batch, ...waiting].slice(0, WAITING_MAX);
        throw error;
      }
    },
  };
}
