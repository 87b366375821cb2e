// The first page: for strangers the state of the set-up, for users where to start. Reads only; shows
// a page also when the database is away.
import { HomePage } from "../../../views/pages/home.tsx";
import { StartPage } from "../../../views/pages/start.tsx";
import { actorOf } from "../../services/desk/account.ts";
import type { WebDeps } from "../deps.ts";
import { frameOf, respondPage } from "../respond.ts";
import { demoShown } from "./demo-shown.ts";
import { publicPage, type Route, type Visitor, type WebContext } from "../route.ts";

/** Route of `/`. */
export function homeRoutes(deps: WebDeps): Route[] {
  const { about, health, setup, members, sample, demo } = deps;
  const start = async (c: WebContext, { session, csrf }: Visitor) => {
    const actor = actorOf(session);
    const people = session.role === "owner" ? await members.list(actor) : null;
    const state = await demo.state(actor.scope);
    const page = (
      <StartPage
        frame={{ ...frameOf(c, about), isDemo: state !== null }}
        workspace={session.workspace.name}
        database={about.database}
        role={session.role}
        csrf={csrf}
        demo={state && demoShown(state)}
        hasCandles={!(await sample.isWorthOffering(actor.scope))}
        users={people?.filter((member) => member.disabledAt === null).length ?? null}
      />
    );
    return respondPage(c, page);
  };
  return [
    publicPage("/", async (c, visitor) => {
      if (visitor) return start(c, visitor);
      const { ok } = await health.report();
      const page = (
        <HomePage
          frame={frameOf(c, about)}
          database={ok ? about.database : undefined}
          hasOwner={ok && (await setup.hasOwner())}
          program={about.program}
        />
      );
      return respondPage(c, page, ok ? 200 : 503);
    }),
  ];
}
