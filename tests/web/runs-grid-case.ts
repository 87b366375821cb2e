// Runs for the tests of their list: two workspaces, runs of every state, names that look like an
// attack. Used by the tests of runs-grid*.
import { createRunRepository } from "../../src/adapters/postgres/run-repository.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { NewRun, RunId, RunOutcome } from "../../src/ports/run-store.ts";
import { aRun, someMetrics } from "../support/runs.ts";
import { browserOf, type TestBrowser, type WebCase, workspaceWith } from "./web-case.ts";

/** Instant the runs were asked for; one second lies between each and the next. */
export const CREATED_AT = Date.UTC(2024, 5, 1, 12);

/** Stores a run; finished with the metrics unless they are null. */
export async function storeRun(
  { database }: WebCase,
  scope: Scope,
  run: Partial<NewRun>,
  metrics: Partial<RunOutcome["metrics"]> | null = {},
  at = CREATED_AT,
): Promise<RunId> {
  const store = createRunRepository(database.sql);
  const id = await store.create(scope, { ...aRun, ...run }, at);
  if (!metrics) return id;
  const outcome = {
    metrics: { ...someMetrics, ...metrics },
    fillsSha256: "c".repeat(64),
    candlesFingerprint: "a".repeat(64),
    details: null,
  };
  await store.finish(scope, id, outcome, null, at);
  return id;
}

/** A workspace with a signed-in browser per role. */
export async function peopleOf(made: WebCase, name: string) {
  const world = await workspaceWith(made, name);
  const enter = async (email: string): Promise<TestBrowser> => {
    const browser = browserOf(made);
    await browser.signIn(email);
    return browser;
  };
  return {
    ...world,
    asTrader: await enter(world.trader.email),
    asViewer: await enter(world.viewer.email),
  };
}

/** Numbers of the runs that a page or a piece of one shows, in order. */
export function shownIds(html: string): number[] {
  return [...html.matchAll(/<tr data-id=(\d+)/g)].map((match) => Number(match[1]));
}
