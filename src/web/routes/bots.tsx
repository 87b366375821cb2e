// The list of bots, its live stream, and what is asked of several bots at once. One bot's own page is another
// file. A bot of another workspace is not found here, whatever its number.
import { BotsLive } from "../../../views/components/bots-table.tsx";
import { type BotsActProps, BotsActPage } from "../../../views/pages/bots-act.tsx";
import { BotsPage } from "../../../views/pages/bots.tsx";
import { InputError } from "../../model/result.ts";
import type { BotId } from "../../ports/bot-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { BOT_NAME_CHARS_MAX } from "../../services/desk/bot-draft-fields.ts";
import type { BotsOverview } from "../../services/desk/bot-overview.ts";
import {
  BULK_BOTS_MAX,
  type BotWish,
  type BulkOutcome,
  REMOVE_WORD,
  WISH_WORDS,
} from "../../services/desk/bots.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import type { WebDeps } from "../deps.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { frameOf, idOf, type PageStatus, respondPage, safePath } from "../respond.ts";
import { action, page, part, type Route, type Visitor, type WebContext } from "../route.ts";
import { type BotsQuery, readBotsQuery } from "./bots-query.ts";
import { chipsOf, fieldsOf, holdingOf, liveProps, statusOf } from "./bots-view.ts";

type Deps = Pick<WebDeps, "about" | "bots" | "streams">;

/** Routes of `/bots` but those that make bots. */
export function botsRoutes(deps: Deps, refuse: Refuse): Route[] {
  return [
    page("/bots", "viewer", (c, visitor) =>
      asked(refuse, c, (query) => showBots(deps, c, visitor, query)),
    ),
    part("/bots/stream", "viewer", (c, visitor) =>
      asked(refuse, c, (query) => streamBots(deps, c, visitor, query)),
    ),
    action("/bots/act", "trader", (c, visitor) => act(deps, refuse, c, visitor)),
  ];
}

/** What cannot be read is answered with 400 and the sentence that says why. */
async function asked(
  refuse: Refuse,
  c: WebContext,
  answer: (query: BotsQuery) => Response | Promise<Response>,
): Promise<Response> {
  try {
    return await answer(readBotsQuery(new URL(c.req.url).searchParams));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return refuse(c, { status: 400, title: "Not understood", sentence: sentence(error.message) });
  }
}

type Shown = { readonly done?: string | undefined; readonly refused?: readonly string[] };

async function showBots(
  deps: Deps,
  c: WebContext,
  { session, csrf }: Visitor,
  query: BotsQuery,
  { done = doneText(c.req.query("done")), refused = [] }: Shown = {},
  status: PageStatus = 200,
) {
  const overview = await deps.bots.overview(actorOf(session).scope);
  const mayTrade = includesRole(session.role, "trader");
  const fields = fieldsOf(overview, query);
  const { timeZone } = session.user;
  const live = liveProps(overview, query, { csrf, mayTrade, timeZone });
  const sort = `${query.isDown ? "-" : ""}${query.sort}`;
  const shown = (
    <BotsPage
      frame={frameOf(c, deps.about)}
      fields={fields}
      kept={sort === "name" ? [] : [["sort", sort]]}
      chips={chipsOf(fields, query)}
      live={live}
      hasBots={overview.rows.length > 0}
      mayTrade={mayTrade}
      done={done}
      refused={refused}
    />
  );
  return respondPage(c, shown, status);
}

/** Sends the list again whenever it looks different; ends when there is no bot any more. */
async function streamBots(
  { bots, streams }: Deps,
  c: WebContext,
  { session, csrf }: Visitor,
  query: BotsQuery,
) {
  const { scope } = actorOf(session);
  const mayTrade = includesRole(session.role, "trader");
  const looker = { csrf, mayTrade, timeZone: session.user.timeZone };
  const first = await bots.overview(scope);
  return streams.open(c, (send, end) => {
    let sent = "";
    const show = (overview: BotsOverview) => {
      const html = String(<BotsLive {...liveProps(overview, query, looker)} />);
      if (html !== sent) send({ html });
      sent = html;
      if (overview.rows.length > 0) return;
      send({ event: "bots-ended" });
      end();
    };
    const stop = bots.watch(scope, show);
    show(first);
    return stop;
  });
}

const DONE: Readonly<Record<string, readonly [verb: string, after: string]>> = {
  created: ["created", "Start it from this list when you are ready."],
  started: ["created and told to run", ""],
  running: ["told to run", ""],
  paused: ["told to pause", ""],
  stopped: ["told to stop", ""],
  flatten: ["told to close everything", ""],
  delete: ["deleted", ""],
  rename: ["renamed", ""],
};

/** `paused-3` as a sentence. */
function doneText(done: string | undefined): string | undefined {
  const [, act = "", text = ""] = /^([a-z]+)-(\d{1,3})$/.exec(done ?? "") ?? [];
  const known = DONE[act];
  if (!known) return undefined;
  const [verb, after] = known;
  const who = text === "1" ? "One bot is" : `${text} bots are`;
  return `${who} ${verb}. ${after}`.trim();
}

const ACTS = ["running", "paused", "stopped", "flatten", "rename", "delete"] as const;
type Act = (typeof ACTS)[number];
type Posted = {
  readonly act: Act;
  readonly ids: readonly BotId[];
  readonly back: string;
  /** Null until the question was answered. */
  readonly confirm: string | null;
  readonly name: string | null;
};

