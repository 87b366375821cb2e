// The app with the side that stops and tells, over the database of a web case. Used by the tests of trading states and
// alarms and by their walk.
import { createWorkerRepository } from "../../src/adapters/postgres/worker-repository.ts";
import { createApp } from "../../src/web/app.tsx";
import type { Notifier } from "../../src/ports/notifier.ts";
import { emergencySide, tradingRows } from "../support/emergency-case.ts";
import { browserOf, type WebCase, webCase, workspaceWith } from "./web-case.ts";

/** A web case with one workspace, and what its owners and workers write. */
export async function tradingCase(
  options: { readonly notifier?: Notifier; readonly workerEpoch?: number } = {},
) {
  const made: WebCase = await webCase();
  const { sql } = made.database;
  const { notifier, workerEpoch } = options;
  const side = emergencySide(sql, made.clock, {
    ...(notifier ? { notifier } : {}),
  });
  const { emergency, alarms } = side;
  const app = createApp({ ...made.deps, emergency, alarms });
  const alpha = await workspaceWith(made, "alpha");
  if (workerEpoch !== undefined) {
    const epochs = new Map([[alpha.scope.workspaceId, workerEpoch]]);
    const worker = {
      name: "worker-1",
      host: "here",
      pid: 1,
      role: "worker",
      version: "1",
    } as const;
    await createWorkerRepository(sql).beat({ ...worker, startedAt: made.clock.now(), epochs });
  }
  return {
    ...{ made, app, side, alpha },
    rows: tradingRows(sql, alpha.scope, made.clock),
    /** A browser of somebody of the workspace. */
    async browser(role: "owner" | "trader" | "viewer", workspace = "alpha") {
      const browser = browserOf({ app });
      await browser.signIn(`${role}@${workspace}.example`);
      return browser;
    },
    async close() {
      await side.stop();
      await made.database.drop();
    },
  };
}

/** What `tradingCase` gives. */
export type TradingCase = Awaited<ReturnType<typeof tradingCase>>;
