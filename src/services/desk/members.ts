// The people of a workspace, for its owners: list, add, role, reset, disable; and the one-time link
// with which somebody sets a password. Used by the users pages. Never touches another workspace.
import type {
  AccessStore,
  Member,
  Role,
  User,
  UserId,
  WorkspaceId,
} from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { UserLinkRefusal, UserLinkStore } from "../../ports/user-link-store.ts";
import { type Actor, type FieldRefusal, noteAct, refuseField } from "./actor.ts";
import { hashPassword, passwordProblem } from "./passwords.ts";
import { emailProblem, hashToken, newToken, timeZoneProblem } from "./setup.ts";
import { ROLES } from "./users.ts";

export const USER_LINK_MS = 72 * 3_600_000;
export const MEMBERS_MAX = 200;
/** Roles a new user may get; an owner is made by changing the role afterwards. */
export const NEW_USER_ROLES: readonly Role[] = ["viewer", "trader"];

/** A member with the end of the open one-time link, null without one. */
export type ListedMember = Member & { readonly linkUntil: number | null };

/** A new user as typed; an empty password asks for a one-time link. */
export type MemberWish = {
  readonly email: string;
  readonly role: string;
  readonly timeZone: string;
  readonly password: string;
};

/** Refused because of the rights of somebody, not because of a field. */
export type MemberRefusal = {
  readonly ok: false;
  readonly reason: "unknown_user" | "last_owner" | "elsewhere";
};

/** What a link shows. */
export type LinkView =
  { readonly state: "open"; readonly email: string } | { readonly state: UserLinkRefusal };

/** What the members service needs. */
export type MembersDeps = {
  readonly access: AccessStore;
  readonly links: UserLinkStore;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
};

/** Administration of one workspace. */
export type Members = {
  list(actor: Pick<Actor, "scope">): Promise<ListedMember[]>;
  find(actor: Actor, id: UserId): Promise<ListedMember | null>;
  /** `link` is the word of the one-time link, null when a password was given. */
  create(
    actor: Actor,
    wish: MemberWish,
  ): Promise<
    { readonly ok: true; readonly member: Member; readonly link: string | null } | FieldRefusal
  >;
  /** The user signs in again and then has the new role. */
  setRole(
    actor: Actor,
    id: UserId,
    role: string,
  ): Promise<{ readonly ok: true } | MemberRefusal | FieldRefusal>;
  /** The old password and all sessions end now; a one-time link sets the next password. */
  reset(
    actor: Actor,
    id: UserId,
  ): Promise<{ readonly ok: true; readonly link: string } | MemberRefusal>;
  setDisabled(
    actor: Actor,
    id: UserId,
    isDisabled: boolean,
  ): Promise<{ readonly ok: true } | MemberRefusal>;
  linkView(token: string): Promise<LinkView>;
  /** Consumes a link. */
  acceptLink(
    token: string,
    password: string,
  ): Promise<
    | { readonly ok: true; readonly email: string }
    | FieldRefusal
    | { readonly ok: false; readonly reason: UserLinkRefusal }
  >;
};

const UNKNOWN: MemberRefusal = { ok: false, reason: "unknown_user" };

/** Builds the members service. */
export function createMembers(deps: MembersDeps): Members {
  const { access, links, clock } = deps;
  const find = (actor: Actor, id: UserId) => findMember(deps, actor, id);
  return {
    list: (actor) => listMembers(deps, actor),
    find,
    create: (actor, wish) => create(deps, actor, wish),
    setRole: (actor, id, role) => setRole(deps, actor, id, role),
    async reset(actor, id) {
      const member = await find(actor, id);
      if (!member) return UNKNOWN;
      if (await belongsElsewhere(deps, actor, member)) return { ok: false, reason: "elsewhere" };
      await access.setPassword(id, await unguessable(), clock.now());
      const link = await issueLink(deps, actor, member);
      await noteAct(deps, actor, { action: "password_reset", object: `user:${id}` });
      return { ok: true, link };
    },
    async setDisabled(actor, id, isDisabled) {
      const member = await find(actor, id);
      if (!member) return UNKNOWN;
      if (await belongsElsewhere(deps, actor, member)) return { ok: false, reason: "elsewhere" };
      const changed = await access.setDisabled(id, isDisabled, clock.now());
      if (!changed.ok) return { ok: false, reason: changed.reason };
      const action = isDisabled ? "user_disabled" : "user_enabled";
      await noteAct(deps, actor, { action, object: `user:${id}`, after: { email: member.email } });
      return { ok: true };
    },
    async linkView(token) {
      const found = await links.findUserLink(hashToken(token), clock.now());
      if (!found.ok) return { state: found.reason };
      return { state: "open", email: found.value.user.email };
    },
    acceptLink: (token, password) => acceptLink(deps, token, password),
  };
}

