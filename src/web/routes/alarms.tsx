// Alarms: where messages go, their test, switching them off. For owners; the address and the secret are taken and
// never given back, but for a secret made here, which is shown once.
import { AlarmsPage } from "../../../views/pages/alarms.tsx";
import { SecretPage } from "../../../views/pages/secret.tsx";
import { dateTime } from "../../../views/format.ts";
import { EVENT_KINDS } from "../../model/event-kinds.ts";
import { actorOf } from "../../services/desk/account.ts";
import { NAMED_ALARMS } from "../../services/live/alarms.ts";
import type { WebDeps } from "../deps.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import { readFields } from "../forms/fields.ts";
import type { Refuse } from "../problems.tsx";
import { forForm, frameOf, respondPage } from "../respond.ts";
import { action, page, type Route, type Visitor, type WebContext } from "../route.ts";

type Deps = Pick<WebDeps, "about" | "alarms">;
type Typed = { readonly kind: string; readonly url: string; readonly mayBePrivate: string };

const DONE: Readonly<Record<string, string>> = {
  saved: "Alarms are stored. Send a test message now.",
  off: "Alarms are switched off; nobody will be told.",
  delivered: "The test message was taken by the receiver.",
};

/** Routes of `/settings/alarms`. */
export function alarmRoutes(deps: Deps, refuse: Refuse): Route[] {
  return [
    page("/settings/alarms", "owner", (c, visitor) => show(deps, c, visitor)),
    action("/settings/alarms", "owner", (c, visitor) => save(deps, c, visitor)),
    action("/settings/alarms/test", "owner", async (c, visitor) => {
      const delivery = await deps.alarms.test(actorOf(visitor.session));
      if (delivery === null) {
        const text = "There is no address yet. Store one first.";
        return refuse(c, { status: 409, title: "Nobody is told", sentence: text });
      }
      if (delivery.outcome === "delivered") {
        return c.redirect("/settings/alarms?done=delivered", 303);
      }
      const problem = `The test message did not arrive: ${delivery.sentence}.`;
      return show(deps, c, visitor, { problem });
    }),
    action("/settings/alarms/off", "owner", async (c, visitor) => {
      await deps.alarms.off(actorOf(visitor.session));
      return c.redirect("/settings/alarms?done=off", 303);
    }),
  ];
}

type Trouble = {
  readonly problem?: string;
  readonly problems?: Readonly<Record<string, string>>;
  readonly typed?: Typed;
};

async function show(
  { about, alarms }: Deps,
  c: WebContext,
  { session, csrf }: Visitor,
  { problem, problems = {}, typed }: Trouble = {},
) {
  const stored = await alarms.target(actorOf(session).scope);
  const target = stored && {
    ...{ kind: stored.kind, place: stored.place, mayBePrivate: stored.mayBePrivate },
    setAt: dateTime(stored.setAt, session.user.timeZone),
    last: stored.last && {
      isDelivered: stored.last.delivery.outcome === "delivered",
      sentence: lastText(stored.last, session.user.timeZone),
    },
  };
  const isRefused = problem !== undefined || Object.keys(problems).length > 0;
  const kept = {
    kind: typed?.kind ?? stored?.kind ?? "webhook",
    url: typed?.url ?? "",
    mayBePrivate: typed ? typed.mayBePrivate === "yes" : (stored?.mayBePrivate ?? false),
  };
  const shown = (
    <AlarmsPage
      frame={frameOf(c, about)}
      csrf={csrf}
      target={target}
      typed={kept}
      problems={problems}
      named={[...NAMED_ALARMS].map((kind) => EVENT_KINDS[kind].sentence)}
      done={isRefused ? undefined : DONE[c.req.query("done") ?? ""]}
      problem={problem}
    />
  );
  return respondPage(c, shown, isRefused ? 422 : 200);
}

type Last = NonNullable<NonNullable<Awaited<ReturnType<WebDeps["alarms"]["target"]>>>["last"]>;

function lastText({ at, title, delivery }: Last, timeZone: string): string {
  const when = dateTime(at, timeZone);
  if (delivery.outcome === "delivered") return `${title}, ${when}`;
  return `${title}, ${when}: ${delivery.sentence}`;
}

async function save(deps: Deps, c: WebContext, visitor: Visitor) {
  const typed = await readFields(c, "kind", "url", "signingSecret", "mayBePrivate");
  const saved = await deps.alarms.save(actorOf(visitor.session), typed);
  if (!saved.ok) {
    const problems = { [saved.field]: forForm(saved.detail) };
    return show(deps, c, visitor, { problems, typed });
  }
  if (saved.madeSecret === null) return c.redirect("/settings/alarms?done=saved", 303);
  const shown = (
    <SecretPage
      frame={frameOf(c, deps.about)}
      title="Signing secret"
      sentence={sentence("it is shown once: give it to whoever receives the webhook")}
      label="Signing secret"
      secret={saved.madeSecret}
      use="The receiver checks the header webhook-signature with it, as Standard Webhooks tells."
      back={{ href: "/settings/alarms?done=saved", label: "Back to alarms" }}
    />
  );
  return respondPage(c, shown);
}
