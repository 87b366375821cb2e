// Signing in and out with a browser: passwords, throttle, sessions. Used by the web room. A session is
// an opaque random word whose hash alone is stored; whether it is valid is asked at every request.
import type { EpochMs } from "../../model/time.ts";
import type {
  AccessStore,
  Scope,
  Session,
  SessionId,
  User,
  WorkspaceId,
} from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Attempt, LoginThrottle } from "./login-throttle.ts";
import { hashPassword, type VerifyPassword } from "./passwords.ts";
import { hashToken, newToken } from "./setup.ts";

export const SESSION_IDLE_MS = 12 * 3_600_000;
export const SESSION_ABSOLUTE_MS = 30 * 86_400_000;
/** A further sign-in ends the oldest session. */
export const SESSIONS_PER_USER_MAX = 20;
/** Ended sessions are deleted this long after their end. */
export const SESSION_KEEP_MS = 30 * 86_400_000;
const PRUNE_EVERY_MS = 3_600_000;
const CLIENT_CHARS_MAX = 300;

/** From where a request comes. */
export type Origin = {
  readonly address: string;
  /** The browser as it names itself. */
  readonly client: string;
};

/** A new session; the token goes to the browser and nowhere else. */
export type OpenedSession = { readonly token: string; readonly session: Session };

/** What an attempt to sign in ends with; an unknown user and a wrong password look the same. */
export type LoginOutcome =
  | ({ readonly ok: true } & OpenedSession)
  | { readonly ok: false; readonly reason: "refused" }
  | { readonly ok: false; readonly reason: "throttled"; readonly waitMs: number };

/** Whether the password typed again is the user's. */
export type Confirmation = { readonly ok: true } | Extract<LoginOutcome, { readonly ok: false }>;

/** What the sessions service needs. */
export type SessionsDeps = {
  readonly access: AccessStore;
  readonly audit: Pick<AuditStore, "append" | "appendInstance">;
  readonly clock: Clock;
  readonly throttle: LoginThrottle;
  readonly verifyPassword: VerifyPassword;
};

/** Browser sessions. */
export type Sessions = {
  logIn(email: string, password: string, origin: Origin): Promise<LoginOutcome>;
  /** Signs in the user a trusted proxy vouches for; null when there is no such active user. */
  logInVouched(email: string, origin: Origin): Promise<OpenedSession | null>;
  /** A new session for a user whose password was just confirmed. */
  open(user: User, workspaceId: WorkspaceId, client: string): Promise<OpenedSession | null>;
  find(token: string): Promise<Session | null>;
  /** Whether the session goes on; asking does not prolong it. */
  isOpen(session: Session): Promise<boolean>;
  logOut(session: Session): Promise<void>;
  list(session: Session): Promise<Session[]>;
  /** False when the user has no such session. */
  revoke(session: Session, id: SessionId): Promise<boolean>;
  /** Ends all but the given one. @returns how many ended */
  revokeOthers(session: Session): Promise<number>;
  /** Asks for the password again before something dangerous; throttled like signing in. */
  confirm(user: User, password: string, address: string): Promise<Confirmation>;
};

/** Builds the sessions service. */
export function createSessions(deps: SessionsDeps): Sessions {
  const { access, clock } = deps;
  const prune = pruner(deps);
  const check = passwordCheck(deps);
  return {
    async logIn(email, password, { address, client }) {
      const checked = await check({ account: email, address }, password);
      if (!checked.ok) return checked;
      const opened = await enter(deps, checked.user, client, "login");
      await prune();
      return opened ? { ok: true, ...opened } : { ok: false, reason: "refused" };
    },
    async logInVouched(email, { client }) {
      const found = await access.findLogin(email.trim());
      if (!found || found.user.disabledAt !== null) return null;
      return enter(deps, found.user, client, "login_by_proxy");
    },
    open: (user, workspaceId, client) => open(deps, user, workspaceId, client),
    find: (token) =>
      access.useSession(hashToken(token), clock.now() + SESSION_IDLE_MS, clock.now()),
    async logOut(session) {
      await access.revokeSession(session.user.id, session.id, clock.now());
      await note(deps, session, "logout", `session:${session.id}`);
    },
    list: (session) => access.listSessions(session.user.id, clock.now()),
    async isOpen({ id, user }) {
      return (await access.listSessions(user.id, clock.now())).some((each) => each.id === id);
    },
    async revoke(session, id) {
      const isRevoked = await access.revokeSession(session.user.id, id, clock.now());
      if (isRevoked) await note(deps, session, "session_revoked", `session:${id}`);
      return isRevoked;
    },
    async revokeOthers(session) {
      let count = 0;
      for (const { id } of await access.listSessions(session.user.id, clock.now())) {
        if (id === session.id) continue;
        if (await access.revokeSession(session.user.id, id, clock.now())) count += 1;
      }
      if (count > 0) await note(deps, session, "sessions_revoked", `user:${session.user.id}`);
      return count;
    },
    async confirm(user, password, address) {
      const checked = await check({ account: user.email, address }, password);
      return checked.ok ? { ok: true } : checked;
    },
  };
}

