// Whoever does something in a workspace, and the line the audit log keeps of it. Used by the services
// of this folder that act for a signed-in user.
import type { Scope, User } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Json } from "../../ports/settings-store.ts";

/** A signed-in user acting in a workspace. */
export type Actor = { readonly scope: Scope; readonly user: User };

/** A refused field of a form: the sentence names the field, the value and what is allowed. */
export type FieldRefusal = {
  readonly ok: false;
  readonly reason: "refused";
  readonly field: string;
  readonly detail: string;
};

/** Refuses a field. */
export function refuseField(field: string, detail: string): FieldRefusal {
  return { ok: false, reason: "refused", field, detail };
}

/** What happened, to what. */
export type Happening = {
  readonly action: string;
  readonly object: string;
  readonly before?: Json;
  readonly after?: Json;
};

/** Writes an entry in the actor's workspace. */
export async function noteAct(
  deps: { readonly audit: Pick<AuditStore, "append">; readonly clock: Clock },
  { scope, user }: Actor,
  { action, object, before = null, after = null }: Happening,
): Promise<void> {
  const entry = { actorId: user.id, actor: user.email, action, object, before, after };
  await deps.audit.append(scope, entry, deps.clock.now());
}
