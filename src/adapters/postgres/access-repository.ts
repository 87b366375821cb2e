// Everything about access on PostgreSQL, put together from its three parts. Built by the
// composition root and tests.
import type { AccessStore } from "../../ports/access-store.ts";
import type { Sql } from "./connect.ts";
import { createSessionRepository } from "./session-repository.ts";
import { createTokenRepository } from "./token-repository.ts";
import { createUserRepository } from "./user-repository.ts";

/** The access store on a migrated database. */
export function createAccessRepository(sql: Sql): AccessStore {
  return {
    ...createUserRepository(sql),
    ...createSessionRepository(sql),
    ...createTokenRepository(sql),
  };
}
