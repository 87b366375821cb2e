// Bots on PostgreSQL: definitions, configuration versions, wishes and status. Built by the composition
// root and tests. What an owner changes is noted in the audit log and wakes the workers in the same
// transaction; what a worker writes needs the lease of the account.
import { assert, ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountLinks } from "../../ports/account-store.ts";
import type {
  Bot,
  BotConfig,
  BotId,
  BotRefusal,
  BotStore,
  ConfigVersion,
  NewBot,
} from "../../ports/bot-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { LeaseGuard } from "../../ports/trading-store.ts";
import { createBotEvents } from "./bot-events.ts";
import { createBotFigures } from "./bot-figures.ts";
import { findBot, lockBot, noteChange, selectBots } from "./bot-rows.ts";
import { readState } from "./bot-states.ts";
import type { Sql, Transaction } from "./connect.ts";
import { errorCode } from "./errors.ts";
import { at, firstOrNull, jsonb, one } from "./rows.ts";
import { guarded } from "./trading-leases.ts";

const UNIQUE_VIOLATION = "23505";
const SEQUENCE_EXHAUSTED = "2200H";
const VERSIONS_MAX = 100;

type TradedAccount = Awaited<ReturnType<BotStore["tradedAccounts"]>>[number];

/** The bot store on a migrated database. */
export function createBotRepository(sql: Sql): BotStore {
  return {
    ...createBotEvents(sql),
    ...createBotFigures(sql),
    list: (scope, accountId) => {
      const isMeant = accountId === null ? sql`` : sql`and b.account_id = ${accountId}`;
      return selectBots(sql, scope, sql`${isMeant} order by lower(b.name) collate "C", b.id`);
    },
    find: (scope, id) => findBot(sql, scope, id),
    create: (scope, bot, actor, now) =>
      named(bot.name, () => sql.begin((tx) => create(tx, scope, bot, actor, now))),
    rename: (scope, id, name, now) =>
      named(name, () => sql.begin((tx) => rename(tx, scope, id, name, now))),
    changeConfig: (scope, id, change, actor, now) =>
      sql.begin((tx) => changeConfig(tx, scope, id, { ...change, actor }, now)),
    configVersions: async (scope, id) =>
      await sql<ConfigVersion[]>`
        select c.version, c.config, c.actor, c.note, c.at
        from bot_configs c join bots b on b.id = c.bot_id
        where c.bot_id = ${id} and c.workspace_id = ${scope.workspaceId} and b.deleted_at is null
        order by c.version desc limit ${VERSIONS_MAX}`,
    wish: (scope, id, wish, now) => sql.begin((tx) => applyWish(tx, scope, id, wish, now)),
    remove: (scope, id, now) => sql.begin((tx) => remove(tx, scope, id, now)),
    tradedAccounts: async () =>
      await sql<TradedAccount[]>`
        select distinct b.workspace_id, b.account_id from bots b
        join accounts a on a.id = b.account_id and a.status <> 'deleted'
        where b.deleted_at is null and (b.status in ('running', 'paused', 'error')
          or b.desired_status = 'running' or b.desired_action is not null)
        order by b.account_id`,
    state: (scope, id) => readState(sql, scope, id),
    setStatus: (scope, guard, id, change, now) =>
      sql.begin((tx) => setStatus(tx, scope, guard, id, { ...change, at: now })),
  };
}

/** Says how many bots an account has, for whoever wants to remove it. */
export function describeLinks(sql: Sql): AccountLinks {
  return {
    describe: async (scope, id) => {
      const { count } = one(
        await sql<{ count: number }[]>`
          select count(*) as count from bots
          where account_id = ${id} and workspace_id = ${scope.workspaceId}
            and deleted_at is null`,
      );
      if (count === 0) return [];
      return [count === 1 ? "1 bot" : `${count} bots`];
    },
  };
}

/** Two bots may want one name at the same time: then the index decides. */
async function named<T, R extends string>(
  name: string,
  work: () => Promise<Result<T, R>>,
): Promise<Result<T, R | "name_taken" | "too_many_bots">> {
  try {
    return await work();
  } catch (error) {
    const code = errorCode(error);
    if (code === UNIQUE_VIOLATION) return nameTaken(name);
    if (code === SEQUENCE_EXHAUSTED) {
      return refuse(
        "too_many_bots",
        "the installation has had 9999 bots: there are no more numbers",
      );
    }
    throw error;
  }
}

