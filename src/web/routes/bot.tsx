// One bot: its page, and what people do with it: run, pause, stop, flatten, kill, commands by hand, settings.
// Its pieces and files are in bot-data.tsx; the list of all bots is another page. Traders may do everything but
// lift a halt, which is for owners.
import { BotPage } from "../../../views/pages/bot.tsx";
import type { Bot } from "../../ports/bot-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { EDIT_FIELDS } from "../../services/desk/bot-edit-fields.ts";
import type { BotWish } from "../../services/desk/bots.ts";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { forForm, frameOf, respondPage } from "../respond.ts";
import { action, page, type Route, type Visitor, type WebContext } from "../route.ts";
import {
  ACTION_FIELDS,
  aboutBot,
  botDataRoutes,
  readDerivation,
  readPreview,
} from "./bot-data.tsx";
import { type BotTrouble, readTab, tabOf } from "./bot-tabs.ts";
import { headOf, originOf, tilesOf } from "./bot-view.ts";

type Deps = Pick<WebDeps, "about" | "botDetail" | "bots" | "streams">;

const DONE: Readonly<Record<string, string>> = {
  running: "The bot is to run; a worker takes it up within seconds.",
  paused: "The bot is to pause.",
  stopped: "The bot is to stop.",
  flatten: "Everything the bot holds is being closed.",
  killed: "The bot is halted.",
  released: "The halt of this bot is lifted.",
  asked: "It was asked; what came of it stands under “What was asked”.",
  saved: "The settings are saved as a new version.",
  undone: "The former settings are in force again, as a new version.",
};

/** Routes of `/bots/:id`. */
export function botRoutes(deps: Deps, refuse: Refuse): Route[] {
  const about = (answer: Parameters<typeof aboutBot>[2]) => aboutBot(deps, refuse, answer);
  const change = (
    path: string,
    answer: Parameters<typeof about>[0],
    role: "trader" | "owner" = "trader",
  ) => action(`/bots/:id/${path}`, role, about(answer));
  return [
    page(
      "/bots/:id",
      "viewer",
      about((c, visitor, bot) => showBot(deps, c, visitor, bot)),
    ),
    ...(
      [
        ["run", "running"],
        ["pause", "paused"],
        ["stop", "stopped"],
        ["flatten", "flatten"],
      ] as const
    ).map(([path, wish]) =>
      change(path, (c, visitor, bot) => applyWish(deps, c, visitor, bot, path, wish)),
    ),
    change("kill", (c, visitor, bot) => kill(deps, c, visitor, bot)),
    change(
      "release",
      async (c, { session }, bot) => {
        await deps.botDetail.release(actorOf(session), bot);
        return back(c, bot, "released");
      },
      "owner",
    ),
    change("delete", (c, visitor, bot) => remove(deps, c, visitor, bot)),
    change("commands", (c, visitor, bot) => ask(deps, c, visitor, bot)),
    change("config", (c, visitor, bot) => edit(deps, c, visitor, bot)),
    change("undo/:version", (c, visitor, bot) => undo(deps, refuse, c, visitor, bot)),
    ...botDataRoutes(deps, refuse),
  ];
}

function back(c: WebContext, { id }: Bot, done: string, tab = "") {
  return c.redirect(`/bots/${id}?${tab}done=${done}`, 303);
}

async function showBot(
  deps: Deps,
  c: WebContext,
  visitor: Visitor,
  bot: Bot,
  trouble: BotTrouble = {},
  wantedTab = c.req.query("tab"),
) {
  const { scope } = actorOf(visitor.session);
  const { timeZone } = visitor.session.user;
  const query = c.req.query();
  const standing = await deps.botDetail.standing(scope, bot);
  const isTrader = visitor.session.role !== "viewer";
  const isPreviewed = isTrader && query.action !== undefined;
  const preview = isPreviewed ? await readPreview(deps, visitor, bot, query) : null;
  const source = { botDetail: deps.botDetail, visitor, standing, query, trouble, preview };
  const isRefused = trouble.problems !== undefined;
  const shown = (
    <BotPage
      frame={frameOf(c, deps.about)}
      head={headOf(standing, timeZone)}
      tiles={tilesOf(standing, timeZone)}
      derivation={await readDerivation(deps, visitor, standing, query.derive)}
      origin={originOf(bot)}
      tab={await readTab(source, tabOf(wantedTab))}
      done={isRefused ? undefined : DONE[query.done ?? ""]}
      problem={tabOf(wantedTab) === "config" ? undefined : trouble.problems?.form}
      query={liveQuery(tabOf(wantedTab), query)}
    />
  );
  return respondPage(c, shown, isRefused ? 422 : 200);
}

