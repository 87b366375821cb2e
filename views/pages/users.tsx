// The people of a workspace, for owners: the list and the form for a new user. Rendered by
// web/routes/users.tsx.
import {
  CsrfField,
  Done,
  PasswordField,
  SelectField,
  TextField,
  zoneOptions,
} from "../components/form.tsx";
import { date, dateTime } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";
import { passwordHint } from "./setup.tsx";

/** A user as a row. */
export type UserRow = {
  readonly id: number;
  readonly email: string;
  readonly role: string;
  readonly createdAt: number;
  readonly isDisabled: boolean;
  /** End of the open one-time link. */
  readonly linkUntil: number | null;
  readonly isSelf: boolean;
};

/** Where a user stands, as a pill. */
export function UserState({ user }: { user: UserRow }) {
  if (user.isDisabled) return <span class="pill red">disabled</span>;
  if (user.linkUntil !== null) return <span class="pill amber">link open</span>;
  return <span class="pill green">active</span>;
}

/** Props of the list. */
export type UsersProps = {
  readonly frame: Frame;
  readonly users: readonly UserRow[];
  readonly timeZone: string;
  readonly done?: string | undefined;
};

function UserTable({ users, timeZone }: UsersProps) {
  return (
    <div class="card table-card">
      <table>
        <thead>
          <tr>
            <th scope="col">E-mail</th>
            <th scope="col">Role</th>
            <th scope="col">State</th>
            <th scope="col" class="wide-only">
              Since
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr>
              <td class="breakable">
                <a href={`/users/${user.id}`}>{user.email}</a>
                {user.isSelf ? <span class="muted"> (you)</span> : null}
              </td>
              <td>{user.role}</td>
              <td>
                <UserState user={user} />
              </td>
              <td class="wide-only number">{date(user.createdAt, timeZone)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The page at `/users`. */
export function UsersPage(props: UsersProps) {
  return (
    <Layout title="Users · Dragon" frame={props.frame}>
      <div class="title-row">
        <h1>Users</h1>
        <a class="button" href="/users/new">
          Add a user
        </a>
      </div>
      {props.done ? <Done>{props.done}</Done> : null}
      <UserTable {...props} />
      {props.users.length === 1 ? (
        <p class="muted">You are the only one. Traders work with bots, viewers only look.</p>
      ) : null}
    </Layout>
  );
}

/** Props of the form. */
export type NewUserProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly fields: { readonly email: string; readonly role: string; readonly timeZone: string };
  readonly problems: Readonly<Record<string, string | undefined>>;
  readonly timeZones: readonly string[];
  readonly passwordCharsMin: number;
  readonly linkHours: number;
};

/** The page at `/users/new`. */
export function NewUserPage({ frame, csrf, fields, problems, ...props }: NewUserProps) {
  return (
    <Layout title="Add a user · Dragon" frame={frame}>
      <h1>Add a user</h1>
      <form class="card form" method="post" action="/users">
        <CsrfField csrf={csrf} />
        <TextField
          id="email"
          label="E-mail"
          type="email"
          autocomplete="off"
          maxlength={254}
          value={fields.email}
          problem={problems.email}
          hint="The name for signing in. Dragon sends no mail to it."
        />
        <SelectField
          id="role"
          label="Role"
          value={fields.role}
          options={[
            { value: "viewer", label: "viewer: only looks" },
            { value: "trader", label: "trader: also manages bots" },
          ]}
          problem={problems.role}
        />
        <SelectField
          id="timeZone"
          label="Time zone"
          value={fields.timeZone}
          options={zoneOptions(props.timeZones)}
          problem={problems.timeZone}
        />
        <PasswordField
          id="password"
          label="Password (optional)"
          isOptional
          hint={`Leave it empty to get a one-time link, valid ${props.linkHours} hours, with which they set their own. ${passwordHint(props.passwordCharsMin)}`}
          problem={problems.password}
          autocomplete="new-password"
          min={props.passwordCharsMin}
        />
        <p class="buttons">
          <button type="submit">Add user</button>
          <a href="/users">Cancel</a>
        </p>
      </form>
    </Layout>
  );
}

/** When a link ends, as a sentence. */
export function linkSentence(linkUntil: number, timeZone: string): string {
  return `A one-time link is open until ${dateTime(linkUntil, timeZone)}.`;
}
