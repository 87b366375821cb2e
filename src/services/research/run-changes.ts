// What people do to runs that exist: cancel, rename, shortlist, remove. Called by pages through the runs;
// what others must be able to see later leaves an audit entry.
import { InputError } from "../../model/result.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RunId, RunStore } from "../../ports/run-store.ts";
import { type Actor, noteAct } from "../desk/actor.ts";
import { isEnded } from "./run-follow.ts";
import type { RunBoard } from "./run-queue.ts";
import { checkName } from "./run-request.ts";
import { CANCELLED } from "./run-work.ts";
import type { Runs } from "./runs.ts";

/** What changes need. */
export type ChangeDeps = {
  readonly store: RunStore;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
};

const NOTE_CHARACTERS_MAX = 2000;
const REMOVED_AT_ONCE_MAX = 200;

/** The part of the runs that changes them. @param forget called for runs that were removed */
export function createRunChanges(
  deps: ChangeDeps,
  board: RunBoard,
  forget: (scope: Scope, ids: readonly RunId[]) => void,
): Pick<Runs, "cancel" | "rename" | "shortlist" | "remove"> {
  const { store, clock } = deps;

  async function cancel(actor: Actor, id: RunId): Promise<boolean> {
    if (!(await store.cancel(actor.scope, id, clock.now()))) return false;
    const active = board.find(actor.scope, id);
    active?.tell({ status: "cancelled", stage: "ended" });
    active?.controller.abort(CANCELLED);
    await noteAct(deps, actor, { action: "run_cancelled", object: `run:${id}` });
    return true;
  }

  async function remove(actor: Actor, ids: readonly RunId[]): Promise<number> {
    if (ids.length > REMOVED_AT_ONCE_MAX) {
      throw new InputError(`runs: ${ids.length} are too many; at most ${REMOVED_AT_ONCE_MAX}`);
    }
    const found = await Promise.all(ids.map((id) => store.find(actor.scope, id)));
    const ended = found.filter((run) => run !== null).filter(({ status }) => isEnded(status));
    const count = await store.remove(
      actor.scope,
      ended.map(({ id }) => id),
    );
    const before = ended.map(({ id, name, symbol }) => ({ id, name, symbol }));
    if (count > 0) await noteAct(deps, actor, { action: "runs_removed", object: "runs", before });
    forget(actor.scope, ids);
    return count;
  }

  async function rename(actor: Actor, id: RunId, name: string | null): Promise<boolean> {
    checkName(name);
    const run = await store.find(actor.scope, id);
    if (!run || !(await store.rename(actor.scope, id, name))) return false;
    const what = { object: `run:${id}`, before: { name: run.name }, after: { name } };
    await noteAct(deps, actor, { action: "run_renamed", ...what });
    return true;
  }

  async function shortlist({ scope }: Actor, id: RunId, mark: Parameters<Runs["shortlist"]>[2]) {
    checkNote(mark.note);
    return await store.shortlist(scope, id, mark, clock.now());
  }

  return { cancel, rename, shortlist, remove };
}

function checkNote(note: string | null): void {
  if (note === null || note.length <= NOTE_CHARACTERS_MAX) return;
  throw new InputError(
    `note: ${note.length} characters; it may have at most ${NOTE_CHARACTERS_MAX}`,
  );
}
