// The pieces and files of a bot's page: the live stream, an opened number, a preview, chart columns, diagnostics.
// Pages and changes are in bot.tsx; nothing in here changes anything.
import { ActionPreviewCard, type PreviewProps } from "../../../views/components/bot-actions.tsx";
import { Derivation, NoDerivation } from "../../../views/components/bot-derivation.tsx";
import { livePieces, StreamedPiece } from "../../../views/pages/bot.tsx";
import type { Bot, BotId } from "../../ports/bot-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import type { TypedAction } from "../../services/desk/bot-actions.ts";
import { PART_KINDS } from "../../services/desk/bot-pnl.ts";
import type { BotStanding } from "../../services/desk/bot-detail.ts";
import type { WebDeps } from "../deps.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { forForm, idOf } from "../respond.ts";
import { part, type Route, type Visitor, type WebContext } from "../route.ts";
import { partOf, readTab, tabOf } from "./bot-tabs.ts";
import { derivationOf, headOf, tilesOf } from "./bot-view.ts";

type Deps = Pick<WebDeps, "botDetail" | "streams">;
type Answer = Response | Promise<Response>;

/** Names of what is typed for an action. */
export const ACTION_FIELDS = ["action", "pct", "price", "mayLoosen", "order"] as const;

/** Answers about the bot of the address; 404 without one. */
export function aboutBot(
  { botDetail }: Pick<WebDeps, "botDetail">,
  refuse: Refuse,
  answer: (c: WebContext, visitor: Visitor, bot: Bot) => Answer,
) {
  return async (c: WebContext, visitor: Visitor) => {
    const id = idOf<BotId>(c.req.param("id"));
    const bot = id === undefined ? null : await botDetail.find(actorOf(visitor.session).scope, id);
    return bot ? answer(c, visitor, bot) : refuse(c, NOT_FOUND);
  };
}

/** An opened number as props; null for what is no number. */
export async function readDerivation(
  { botDetail }: Pick<WebDeps, "botDetail">,
  { session }: Visitor,
  standing: BotStanding,
  asked: string | undefined,
) {
  const opened = partOf(asked);
  if (opened === null) return null;
  const kinds = PART_KINDS[opened];
  const { scope } = actorOf(session);
  const { bot } = standing.row;
  const rows = kinds.length === 0 ? null : await botDetail.ledger(scope, bot, kinds, null);
  return derivationOf(standing, opened, rows, session.user.timeZone);
}

/** What a typed action would do, as props. */
export async function readPreview(
  { botDetail }: Pick<WebDeps, "botDetail">,
  { session, csrf }: Visitor,
  bot: Bot,
  query: Readonly<Record<string, string | undefined>>,
): Promise<PreviewProps> {
  const typed = typedOf(query);
  const wanted = await botDetail.preview(actorOf(session).scope, bot, typed);
  const common = { botId: bot.id, csrf, fields: { ...typed } };
  if (!wanted.ok) return { ...common, label: "", effects: [], problem: forForm(wanted.detail) };
  const { label, effects } = wanted.value;
  return { ...common, label, effects, problem: null };
}

/** An action as typed; what was not sent is empty. */
export function typedOf(query: Readonly<Record<string, string | undefined>>): TypedAction {
  const { action = "", pct = "", price = "", mayLoosen = "", order = "" } = query;
  return { action, pct, price, mayLoosen, order };
}

/** Told when figures changed, so that an opened number and the charts follow them. */
const MOVED = "bot-moved";

/** The pieces that change, each whenever it looks different; the stream ends with the bot. */
function answerLive(deps: Deps, c: WebContext, visitor: Visitor, bot: Bot) {
  const { botDetail, streams } = deps;
  const { scope } = actorOf(visitor.session);
  const { timeZone } = visitor.session.user;
  const query = c.req.query();
  const name = tabOf(query.tab);
  // A form of settings and pages of older rows stay as they were loaded.
  const isStill = name === "config" || query.before !== undefined;
  const common = { botDetail, visitor, query, trouble: {}, preview: null };
  return streams.open(c, (send, end) => {
    const shown = new Map<string, string>();
    return botDetail.watch(scope, bot.id, async (standing) => {
      if (standing === null) {
        end();
        return;
      }
      const pieces = livePieces({
        head: headOf(standing, timeZone),
        tiles: tilesOf(standing, timeZone),
        tab: isStill ? null : await readTab({ ...common, standing }, name),
      });
      const fresh: string[] = [];
      let hasMoved = false;
      for (const piece of pieces) {
        const html = String(await (<StreamedPiece {...piece} />));
        const before = shown.get(piece.id);
        if (before === html) continue;
        shown.set(piece.id, html);
        fresh.push(html);
        if (piece.id === "bot-tiles" && before !== undefined) hasMoved = true;
      }
      if (fresh.length > 0) send({ html: fresh.join("") });
      if (hasMoved) send({ event: MOVED });
    });
  });
}

/** Routes below `/bots/:id` that answer with pieces and files. */
export function botDataRoutes(deps: Deps, refuse: Refuse): Route[] {
  const { botDetail } = deps;
  const about = (path: string, role: "viewer" | "trader", answer: Parameters<typeof aboutBot>[2]) =>
    part(`/bots/:id/${path}`, role, aboutBot(deps, refuse, answer));
  return [
    about("live", "viewer", (c, visitor, bot) => answerLive(deps, c, visitor, bot)),
    about("derivation", "viewer", async (c, visitor, bot) => {
      const standing = await botDetail.standing(actorOf(visitor.session).scope, bot);
      const props = await readDerivation(deps, visitor, standing, c.req.query("part"));
      return c.html(props ? <Derivation {...props} /> : <NoDerivation />);
    }),
    about("preview", "trader", async (c, visitor, bot) => {
      const props = await readPreview(deps, visitor, bot, c.req.query());
      return c.html(<ActionPreviewCard {...props} />);
    }),
    about("chart.json", "viewer", async (c, { session }, bot) =>
      c.json(await botDetail.chart(actorOf(session).scope, bot)),
    ),
    about("diagnostics.txt", "viewer", async (c, { session }, bot) =>
      c.body(await botDetail.diagnostics(actorOf(session).scope, bot), 200, {
        "content-type": "text/plain; charset=utf-8",
      }),
    ),
  ];
}
