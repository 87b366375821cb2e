// A workspace with candles and backtest runs for the tests of the run page: real threads, a real
// database, requests as the backtest page sends them.
import type { RunId } from "../../src/ports/run-store.ts";
import type { RunRequest } from "../../src/services/research/runs.ts";
import { actorOf, aRequest, storeCandles, walkCandles } from "../support/research-case.ts";
import { type WebCase, workspaceWith } from "./web-case.ts";

/** Waits this long for a run of a test. */
const RUN_LIMIT_MS = 60_000;

/** A workspace whose trader may ask for runs over generated candles. */
export async function runCase(made: WebCase, name: string, candles = 20_000) {
  const world = await workspaceWith(made, name);
  const { sql } = made.database;
  const seriesId = await storeCandles(sql, world.scope, walkCandles(candles));
  const scope = { ...world.scope, userId: world.trader.id, role: "trader" as const };
  const actor = await actorOf(sql, scope);
  const { runs } = made.deps;

  async function ask(changes: Partial<RunRequest> = {}): Promise<RunId> {
    const asked = await runs.request(actor, aRequest(changes));
    if (!asked.ok) throw new Error(asked.sentences.join("; "));
    return asked.id;
  }

  return {
    ...world,
    actor,
    scope,
    seriesId,
    ask,
    /** A finished run. */
    async finished(changes: Partial<RunRequest> = {}): Promise<RunId> {
      const id = await ask(changes);
      const progress = await runs.settled(scope, id, RUN_LIMIT_MS);
      if (progress?.status !== "finished") throw new Error(`run ${id}: ${progress?.error}`);
      return id;
    },
  };
}
