// The app with the side that stops and tells, over the database of a web case. Used by the tests of trading states and
// alarms and by their walk.
import { createApp } from "../../src/web/app.tsx";
import type { Notifier } from "../../src/ports/notifier.ts";
import { emergencySide, tradingRows } from "../support/emergency-case.ts";
import { browserOf, type WebCase, webCase, workspaceWith } from "./web-case.ts";

/** A web case with one workspace, and what its owners and workers write. */
export async function tradingCase(
  options: { readonly notifier?: Notifier; readonly acknowledged?: () => number } = {},
) {
  const made: WebCase = await webCase();
  const { sql } = made.database;
  const { notifier, acknowledged } = options;
  const side = emergencySide(sql, made.clock, {
    ...(notifier ? { notifier } : {}),
    ...(acknowledged ? { control: { acknowledgedEpoch: acknowledged } } : {}),
  });
  const { emergency, alarms } = side;
  const app = createApp({ ...made.deps, emergency, alarms });
  const alpha = await workspaceWith(made, "alpha");
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