async function create(
  tx: Transaction,
  scope: Scope,
  bot: NewBot,
  actor: string,
  now: EpochMs,
): Promise<Result<Bot, BotRefusal>> {
  const { workspaceId } = scope;
  // Bots of one account are made one after the other, because each looks for rivals first.
  const { count } = await tx`
    select 1 from accounts
    where id = ${bot.accountId} and workspace_id = ${workspaceId} and status <> 'deleted'
    for no key update`;
  if (count === 0) return refuse("unknown_account", "there is no such account");
  const rivals = await tx<{ name: string; hasName: boolean }[]>`
    select name, lower(name) = lower(${bot.name}) as has_name from bots
    where workspace_id = ${workspaceId} and deleted_at is null
      and (lower(name) = lower(${bot.name}) or (account_id = ${bot.accountId}
        and symbol = ${bot.symbol} and sides && ${[...bot.sides]}::text[]))
    order by 2 desc limit 1`;
  const rival = firstOrNull(rivals);
  if (rival?.hasName) return nameTaken(bot.name);
  if (rival) {
    const detail = `${rival.name} trades ${bot.symbol} on this side of the account already`;
    return refuse("leg_taken", detail);
  }
  const { id } = one(
    await tx<{ id: BotId }[]>`
      insert into bots (workspace_id, account_id, name, symbol, timeframe_min, strategy_name,
        strategy_version, sides, config_version, run_id, status, desired_status, created_at,
        updated_at)
      values (${workspaceId}, ${bot.accountId}, ${bot.name}, ${bot.symbol}, ${bot.timeframeMin},
        ${bot.strategyName}, ${bot.strategyVersion}, ${[...bot.sides]}::text[], 1, ${bot.runId},
        'created', 'paused', ${at(now)}, ${at(now)})
      returning id`,
  );
  await addConfig(tx, scope, id, { version: 1, config: bot.config, note: "", actor, at: now });
  const { name, accountId, symbol, timeframeMin, strategyName, config } = bot;
  const sides = [...bot.sides];
  const after = { name, accountId, symbol, timeframeMin, strategyName, sides, config };
  const change = { action: "bot_created", before: null, after };
  await noteChange(tx, scope, id, change, actor, now);
  return ok(await present(tx, scope, id));
}

async function addConfig(
  tx: Transaction,
  { workspaceId }: Scope,
  id: BotId,
  { version, config, note, actor, at: now }: ConfigVersion,
): Promise<void> {
  await tx`
    insert into bot_configs (bot_id, version, workspace_id, config, note, actor, at)
    values (${id}, ${version}, ${workspaceId}, ${jsonb(tx, config)}, ${note}, ${actor},
      ${at(now)})`;
}

async function rename(
  tx: Transaction,
  scope: Scope,
  id: BotId,
  name: string,
  now: EpochMs,
): Promise<Result<Bot, BotRefusal>> {
  const bot = await lockBot(tx, scope, id);
  if (!bot) return unknownBot();
  await tx`update bots set name = ${name}, updated_at = ${at(now)} where id = ${id}`;
  const change = { action: "bot_renamed", before: { name: bot.name }, after: { name } };
  await noteChange(tx, scope, id, change, null, now);
  return ok(await present(tx, scope, id));
}

type ConfigChange = {
  readonly seenVersion: number;
  readonly config: BotConfig;
  readonly note: string;
  readonly actor: string;
};

