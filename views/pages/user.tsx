// One user, for owners: role, one-time link, disable. Rendered by web/routes/users.tsx.
import { ActionButton, Alert, CsrfField, Done, SelectField } from "../components/form.tsx";
import { dateTime } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";
import { linkSentence, type UserRow, UserState } from "./users.tsx";

/** Props of the page. */
export type UserProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly user: UserRow;
  readonly timeZone: string;
  readonly linkHours: number;
  readonly problem?: string | undefined;
  readonly done?: string | undefined;
};

const ROLES = [
  { value: "viewer", label: "viewer: only looks" },
  { value: "trader", label: "trader: also manages bots" },
  { value: "owner", label: "owner: also users and settings" },
];

function RoleForm({ user, csrf }: UserProps) {
  return (
    <form class="card form" method="post" action={`/users/${user.id}/role`}>
      <h2>Role</h2>
      <CsrfField csrf={csrf} />
      <SelectField id="role" label="What they may do" value={user.role} options={ROLES} />
      <p class="muted">A new role signs {user.isSelf ? "you" : "them"} out everywhere.</p>
      <button type="submit">Save role</button>
    </form>
  );
}

function ResetCard({ user, csrf, timeZone, linkHours }: UserProps) {
  return (
    <section class="card">
      <h2>One-time link</h2>
      {user.linkUntil === null ? null : <p>{linkSentence(user.linkUntil, timeZone)}</p>}
      <p class="muted">
        A new link lets them set a new password within {linkHours} hours. The present password, all
        their sessions and every earlier link stop working at once.
      </p>
      <ActionButton
        action={`/users/${user.id}/reset`}
        csrf={csrf}
        label="Reset and make a link"
        about={`for ${user.email}`}
      />
    </section>
  );
}

function DisableCard({ user, csrf }: UserProps) {
  const verb = user.isDisabled ? "enable" : "disable";
  return (
    <section class="card">
      <h2>{user.isDisabled ? "Let them in again" : "Keep them out"}</h2>
      <p class="muted">
        {user.isDisabled
          ? "They can sign in again with their password; their API tokens work again."
          : "Ends all sessions and stops all API tokens at once. Nothing is deleted."}
      </p>
      <ActionButton
        action={`/users/${user.id}/${verb}`}
        csrf={csrf}
        label={user.isDisabled ? "Enable user" : "Disable user"}
        about={user.email}
        tone={user.isDisabled ? "quiet" : "danger"}
      />
    </section>
  );
}

/** The page at `/users/:id`. */
export function UserPage(props: UserProps) {
  const { user, timeZone } = props;
  return (
    <Layout title={`${user.email} · Dragon`} frame={props.frame}>
      <p class="crumb">
        <a href="/users">Users</a>
      </p>
      <h1 class="breakable">{user.email}</h1>
      {props.done ? <Done>{props.done}</Done> : null}
      {props.problem ? <Alert>{props.problem}</Alert> : null}
      <p class="lead">
        <UserState user={user} /> {user.role}, since {dateTime(user.createdAt, timeZone)}
      </p>
      <div class="narrow">
        <RoleForm {...props} />
        {user.isSelf ? (
          <p class="muted">
            Your own password is changed on <a href="/account">your account</a>.
          </p>
        ) : (
          <>
            <ResetCard {...props} />
            <DisableCard {...props} />
          </>
        )}
      </div>
    </Layout>
  );
}