async function listMembers({ access, links, clock }: MembersDeps, { scope }: Pick<Actor, "scope">) {
  const [members, open] = await Promise.all([
    access.listMembers(scope),
    links.listUserLinks(scope, clock.now()),
  ]);
  return members.map((member) => ({ ...member, linkUntil: open.get(member.id) ?? null }));
}

async function findMember(deps: MembersDeps, actor: Actor, id: UserId) {
  return (await listMembers(deps, actor)).find((member) => member.id === id) ?? null;
}

// Password and being enabled belong to the person: an owner here must not decide them for a
// workspace over there.
async function belongsElsewhere({ access }: MembersDeps, { scope }: Actor, { id }: User) {
  const all = await access.membershipsOf(id);
  return all.some((membership) => membership.id !== scope.workspaceId);
}

/** The hash of a password that nobody knows. */
function unguessable(): Promise<string> {
  return hashPassword(newToken(), "");
}

async function issueLink({ links, clock }: MembersDeps, { scope }: Actor, { id }: User) {
  const token = newToken();
  const at = clock.now();
  const link = { userId: id, tokenHash: hashToken(token), expiresAt: at + USER_LINK_MS };
  await links.createUserLink(scope, link, at);
  return token;
}

async function create(deps: MembersDeps, actor: Actor, wish: MemberWish) {
  const email = wish.email.trim();
  const role = NEW_USER_ROLES.find((each) => each === wish.role);
  const mail = emailProblem(email);
  if (mail !== undefined) return refuseField("email", mail);
  if (!role) return refuseField("role", roleProblem(wish.role, NEW_USER_ROLES));
  const zone = timeZoneProblem(wish.timeZone);
  if (zone !== undefined) return refuseField("timeZone", zone);
  const hasPassword = wish.password !== "";
  const weak = hasPassword ? passwordProblem(wish.password, email) : undefined;
  if (weak !== undefined) return refuseField("password", weak);
  const { access, clock } = deps;
  if ((await access.listMembers(actor.scope)).length >= MEMBERS_MAX) {
    return refuseField("email", `there are ${MEMBERS_MAX} users, which is the most allowed`);
  }
  const passwordHash = hasPassword ? await hashPassword(wish.password, email) : await unguessable();
  const { timeZone } = wish;
  const user = { email, passwordHash, timeZone, role };
  const made = await access.createUser(actor.scope, user, clock.now());
  if (!made.ok) return refuseField("email", `"${email}" already belongs to a user`);
  const link = hasPassword ? null : await issueLink(deps, actor, made.value);
  await noteAct(deps, actor, {
    action: "user_created",
    object: `user:${made.value.id}`,
    after: { email, role, timeZone, by: hasPassword ? "password" : "link" },
  });
  return { ok: true, member: made.value, link } as const;
}

function roleProblem(role: string, allowed: readonly Role[]): string {
  return `"${role.slice(0, 20)}" must be one of ${allowed.join(", ")}`;
}

async function setRole(deps: MembersDeps, actor: Actor, id: UserId, wanted: string) {
  const role = ROLES.find((each) => each === wanted);
  if (!role) return refuseField("role", roleProblem(wanted, ROLES));
  const { access, clock } = deps;
  // The store would add a stranger to the workspace, so membership is settled first.
  const member = await findMember(deps, actor, id);
  if (!member) return UNKNOWN;
  if (member.role === role) return { ok: true } as const;
  const changed = await access.setRole(actor.scope, id, role, clock.now());
  if (!changed.ok) return { ok: false, reason: changed.reason } as const;
  await access.revokeSessions(id, clock.now());
  await noteAct(deps, actor, {
    action: "role_changed",
    object: `user:${id}`,
    before: { role: member.role },
    after: { role },
  });
  return { ok: true } as const;
}

async function acceptLink(deps: MembersDeps, token: string, password: string) {
  const { access, links, clock } = deps;
  const tokenHash = hashToken(token);
  const found = await links.findUserLink(tokenHash, clock.now());
  if (!found.ok) return { ok: false, reason: found.reason } as const;
  const weak = passwordProblem(password, found.value.user.email);
  if (weak !== undefined) return refuseField("password", weak);
  const hash = await hashPassword(password, found.value.user.email);
  const used = await links.consumeUserLink(tokenHash, hash, clock.now());
  if (!used.ok) return { ok: false, reason: used.reason } as const;
  const { user, workspaceId } = used.value;
  const role = await roleIn(access, user.id, workspaceId);
  const actor: Actor = { user, scope: { workspaceId, userId: user.id, role } };
  await noteAct(deps, actor, { action: "password_set_by_link", object: `user:${user.id}` });
  return { ok: true, email: user.email } as const;
}

async function roleIn(access: AccessStore, id: UserId, workspaceId: WorkspaceId): Promise<Role> {
  const all = await access.membershipsOf(id);
  return all.find((membership) => membership.id === workspaceId)?.role ?? "viewer";
}
