// The demo on pages: begin it, watch it come, wipe it. The first page shows the same card. Only rows of mode
// and exchange `demo` are ever touched from here.
import { DemoSteps } from "../../../views/components/demo-card.tsx";
import { DemoPage } from "../../../views/pages/demo.tsx";
import { actorOf } from "../../services/desk/account.ts";
import type { DemoState } from "../../services/desk/demo.ts";
import { WIPE_WORD } from "../../services/desk/demo-wipe.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import { forForm, frameOf, type PageStatus, respondPage } from "../respond.ts";
import { action, page, part, type Route, type Visitor, type WebContext } from "../route.ts";
import { demoShown } from "./demo-shown.ts";

type Deps = Pick<WebDeps, "about" | "demo" | "streams">;

const DONE: Readonly<Record<string, string>> = { wiped: "The demo is wiped." };

/** Routes of `/demo`. */
export function demoRoutes(deps: Deps): Route[] {
  const { demo } = deps;
  return [
    page("/demo", "viewer", (c, visitor) => showDemo(deps, c, visitor)),
    part("/demo/events", "viewer", (c, visitor) => streamDemo(deps, c, visitor)),
    action("/demo/begin", "trader", async (c, visitor) => {
      const begun = await demo.begin(actorOf(visitor.session));
      if (begun.ok) return c.redirect("/", 303);
      return showDemo(deps, c, visitor, forForm(begun.detail), 409);
    }),
    action("/demo/wipe", "trader", async (c, visitor) => {
      const { confirm } = await readFields(c, "confirm");
      const wiped = await demo.wipe(actorOf(visitor.session), confirm);
      if (wiped.ok) return c.redirect("/demo?done=wiped", 303);
      const status = wiped.reason === "needs_word" ? 422 : 409;
      return showDemo(deps, c, visitor, forForm(wiped.detail), status);
    }),
  ];
}

async function showDemo(
  { about, demo }: Deps,
  c: WebContext,
  { session, csrf }: Visitor,
  problem?: string,
  status: PageStatus = 200,
) {
  const state = await demo.state(actorOf(session).scope);
  const shown = (
    <DemoPage
      frame={{ ...frameOf(c, about), isDemo: state !== null }}
      csrf={csrf}
      mayTrade={includesRole(session.role, "trader")}
      shown={state && demoShown(state)}
      word={WIPE_WORD}
      problem={problem}
      done={status === 200 ? DONE[c.req.query("done") ?? ""] : undefined}
    />
  );
  return respondPage(c, shown, status);
}

/** Sends the steps whenever they look different, and ends with the last of them or without a demo. */
async function streamDemo({ demo, streams }: Deps, c: WebContext, { session }: Visitor) {
  const { scope } = actorOf(session);
  const first = await demo.state(scope);
  return streams.open(c, (send, end) => {
    let sent = "";
    const show = (state: DemoState | null) => {
      const shown = state && demoShown(state);
      const html = shown ? String(<DemoSteps steps={shown.steps} />) : "";
      if (html !== sent) send({ html });
      sent = html;
      if (shown?.isOver === false) return;
      send({ event: "ended" });
      end();
    };
    const stop = demo.watch(scope, show);
    show(first);
    return stop;
  });
}
