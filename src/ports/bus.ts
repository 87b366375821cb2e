// Wake-ups between processes over the database. Interfaces only. A message only says that something
// changed; whoever hears it reads the rows again. Delivery is not promised: every listener also polls.

/** What may have changed. */
export type Topic = "control" | "accounts" | "bots" | "jobs" | "pages";

/** Wake-ups. */
export type Bus = {
  /** Tells every process; lost when nobody listens. @param payload at most 200 characters */
  notify(topic: Topic, payload: string): Promise<void>;
  /**
   * Hears a topic until `stop`. Null payloads come after every (re)connection: something may have been
   * missed.
   */
  listen(
    topic: Topic,
    onWake: (payload: string | null) => void,
  ): Promise<{ stop(): Promise<void> }>;
};
