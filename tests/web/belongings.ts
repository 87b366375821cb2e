// One of everything a workspace can own, made for somebody else, so that the route walk can ask for each
// by its number. A new kind of thing with an address of its own belongs here.
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import { createRunRepository } from "../../src/adapters/postgres/run-repository.ts";
import type { UserId } from "../../src/ports/access-store.ts";
import type { Actor } from "../../src/services/desk/actor.ts";
import { aBot } from "../support/bots.ts";
import { aRun } from "../support/runs.ts";
import { KEYS } from "../support/account-probe.ts";
import type { WebCase, workspaceWith } from "./web-case.ts";

type World = Awaited<ReturnType<typeof workspaceWith>>;

/** Ids by the start of the addresses they belong to; the first start that fits counts. */
export type Belongings = readonly (readonly [start: string, ids: readonly number[]])[];

const NAME = "beta.example";
const CSV = "timestamp_ms,open,high,low,close,volume\n0,1,1,1,1,1\n60000,1,1,1,1,1\n";

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** Makes one of everything for the trader of a world. */
export async function belongingsOf(made: WebCase, world: World): Promise<Belongings> {
  const { deps, database, access, tokens, clock } = made;
  const { viewer, trader, owner } = world;
  const as = (id: UserId, role: "viewer" | "trader" | "owner") => ({
    ...world.scope,
    userId: id,
    role,
  });
  const actor: Actor = { user: trader, scope: as(trader.id, "trader") };
  const sessions = await access.listSessions(viewer.id, clock.now());
  const reader = { user: viewer, scope: as(viewer.id, "viewer") };
  await tokens.create(reader, { name: NAME, scope: "read", days: 1 });
  const tokenRows = await database.sql<{ id: number }[]>`
    select id from api_tokens where workspace_id = ${world.scope.workspaceId}`;
  const market = { exchangeId: "binance", symbol: "BETA/USDT:USDT", kind: "perps" } as const;
  const bytes = bytesOf(CSV);
  const job = await deps.candles.importFile(actor, { market, name: NAME, bytes, bytesTotal: null });
  const { candles } = await deps.candles.list(actor.scope);
  const run = await createRunRepository(database.sql).create(
    actor.scope,
    { ...aRun, name: NAME },
    clock.now(),
  );
  const period = await deps.periods.create(actor, { name: NAME, fromAt: 1.7e12, toAt: 1.71e12 });
  const account = await deps.tradingAccounts.create(
    { user: owner, scope: as(owner.id, "owner") },
    { name: NAME, exchange: "woox", mode: "live", ...KEYS },
  );
  if (!account.ok) throw new Error(account.detail);
  const accountId = account.account.id;
  const bot = await createBotRepository(database.sql).create(
    actor.scope,
    aBot(accountId, { name: NAME }),
    NAME,
    clock.now(),
  );
  return [
    ["/users/", [owner.id, trader.id, viewer.id]],
    ["/account/sessions/", sessions.map(({ id }) => id)],
    ["/account/tokens/", tokenRows.map(({ id }) => id)],
    ["/accounts/", [accountId]],
    ["/bots/", bot.ok ? [bot.value.id] : []],
    ["/candles/jobs/", [job.id]],
    ["/candles/", candles.map(({ id }) => id)],
    ["/runs/", [run]],
    ["/jobs/", [run]],
    ["/backtest/periods/", period.ok ? [period.period.id] : []],
  ];
}
