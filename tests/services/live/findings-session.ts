// A stranger beside a bot on the simulated exchange, and a person who decides about what is found. Used by the tests of
// findings; worker, rows, broker and exchange are the real ones.
import { expect, test } from "bun:test";
import { createCommandRepository } from "../../../src/adapters/postgres/command-repository.ts";
import type { Decimal } from "../../../src/model/decimal.ts";
import type { BotFigures, FindingView } from "../../../src/model/live-figures.ts";
import type { BotId } from "../../../src/ports/bot-store.ts";
import type { StoredCommand } from "../../../src/ports/command-store.ts";
import { accountFiguresOf } from "../../../src/services/desk/bot-overview.ts";
import type { Account, PositionMode } from "../../../src/venue/account.ts";
import {
  botConfig,
  eagerStrategy,
  type LiveSession,
  openSession,
  type SessionWorker,
  SYMBOL,
} from "../../support/live-session.ts";
import { signedCall } from "../../venue/lab.ts";

export { botConfig, type LiveSession, type SessionWorker, SYMBOL };

const TIMEOUT_MS = 120_000;
/** Exits that are not reached during a test, and one entry alone. */
const QUIET = {
  exits: { tp_mode: "PCT", tp_pct: 30, sl_pct: 20 },
  general: {
    use_indicator_consensus: false,
    entry_order_style: "market",
    entry_cooldown_min: 0,
    initial_entry_balance_pct: 5,
    max_entries: 1,
  },
} as const;

/** A strategy that enters once and holds; a change of its general part, as which sides it trades. */
export function quietStrategy(general: Readonly<Record<string, boolean>> = {}) {
  return eagerStrategy({ ...QUIET, general: { ...QUIET.general, ...general } });
}

/** One test with a session of its own. */
export function sessionTest(
  name: string,
  body: (session: LiveSession) => Promise<void>,
  mode: PositionMode = "ONE_WAY",
): void {
  test(
    name,
    async () => {
      const session = await openSession();
      session.account.mode = mode;
      try {
        await body(session);
      } finally {
        await session.close();
      }
    },
    TIMEOUT_MS,
  );
}

/** The leg of an order where there are legs. */
function legOf({ mode }: Account, leg: "LONG" | "SHORT") {
  return mode === "ONE_WAY" ? {} : { positionSide: leg };
}

/** An order of another program with the same keys. @returns its id at the exchange */
export async function strangerOrders(
  { venue, account }: LiveSession,
  order: Readonly<Record<string, string>>,
  leg: "LONG" | "SHORT" = "LONG",
): Promise<string> {
  const sent = { symbol: SYMBOL, type: "MARKET", ...order, ...legOf(account, leg) };
  const reply = await signedCall(venue, account, "POST", "/v3/trade/order", sent);
  expect([reply.status, reply.text.includes("orderId")]).toEqual([200, true]);
  return String(reply.json.data?.orderId);
}

/** A market order of another program. */
export function strangerTrades(
  session: LiveSession,
  side: "BUY" | "SELL",
  quantity: string,
  leg: "LONG" | "SHORT" = "LONG",
): Promise<string> {
  return strangerOrders(session, { side, quantity }, leg);
}

/** What pages show. */
export async function findings({
  bots,
  scope,
  accountId,
}: LiveSession): Promise<readonly FindingView[]> {
  const figures = accountFiguresOf(await bots.snapshots(scope, accountId), accountId);
  return figures?.findings ?? [];
}

/** A finding and what taking it over would mean, as one reads it. */
function textOf({ sentence, adoption = "" }: FindingView): string {
  return `${sentence}. ${adoption}`;
}

/** Whether something is found that reads so. */
export const isFound = (session: LiveSession, text: RegExp) => async () =>
  (await findings(session)).some((finding) => text.test(textOf(finding)));

/** Whether nothing is found. */
export const isClear = (session: LiveSession) => async () => (await findings(session)).length === 0;

type Choice = FindingView["choices"][number];

/** Asks for a choice about the first finding, or the one that reads so. */
export async function wish(
  session: LiveSession,
  choice: Choice,
  { heir, about = /./ }: { readonly heir?: BotId | null; readonly about?: RegExp } = {},
) {
  const { scope, accountId, clock, database } = session;
  const finding = (await findings(session)).find((each) => about.test(textOf(each)));
  if (finding === undefined) throw new Error("nothing is found");
  const commands = createCommandRepository(database.sql);
  const named = heir === undefined ? {} : { heir };
  const command = { kind: "settle_finding", findingKey: finding.key, choice, ...named } as const;
  const asked = { accountId, botId: null, command, actor: "ann@example.org" };
  const made = await commands.ask(scope, asked, clock.now());
  if (!made.ok) throw new Error(made.detail);
  return async (): Promise<StoredCommand | undefined> => {
    const recent = await commands.recent(scope, { accountId, botId: null, limit: 20 });
    return recent.find(({ id }) => id === made.value.id);
  };
}

/** The same, waited for. @returns what came of it */
export async function decide(
  session: LiveSession,
  choice: Choice,
  options: Parameters<typeof wish>[2] = {},
): Promise<StoredCommand | undefined> {
  const find = await wish(session, choice, options);
  await session.until(`${choice} is done`, async () => (await find())?.doneAt != null);
  return await find();
}

/** Why the comparison keeps the entries of the bot waiting; null when it does not. */
export async function gateOf({ bots, scope, accountId }: LiveSession): Promise<string | null> {
  const own = (await bots.snapshots(scope, accountId)).find(({ botId }) => botId !== null);
  const figures = own?.body as BotFigures | undefined;
  const gate = figures?.gates.find(({ key }) => key === "reconciled");
  if (gate === undefined) throw new Error("the bot shows no gates");
  return gate.isOpen ? null : gate.sentence;
}

/** What every holder holds, by holder; the leg before it where there are legs. */
export async function holders({
  trading,
  scope,
  accountId,
}: LiveSession): Promise<Record<string, Decimal>> {
  const held = await trading.holdings(scope, accountId);
  return Object.fromEntries(
    held.map(({ holder, leg, position }) => [
      leg === "net" ? holder : `${leg} ${holder}`,
      position.qty,
    ]),
  );
}

/** Whether one protective stop rests at the exchange and covers so much. */
export const isProtected = (session: LiveSession, owner: string, qty: Decimal) => async () => {
  const alive = await session.trading.aliveIntents(session.scope, session.accountId);
  const stops = alive.filter((one) => {
    return one.owner === owner && one.purpose === "protective_stop" && one.status === "open";
  });
  return stops.length === 1 && stops[0]?.qty === qty;
};

/** A bot that holds something with its stop at the exchange. */
export async function holding(
  session: LiveSession,
  change: Parameters<LiveSession["addBot"]>[0] = {},
) {
  const bot = await session.addBot({ config: botConfig(quietStrategy()), ...change });
  const worker = await session.startWorker();
  const { trading, scope, accountId } = session;
  await session.until("its stop rests", async () => {
    const alive = await trading.aliveIntents(scope, accountId);
    return alive.some((one) => one.purpose === "protective_stop" && one.status === "open");
  });
  return { bot, worker };
}

/** Differences apart from whose an order is: at the exchange the stranger sent it. */
export const bookDifferences = async (session: LiveSession) =>
  (await session.differences()).filter((each) => !each.startsWith("trade "));