type Checked =
  { readonly ok: true; readonly user: User } | Extract<LoginOutcome, { readonly ok: false }>;

/** One throttled comparison; an unknown user costs the same work as a wrong password. */
function passwordCheck(deps: SessionsDeps) {
  const { access, audit, clock, throttle, verifyPassword } = deps;
  let decoy: Promise<string> | undefined;
  return async (attempt: Attempt, password: string): Promise<Checked> => {
    const waitMs = throttle.begin(attempt, clock.now());
    if (waitMs > 0) return { ok: false, reason: "throttled", waitMs };
    // Made at the first attempt whoever it is, so that it tells nothing about the account.
    decoy ??= hashPassword(newToken(), "");
    const decoyHash = await decoy;
    const found = await access.findLogin(attempt.account.trim());
    const hash = found?.passwordHash ?? decoyHash;
    const isRight = await verifyPassword(password, hash);
    const user = found?.user;
    if (isRight && user && hash !== decoyHash && user.disabledAt === null) {
      throttle.succeeded(attempt);
      return { ok: true, user };
    }
    // What was typed as the e-mail may be a password, so an unknown one is not written down.
    const object = user ? `user:${user.id}` : "user:unknown";
    const entry = { actorId: null, actor: "sign-in", action: "login_refused", object };
    await audit.appendInstance({ ...entry, before: null, after: null }, clock.now());
    return { ok: false, reason: "refused" };
  };
}

async function enter(
  deps: SessionsDeps,
  user: User,
  client: string,
  action: "login" | "login_by_proxy",
): Promise<OpenedSession | null> {
  const [first] = await deps.access.membershipsOf(user.id);
  if (!first) return null;
  const opened = await open(deps, user, first.id, client);
  if (opened) await note(deps, opened.session, action, `session:${opened.session.id}`);
  return opened;
}

async function open(
  { access, clock }: SessionsDeps,
  user: User,
  workspaceId: WorkspaceId,
  client: string,
): Promise<OpenedSession | null> {
  const at = clock.now();
  const token = newToken();
  const session = await access.createSession(
    {
      userId: user.id,
      workspaceId,
      tokenHash: hashToken(token),
      idleExpiresAt: at + SESSION_IDLE_MS,
      expiresAt: at + SESSION_ABSOLUTE_MS,
      client: client.slice(0, CLIENT_CHARS_MAX),
    },
    at,
  );
  if (!session) return null;
  const all = await access.listSessions(user.id, at);
  for (const { id } of all.slice(0, Math.max(0, all.length - SESSIONS_PER_USER_MAX))) {
    await access.revokeSession(user.id, id, at);
  }
  return { token, session };
}

/** Deletes sessions that ended long ago, at most once an hour. */
function pruner({ access, clock }: SessionsDeps): () => Promise<void> {
  let prunedAt: EpochMs = 0;
  return async () => {
    if (clock.now() - prunedAt < PRUNE_EVERY_MS) return;
    prunedAt = clock.now();
    await access.pruneSessions(prunedAt - SESSION_KEEP_MS);
  };
}

async function note(
  { audit, clock }: SessionsDeps,
  { user, workspace, role }: Session,
  action: string,
  object: string,
): Promise<void> {
  const scope: Scope = { workspaceId: workspace.id, userId: user.id, role };
  const entry = { actorId: user.id, actor: user.email, action, object, before: null, after: null };
  await audit.append(scope, entry, clock.now());
}
