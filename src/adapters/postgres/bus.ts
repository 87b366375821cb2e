// Wake-ups over PostgreSQL's listen and notify. Built by the composition root and tests; repositories call
// `wake` inside a transaction, so that a message is sent if and only if it commits. Never carries data.
import type { Bus, Topic } from "../../ports/bus.ts";
import type { Query, Sql } from "./connect.ts";

const PAYLOAD_MAX = 200;

/**
 * Wake-ups on a pool. All listeners share one further connection, which the driver opens, repairs and
 * closes together with the pool. `listen` rejects while the database cannot be reached.
 */
export function createBus(sql: Sql): Bus {
  return {
    notify: (topic, payload) => wake(sql, topic, payload),
    listen: async (topic, onWake) => {
      // The driver listens again after a lost connection and may hold on to a listener that stopped.
      let isStopped = false;
      const tell = (payload: string | null) => {
        if (!isStopped) onWake(payload);
      };
      try {
        const { unlisten } = await sql.listen(channelOf(topic), tell, () => tell(null));
        return {
          stop: async () => {
            if (isStopped) return;
            isStopped = true;
            await unlisten();
          },
        };
      } catch (error) {
        isStopped = true;
        throw error;
      }
    },
  };
}

/** Tells every process; in a transaction only when it commits. @param payload at most 200 characters */
export async function wake(query: Query, topic: Topic, payload: string): Promise<void> {
  await query`select pg_notify(${channelOf(topic)}, ${payload.slice(0, PAYLOAD_MAX)})`;
}

function channelOf(topic: Topic): string {
  return `dragon_${topic}`;
}
