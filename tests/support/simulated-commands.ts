// The command store in memory, on the rows of a simulated trading store. For simulations and as the second
// opinion of the contract of command stores. Its writes crash and fail with those of the trading store.
import { assert, ok, refuse } from "../../src/model/result.ts";
import type { EpochMs } from "../../src/model/time.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Bus } from "../../src/ports/bus.ts";
import type { CommandId, CommandStore, StoredCommand } from "../../src/ports/command-store.ts";
import type { SimulatedStore } from "./simulated-store.ts";

const WAITING_MAX = 20;
const WAIT_MAX_MS = 60_000;
const RECENT_MAX = 100;

type Rows = readonly StoredCommand[];

/** A command store beside a simulated store. */
export function createSimulatedCommands(
  { inside }: Pick<SimulatedStore, "inside">,
  bus: Pick<Bus, "notify">,
): CommandStore {
  const tables = new Map<AccountId, Rows>();
  const rowsOf = (accountId: AccountId): Rows => tables.get(accountId) ?? [];
  const takenAt = new Map<CommandId, EpochMs>();
  let number = 0;

  /** Changes rows if and only if the write of the simulated store commits. */
  async function committed<T>(run: (keep: (id: AccountId, rows: Rows) => void) => Promise<T>) {
    const kept: [AccountId, Rows][] = [];
    const answer = await run((id, rows) => kept.push([id, rows]));
    for (const [id, rows] of kept) tables.set(id, rows);
    return answer;
  }

  return {
    async ask(scope, { accountId, botId, command, actor }, at) {
      const answer = await committed((keep) =>
        inside.write((draft) => {
          const book = draft.accounts.get(accountId);
          if (book?.workspaceId !== scope.workspaceId) {
            return refuse("unknown_account", "there is no such account");
          }
          const known = botId === null ? null : book.bots.get(botId);
          if (known === undefined || known?.isDeleted) {
            return refuse("unknown_bot", "the account has no such bot");
          }
          const rows = rowsOf(accountId);
          const open = rows.filter((row) => row.doneAt === null && row.at > at - WAIT_MAX_MS);
          if (open.length >= WAITING_MAX) return refuse("too_many", "too many wait already");
          number += 1;
          const asked: StoredCommand = {
            ...{ id: number as CommandId, accountId, botId, command, actor, at },
            ...{ doneAt: null, outcome: null, isRefused: false },
          };
          keep(accountId, [...rows, asked]);
          return ok(asked);
        }),
      );
      if (!answer.ok) return answer;
      const topic = botId === null ? "accounts" : "bots";
      await bus.notify(topic, String(botId ?? accountId));
      return answer;
    },
    async waiting(scope, guard, at) {
      const found = await committed((keep) =>
        inside.guarded(scope, guard, () => {
          const rows = rowsOf(guard.accountId).map((row) => {
            const since = takenAt.get(row.id) ?? row.at;
            if (row.doneAt !== null || since > at - WAIT_MAX_MS) return row;
            return { ...row, doneAt: at, outcome: "nobody finished it in time", isRefused: true };
          });
          keep(guard.accountId, rows);
          return rows.filter(({ id, doneAt }) => doneAt === null && !takenAt.has(id));
        }),
      );
      if ("ok" in found) return [];
      for (const { id } of found) takenAt.set(id, at);
      return found;
    },
    async finish(scope, guard, id, end, at) {
      const done = await committed((keep) =>
        inside.guarded(scope, guard, () => {
          assert(end.outcome.length >= 1 && end.outcome.length <= 500, "an outcome has 1..500");
          const rows = rowsOf(guard.accountId);
          const isOpen = rows.some((row) => row.id === id && row.doneAt === null);
          if (!isOpen) return false;
          keep(
            guard.accountId,
            rows.map((row) => (row.id === id ? { ...row, ...end, doneAt: at } : row)),
          );
          return true;
        }),
      );
      return done === true;
    },
    async recent(scope, { accountId, botId, limit }) {
      assert(limit >= 1 && limit <= RECENT_MAX, `limit: ${limit} is not 1..${RECENT_MAX}`);
      if (inside.world.accounts.get(accountId)?.workspaceId !== scope.workspaceId) return [];
      return rowsOf(accountId)
        .filter((row) => botId === null || row.botId === botId)
        .toReversed()
        .slice(0, limit);
    },
  };
}