/** What the stream has to know of the address: the tab with its filter and page. */
function liveQuery(tab: string, query: Readonly<Record<string, string>>): string {
  const params = new URLSearchParams({ tab });
  for (const name of ["kind", "severity", "before"]) {
    const value = query[name];
    if (value !== undefined) params.set(name, value);
  }
  return params.toString();
}

async function applyWish(
  deps: Deps,
  c: WebContext,
  visitor: Visitor,
  bot: Bot,
  path: string,
  wish: BotWish,
) {
  const { confirm } = await readFields(c, "confirm");
  const outcome = await deps.bots.wish(actorOf(visitor.session), bot.id, wish, confirm);
  if (outcome.ok) return back(c, bot, wish);
  const isTyped = outcome.reason === "needs_word";
  const problems = { [isTyped ? path : "form"]: forForm(outcome.detail) };
  return showBot(deps, c, visitor, bot, { problems }, "overview");
}

async function kill(deps: Deps, c: WebContext, visitor: Visitor, bot: Bot) {
  const { confirm } = await readFields(c, "confirm");
  const outcome = await deps.botDetail.kill(actorOf(visitor.session), bot, confirm);
  if (outcome.ok) return back(c, bot, "killed");
  return showBot(
    deps,
    c,
    visitor,
    bot,
    { problems: { kill: forForm(outcome.detail) } },
    "overview",
  );
}

async function remove(deps: Deps, c: WebContext, visitor: Visitor, bot: Bot) {
  const { confirm } = await readFields(c, "confirm");
  const removed = await deps.bots.remove(actorOf(visitor.session), bot.id, confirm);
  if (removed.ok) return c.redirect("/bots?done=delete-1", 303);
  const field = removed.reason === "needs_word" ? "delete" : "form";
  const problems = { [field]: forForm(removed.detail) };
  return showBot(deps, c, visitor, bot, { problems }, "overview");
}

async function ask(deps: Deps, c: WebContext, visitor: Visitor, bot: Bot) {
  const typed = await readFields(c, ...ACTION_FIELDS);
  const asked = await deps.botDetail.ask(actorOf(visitor.session), bot, typed);
  if (asked.ok) return back(c, bot, "asked");
  const problems = { form: forForm(asked.detail) };
  return showBot(deps, c, visitor, bot, { problems }, "overview");
}

async function edit(deps: Deps, c: WebContext, visitor: Visitor, bot: Bot) {
  const posted = await c.req.parseBody();
  const paths = EDIT_FIELDS.map(({ path }) => path).filter((path) => path in posted);
  const typed = await readFields(c, "seenVersion", "note", ...paths);
  const seen = Number(typed.seenVersion);
  const changed = await deps.botDetail.edit(actorOf(visitor.session), bot, seen, typed);
  if (changed.ok) return back(c, bot, "saved", "tab=config&");
  const problems = { [changed.field]: forForm(changed.detail) };
  return showBot(deps, c, visitor, bot, { problems, typed }, "config");
}

async function undo(deps: Deps, refuse: Refuse, c: WebContext, visitor: Visitor, bot: Bot) {
  const version = Number(c.req.param("version"));
  if (!Number.isSafeInteger(version)) return refuse(c, NOT_FOUND);
  const actor = actorOf(visitor.session);
  const changed = await deps.botDetail.undo(actor, bot, bot.configVersion, version);
  if (changed.ok) return back(c, bot, "undone", "tab=config&");
  const problems = { [changed.field]: forForm(changed.detail) };
  return showBot(deps, c, visitor, bot, { problems }, "config");
}
