// Makes the sample market and goes to the backtest form with it. Posted from the first page and the
// empty lists.
import { actorOf } from "../../services/desk/account.ts";
import type { WebDeps } from "../deps.ts";
import { action, type Route } from "../route.ts";

/** Route of `/sample`. */
export function sampleRoutes({ sample }: Pick<WebDeps, "sample">): Route[] {
  return [
    action("/sample", "trader", async (c, { session }) => {
      const id = await sample.install(actorOf(session));
      return c.redirect(`/backtest?series=${id}`, 303);
    }),
  ];
}