async function changeConfig(
  tx: Transaction,
  scope: Scope,
  id: BotId,
  { seenVersion, config, note, actor }: ConfigChange,
  now: EpochMs,
): Promise<Result<Bot, BotRefusal>> {
  const bot = await lockBot(tx, scope, id);
  if (!bot) return unknownBot();
  if (bot.configVersion !== seenVersion) {
    const detail = `the configuration is at version ${bot.configVersion}, not ${seenVersion}`;
    return refuse("version_moved", detail);
  }
  const version = seenVersion + 1;
  await addConfig(tx, scope, id, { version, config, note, actor, at: now });
  await tx`
    update bots set config_version = ${version}, updated_at = ${at(now)} where id = ${id}`;
  const before: Json = { version: seenVersion, config: bot.config };
  const change = { action: "bot_configured", before, after: { version, config, note } };
  await noteChange(tx, scope, id, change, actor, now);
  return ok(await present(tx, scope, id));
}

async function applyWish(
  tx: Transaction,
  scope: Scope,
  id: BotId,
  wish: Parameters<BotStore["wish"]>[2],
  now: EpochMs,
): Promise<Result<Bot, BotRefusal>> {
  const bot = await lockBot(tx, scope, id);
  if (!bot) return unknownBot();
  const before = { status: bot.desiredStatus, action: bot.desiredAction };
  const status = wish.status ?? before.status;
  const action = wish.action === undefined ? before.action : wish.action;
  await tx`
    update bots set desired_status = ${status}, desired_action = ${action},
      updated_at = ${at(now)}
    where id = ${id}`;
  const change = { action: "bot_wished", before, after: { status, action } };
  await noteChange(tx, scope, id, change, null, now);
  return ok(await present(tx, scope, id));
}

async function remove(
  tx: Transaction,
  scope: Scope,
  id: BotId,
  now: EpochMs,
): Promise<Result<null, BotRefusal>> {
  // The lease first, as every writer of trading takes it: no order of the bot appears meanwhile.
  await tx`
    select 1 from account_leases l join bots b on b.account_id = l.account_id
    where b.id = ${id} and b.workspace_id = ${scope.workspaceId} for update of l`;
  const bot = await lockBot(tx, scope, id);
  if (!bot) return unknownBot();
  const owner = `bot:${id}`;
  const { isBusy } = one(
    await tx<{ isBusy: boolean }[]>`
      select exists (
        select 1 from order_intents
        where account_id = ${bot.accountId} and owner = ${owner} and status in
          ('planned', 'parked', 'sending', 'unverified', 'open', 'partly_filled')
      ) or exists (
        select 1 from positions where account_id = ${bot.accountId} and holder = ${owner}
      ) as is_busy`,
  );
  if (isBusy) return refuse("not_stopped", "the bot has open orders or a position");
  if (bot.status !== "stopped" && bot.status !== "created") {
    return refuse("not_stopped", `the bot is ${bot.status}: stop it first`);
  }
  await tx`
    update bots set deleted_at = ${at(now)}, desired_status = 'stopped', desired_action = null,
      updated_at = ${at(now)}
    where id = ${id}`;
  const { name, symbol, accountId } = bot;
  const change = { action: "bot_deleted", before: { name, symbol, accountId }, after: null };
  await noteChange(tx, scope, id, change, null, now);
  return ok(null);
}

type StatusChange = Parameters<BotStore["setStatus"]>[3] & { readonly at: EpochMs };

async function setStatus(
  tx: Transaction,
  scope: Scope,
  guard: LeaseGuard,
  id: BotId,
  { status, lastError, clearsAction, desiredStatus, at: now }: StatusChange,
): Promise<boolean> {
  const account = await guarded(tx, scope, guard);
  if (!account) return false;
  const { count } = await tx`
    update bots set status = ${status}, last_error = ${lastError},
      desired_status = coalesce(${desiredStatus ?? null}, desired_status),
      desired_action = case when ${clearsAction}::boolean then null else desired_action end,
      updated_at = ${at(now)}
    where id = ${id} and account_id = ${account.accountId}`;
  assert(count === 1, `account ${account.accountId} has no bot ${id}`);
  return true;
}

async function present(tx: Transaction, scope: Scope, id: BotId): Promise<Bot> {
  const bot = await findBot(tx, scope, id);
  assert(bot !== null, `bot ${id} was written a moment ago`);
  return bot;
}

function unknownBot() {
  return refuse("unknown_bot", "there is no such bot");
}

function nameTaken(name: string) {
  return refuse("name_taken", `a bot named ${name} exists already`);
}
