// What a server says about itself: version and time. Used by the readiness check and by doctor.
import type { Query } from "./connect.ts";
import { one } from "./rows.ts";

/** Version such as `18.4` and the server's clock in ms UTC. */
export type ServerFacts = { readonly version: string; readonly at: number };

/** Asks the server; fails when it does not answer. */
export async function serverFacts(sql: Query): Promise<ServerFacts> {
  const facts = one(
    await sql<ServerFacts[]>`
      select split_part(current_setting('server_version'), ' ', 1) as version,
        clock_timestamp() as at`,
  );
  return { version: facts.version, at: facts.at };
}
