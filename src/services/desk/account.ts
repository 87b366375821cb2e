// What a signed-in user changes about the own account: password and time zone. Used by the account
// page. A new password asks for the old one and ends every other session.
import type { AccessStore, Session } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Actor, type FieldRefusal, noteAct, refuseField } from "./actor.ts";
import { hashPassword, passwordProblem } from "./passwords.ts";
import type { OpenedSession, Origin, Sessions } from "./sessions.ts";
import { timeZoneProblem } from "./setup.ts";

/** What the account service needs. */
export type AccountDeps = {
  readonly access: AccessStore;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
  readonly sessions: Sessions;
};

/** The outcome of a new password; the browser continues with the new session. */
export type PasswordOutcome =
  | ({ readonly ok: true } & OpenedSession)
  | FieldRefusal
  | { readonly ok: false; readonly reason: "throttled"; readonly waitMs: number };

/** The own account. */
export type Account = {
  changePassword(
    session: Session,
    passwords: { readonly current: string; readonly next: string },
    origin: Origin,
  ): Promise<PasswordOutcome>;
  changeTimeZone(session: Session, timeZone: string): Promise<{ readonly ok: true } | FieldRefusal>;
};

/** The user of a session as the one who acts. */
export function actorOf({ user, workspace, role }: Session): Actor {
  return { user, scope: { workspaceId: workspace.id, userId: user.id, role } };
}

/** Builds the account service. */
export function createAccount(deps: AccountDeps): Account {
  const { access, clock, sessions } = deps;
  return {
    async changePassword(session, { current, next }, { address, client }) {
      const { user, workspace } = session;
      const problem = passwordProblem(next, user.email);
      if (problem !== undefined) return refuseField("password", problem);
      const confirmed = await sessions.confirm(user, current, address);
      if (!confirmed.ok) {
        if (confirmed.reason === "throttled") return confirmed;
        return refuseField("current", "This is not your present password");
      }
      await access.setPassword(user.id, await hashPassword(next, user.email), clock.now());
      const object = `user:${user.id}`;
      await noteAct(deps, actorOf(session), { action: "password_changed", object });
      const opened = await sessions.open(user, workspace.id, client);
      if (!opened) return refuseField("current", "Your access ended in this moment");
      return { ok: true, ...opened };
    },
    async changeTimeZone(session, timeZone) {
      const problem = timeZoneProblem(timeZone);
      if (problem !== undefined) return refuseField("timeZone", problem);
      await access.setTimeZone(session.user.id, timeZone, clock.now());
      await noteAct(deps, actorOf(session), {
        action: "time_zone_changed",
        object: `user:${session.user.id}`,
        before: { timeZone: session.user.timeZone },
        after: { timeZone },
      });
      return { ok: true };
    },
  };
}