async function readPosted(c: WebContext): Promise<Posted | null> {
  const body = await c.req.parseBody({ all: true });
  const values = (name: string) =>
    [body[name] ?? []].flat().filter((value) => typeof value === "string");
  const one = (name: string) => values(name)[0]?.replaceAll("\0", "").slice(0, 2000) ?? null;
  const texts = [...new Set(values("id"))];
  const ids = texts.map((text) => idOf<BotId>(text)).filter((id) => id !== undefined);
  const known = ACTS.find((each) => each === one("act"));
  const fits = ids.length > 0 && ids.length <= BULK_BOTS_MAX && ids.length === texts.length;
  if (!known || !fits || (known === "rename" && ids.length > 1)) return null;
  return { act: known, ids, back: one("back") ?? "", confirm: one("confirm"), name: one("name") };
}

/** Does what is harmless at once; asks first where it is not. */
async function act(deps: Deps, refuse: Refuse, c: WebContext, visitor: Visitor) {
  const posted = await readPosted(c);
  if (!posted) {
    const text = `Select 1 to ${BULK_BOTS_MAX} bots of the list; a new name is for one alone.`;
    return refuse(c, { status: 400, title: "Nothing is changed", sentence: text });
  }
  const { act: wanted, confirm, name } = posted;
  if (wanted === "rename") {
    return name === null
      ? ask(deps, refuse, c, visitor, posted, [])
      : rename(deps, refuse, c, visitor, posted);
  }
  const word = wordOf(wanted);
  if (word !== null && confirm?.trim() !== word) {
    const typed = `“${(confirm ?? "").slice(0, 60)}” is not ${word}; nothing is changed.`;
    return ask(deps, refuse, c, visitor, posted, confirm === null ? [] : [typed]);
  }
  const actor = actorOf(visitor.session);
  const outcome =
    wanted === "delete"
      ? await removeAll(deps, visitor, posted)
      : await deps.bots.bulk(actor, posted.ids, wanted satisfies BotWish, confirm ?? "");
  return after(deps, c, visitor, posted, outcome);
}

function wordOf(act: Act): string | null {
  if (act === "delete") return REMOVE_WORD;
  return act === "stopped" || act === "flatten" ? WISH_WORDS[act] : null;
}

async function removeAll(deps: Deps, { session }: Visitor, { ids, confirm }: Posted) {
  const refused: string[] = [];
  for (const id of ids) {
    const removed = await deps.bots.remove(actorOf(session), id, confirm ?? "");
    if (!removed.ok) refused.push(removed.detail);
  }
  return { done: ids.length - refused.length, refused };
}

/** Back to the list; with the sentences when some were left as they are. */
async function after(
  deps: Deps,
  c: WebContext,
  visitor: Visitor,
  { act: wanted, back }: Posted,
  { done, refused }: BulkOutcome,
) {
  const query = queryOf(back);
  if (refused.length === 0) {
    const address = safePath(`/bots?${back === "" ? "" : `${back}&`}done=${wanted}-${done}`);
    return c.redirect(address, 303);
  }
  const text = done > 0 ? doneText(`${wanted}-${done}`) : undefined;
  const shown = { done: text, refused: refused.map(sentence) };
  return showBots(deps, c, visitor, query, shown, done > 0 ? 200 : 409);
}

/** The list somebody came from; the whole list when that cannot be read. */
function queryOf(back: string): BotsQuery {
  try {
    return readBotsQuery(new URLSearchParams(back));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return readBotsQuery(new URLSearchParams());
  }
}

async function ask(
  deps: Deps,
  refuse: Refuse,
  c: WebContext,
  { session, csrf }: Visitor,
  { act: wanted, ids, back, name }: Posted,
  problems: readonly string[],
) {
  if (wanted === "running" || wanted === "paused") return refuse(c, NOT_FOUND);
  const { rows, at } = await deps.bots.overview(actorOf(session).scope);
  const meant = rows.filter(({ bot }) => ids.includes(bot.id));
  if (meant.length < ids.length) return refuse(c, NOT_FOUND);
  const question: BotsActProps = {
    ...{ csrf, act: wanted, back, problems },
    frame: frameOf(c, deps.about),
    word: wordOf(wanted),
    name: name ?? meant[0]?.bot.name ?? "",
    nameCharsMax: BOT_NAME_CHARS_MAX,
    bots: meant.map((row) => {
      const { id, name: own, symbol, accountName: account, mode } = row.bot;
      const status = statusOf(row.bot).text;
      return { ...{ id, name: own, symbol, account, mode, status }, holding: holdingOf(row, at) };
    }),
  };
  return respondPage(c, <BotsActPage {...question} />, problems.length > 0 ? 422 : 200);
}

async function rename(deps: Deps, refuse: Refuse, c: WebContext, visitor: Visitor, posted: Posted) {
  const [id] = posted.ids;
  if (id === undefined) return refuse(c, NOT_FOUND);
  const renamed = await deps.bots.rename(actorOf(visitor.session), id, posted.name ?? "");
  if (renamed.ok) return after(deps, c, visitor, posted, { done: 1, refused: [] });
  if (renamed.reason === "unknown_bot") return refuse(c, NOT_FOUND);
  return ask(deps, refuse, c, visitor, posted, [sentence(renamed.detail)]);
}
