// Trading states on PostgreSQL. Built by the composition root and tests; trading-leases.ts asks it for the
// epoch. A change commits together with its audit entry and its wake-up, never without them.
import { assert } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope, WorkspaceId } from "../../ports/access-store.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type { BotId } from "../../ports/bot-store.ts";
import type {
  ControlRows,
  ControlStore,
  ScopeState,
  StateChange,
  TradingScope,
} from "../../ports/control-store.ts";
import { appendAudit } from "./audit-repository.ts";
import { wake } from "./bus.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { at, firstOrNull, one } from "./rows.ts";

const CHANGES_MAX = 100;

/** The control store on a migrated database. */
export function createControlRepository(sql: Sql): ControlStore {
  return {
    read: (scope) => readOne(sql, scope),
    readAll: () => readAll(sql),
    setStates: (scope, changes, now) => sql.begin((tx) => setStates(tx, scope, changes, now)),
  };
}

/** The epoch of a workspace; made at the first look. */
export async function readEpoch(sql: Sql, { workspaceId }: Scope): Promise<number> {
  const known = await epochOf(sql, workspaceId);
  if (known !== null) return known;
  await beginControl(sql, workspaceId);
  const made = await epochOf(sql, workspaceId);
  assert(made !== null, `there is no workspace ${workspaceId}`);
  return made;
}

async function epochOf(query: Query, workspaceId: WorkspaceId): Promise<number | null> {
  const row = firstOrNull(
    await query<{ epoch: number }[]>`
      select epoch from trading_control where workspace_id = ${workspaceId}`,
  );
  return row?.epoch ?? null;
}

/** Gives workspaces without an epoch their first one, with live trading off. @param only null is all */
async function beginControl(query: Query, only: WorkspaceId | null): Promise<void> {
  await query`
    with begun as (
      insert into trading_control (workspace_id, epoch, changed_at)
      select id, 1, now() from workspaces
      where ${only}::bigint is null or id = ${only}::bigint
      on conflict (workspace_id) do nothing
      returning workspace_id, changed_at
    )
    insert into trading_states (workspace_id, scope, state, reason, actor, changed_at)
    select workspace_id, 'live', 'frozen', 'live trading was never switched on', 'dragon', changed_at
    from begun
    on conflict do nothing`;
}

type Row = {
  readonly workspaceId: WorkspaceId;
  /** Null before the workspace was first looked at. */
  readonly epoch: number | null;
  /** Null when the workspace has no state at all. */
  readonly scope: TradingScope["kind"] | null;
  readonly accountId: AccountId | null;
  readonly botId: BotId | null;
} & Omit<ScopeState, "scope">;

/** Epochs and states as one statement sees them, so that they belong together. */
async function rowsOf(query: Query, only: WorkspaceId | null): Promise<readonly Row[]> {
  return await query<Row[]>`
    select w.id as workspace_id, c.epoch, s.scope, s.account_id, s.bot_id, s.state, s.reason,
      s.actor, s.changed_at
    from workspaces w
      left join trading_control c on c.workspace_id = w.id
      left join trading_states s on s.workspace_id = w.id
    where ${only}::bigint is null or w.id = ${only}::bigint
    order by w.id, s.id`;
}

async function readOne(query: Query, { workspaceId }: Scope): Promise<ControlRows> {
  return one([...(await readRows(query, workspaceId)).values()]);
}

async function readAll(sql: Sql): Promise<ReadonlyMap<WorkspaceId, ControlRows>> {
  return await readRows(sql, null);
}

async function readRows(
  query: Query,
  only: WorkspaceId | null,
): Promise<ReadonlyMap<WorkspaceId, ControlRows>> {
  let rows = await rowsOf(query, only);
  if (rows.some(({ epoch }) => epoch === null)) {
    await beginControl(query, only);
    rows = await rowsOf(query, only);
  }
  const found = new Map<WorkspaceId, { epoch: number; states: ScopeState[] }>();
  for (const row of rows) {
    // A workspace that was made between the two statements is there at the next look.
    if (row.epoch === null) continue;
    const control = found.get(row.workspaceId) ?? { epoch: row.epoch, states: [] };
    found.set(row.workspaceId, control);
    if (row.scope === null) continue;
    const { state, reason, actor, changedAt } = row;
    control.states.push({ scope: scopeOf(row), state, reason, actor, changedAt });
  }
  return found;
}

function scopeOf({ scope, accountId, botId }: Row): TradingScope {
  if (scope === "account" && accountId !== null) return { kind: "account", accountId };
  if (scope === "bot" && botId !== null) return { kind: "bot", botId };
  assert(scope === "global" || scope === "live", `a trading state of ${scope} names nothing`);
  return { kind: scope };
}

async function setStates(
  tx: Transaction,
  scope: Scope,
  changes: readonly StateChange[],
  now: EpochMs,
): Promise<ControlRows> {
  const { workspaceId } = scope;
  const count = changes.length;
  assert(count >= 1 && count <= CHANGES_MAX, `${count} changes are not 1..${CHANGES_MAX}`);
  await beginControl(tx, workspaceId);
  // First of all: waits for commits that hold the epoch, and makes later ones wait for this change.
  await tx`
    update trading_control set epoch = epoch + 1, changed_at = ${at(now)}
    where workspace_id = ${workspaceId}`;
  for (const change of changes) await setState(tx, scope, change, now);
  await wake(tx, "control", String(workspaceId));
  return await readOne(tx, scope);
}

async function setState(
  tx: Transaction,
  scope: Scope,
  { scope: of, state, reason, actor }: StateChange,
  now: EpochMs,
): Promise<void> {
  const { workspaceId, userId } = scope;
  const accountId = of.kind === "account" ? of.accountId : null;
  const botId = of.kind === "bot" ? of.botId : null;
  const before = firstOrNull(
    await tx<Pick<ScopeState, "state" | "reason">[]>`
      select state, reason from trading_states
      where workspace_id = ${workspaceId} and scope = ${of.kind}
        and account_id is not distinct from ${accountId}
        and bot_id is not distinct from ${botId}`,
  );
  await tx`
    insert into trading_states (workspace_id, scope, account_id, bot_id, state, reason, actor,
      changed_at)
    values (${workspaceId}, ${of.kind}, ${accountId}, ${botId}, ${state}, ${reason}, ${actor},
      ${at(now)})
    on conflict (workspace_id, scope, coalesce(account_id, 0), coalesce(bot_id, 0)) do update
      set state = excluded.state, reason = excluded.reason, actor = excluded.actor,
        changed_at = excluded.changed_at`;
  const object = `trading_state:${[of.kind, accountId ?? botId ?? []].flat().join(":")}`;
  const action = "trading_state_changed";
  const after = { state, reason };
  const entry = { actorId: userId, actor, action, object, before, after };
  await appendAudit(tx, workspaceId, entry, now);
}
