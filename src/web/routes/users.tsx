// The people of a workspace, for owners. Somebody of another workspace is not found here, whatever
// the number in the address.
import { SecretPage } from "../../../views/pages/secret.tsx";
import { UserPage } from "../../../views/pages/user.tsx";
import {
  NewUserPage,
  type NewUserProps,
  type UserRow,
  UsersPage,
} from "../../../views/pages/users.tsx";
import type { UserId } from "../../ports/access-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import {
  type ListedMember,
  type MemberRefusal,
  USER_LINK_MS,
} from "../../services/desk/members.ts";
import { PASSWORD_CHARS_MIN } from "../../services/desk/passwords.ts";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { forForm, frameOf, idOf, respondPage } from "../respond.ts";
import { action, page, type Route, type Visitor, type WebContext } from "../route.ts";
import { TIME_ZONES } from "../time-zones.ts";

const LINK_HOURS = USER_LINK_MS / 3_600_000;

const DONE: Readonly<Record<string, string>> = {
  added: "The user is added and can sign in.",
  role: "The role is changed.",
  disabled: "The user is disabled: all sessions have ended, all tokens have stopped.",
  enabled: "The user is enabled.",
};

const REFUSALS: Readonly<Record<Exclude<MemberRefusal["reason"], "unknown_user">, string>> = {
  last_owner: "A workspace needs an active owner. Make somebody else an owner first.",
  elsewhere: "This person also belongs to another workspace, whose owners decide about that.",
};

/** Routes of `/users`. */
export function userRoutes(deps: WebDeps, refuse: Refuse): Route[] {
  const { about, members } = deps;
  const change = (
    done: string,
    run: (c: WebContext, visitor: Visitor, id: UserId) => Promise<{ ok: true } | Refused>,
  ) => changing(deps, refuse, done, run);
  return [
    page("/users", "owner", async (c, { session }) => {
      const list = await members.list(actorOf(session));
      const shown = (
        <UsersPage
          frame={frameOf(c, about)}
          users={list.map((member) => rowOf(member, session.user.id))}
          timeZone={session.user.timeZone}
          done={DONE[c.req.query("done") ?? ""]}
        />
      );
      return respondPage(c, shown);
    }),

    page("/users/new", "owner", (c, visitor) => {
      const { timeZone } = visitor.session.user;
      return newUserForm(deps, c, visitor, { email: "", role: "viewer", timeZone }, {});
    }),

    action("/users", "owner", (c, visitor) => addUser(deps, c, visitor)),

    page("/users/:id", "owner", (c, visitor) => showUser(deps, refuse, c, visitor)),

    action(
      "/users/:id/role",
      "owner",
      change("role", async (c, { session }, id) => {
        const { role } = await readFields(c, "role");
        return members.setRole(actorOf(session), id, role);
      }),
    ),

    action("/users/:id/reset", "owner", async (c, visitor) => {
      const id = idOf<UserId>(c.req.param("id"));
      if (id === undefined) return refuse(c, NOT_FOUND);
      const outcome = await members.reset(actorOf(visitor.session), id);
      if (!outcome.ok) return showUser(deps, refuse, c, visitor, outcome);
      return showLink(deps, c, outcome.link, "The password is reset");
    }),

    action(
      "/users/:id/disable",
      "owner",
      change("disabled", (_c, { session }, id) => members.setDisabled(actorOf(session), id, true)),
    ),

    action(
      "/users/:id/enable",
      "owner",
      change("enabled", (_c, { session }, id) => members.setDisabled(actorOf(session), id, false)),
    ),
  ];
}

type Refused =
  MemberRefusal | { readonly ok: false; readonly reason: "refused"; readonly detail: string };

/** A change of one user: back to the user's page, or that page with the sentence. */
function changing(
  deps: WebDeps,
  refuse: Refuse,
  done: string,
  run: (c: WebContext, visitor: Visitor, id: UserId) => Promise<{ ok: true } | Refused>,
) {
  return async (c: WebContext, visitor: Visitor) => {
    const id = idOf<UserId>(c.req.param("id"));
    if (id === undefined) return refuse(c, NOT_FOUND);
    const outcome = await run(c, visitor, id);
    if (outcome.ok) return c.redirect(`/users/${id}?done=${done}`, 303);
    return showUser(deps, refuse, c, visitor, outcome);
  };
}

function rowOf(member: ListedMember, selfId: UserId): UserRow {
  return {
    id: member.id,
    email: member.email,
    role: member.role,
    createdAt: member.createdAt,
    isDisabled: member.disabledAt !== null,
    linkUntil: member.linkUntil,
    isSelf: member.id === selfId,
  };
}

async function showUser(
  { about, members }: WebDeps,
  refuse: Refuse,
  c: WebContext,
  { session, csrf }: Visitor,
  refused?: Refused,
) {
  const id = idOf<UserId>(c.req.param("id"));
  const member = id === undefined ? null : await members.find(actorOf(session), id);
  if (!member || refused?.reason === "unknown_user") return refuse(c, NOT_FOUND);
  const problem =
    refused?.reason === "refused" ? forForm(refused.detail) : refused && REFUSALS[refused.reason];
  const shown = (
    <UserPage
      frame={frameOf(c, about)}
      csrf={csrf}
      user={rowOf(member, session.user.id)}
      timeZone={session.user.timeZone}
      linkHours={LINK_HOURS}
      problem={problem}
      done={refused ? undefined : DONE[c.req.query("done") ?? ""]}
    />
  );
  return respondPage(c, shown, refused ? 422 : 200);
}

function newUserForm(
  { about }: WebDeps,
  c: WebContext,
  { csrf }: Visitor,
  fields: NewUserProps["fields"],
  problems: NewUserProps["problems"],
) {
  const shown = (
    <NewUserPage
      frame={frameOf(c, about)}
      csrf={csrf}
      fields={fields}
      problems={problems}
      timeZones={TIME_ZONES}
      passwordCharsMin={PASSWORD_CHARS_MIN}
      linkHours={LINK_HOURS}
    />
  );
  return respondPage(c, shown, Object.keys(problems).length > 0 ? 422 : 200);
}

async function addUser(deps: WebDeps, c: WebContext, visitor: Visitor) {
  const fields = await readFields(c, "email", "role", "timeZone", "password");
  const made = await deps.members.create(actorOf(visitor.session), fields);
  if (!made.ok) {
    return newUserForm(deps, c, visitor, fields, { [made.field]: forForm(made.detail) });
  }
  if (made.link === null) return c.redirect("/users?done=added", 303);
  return showLink(deps, c, made.link, "The user is added");
}

function showLink({ about, trust }: WebDeps, c: WebContext, link: string, title: string) {
  const origin = trust.publicUrl ?? new URL(c.req.url).origin;
  const shown = (
    <SecretPage
      frame={frameOf(c, about)}
      title={title}
      sentence="This link sets their password. It is shown this once; hand it over yourself."
      label="One-time link"
      secret={`${origin}/setup/${link}`}
      use={`It works once, within ${LINK_HOURS} hours. A new link closes this one.`}
      back={{ href: "/users", label: "Back to the users" }}
    />
  );
  return respondPage(c, shown);
}
