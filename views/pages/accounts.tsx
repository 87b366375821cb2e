// Accounts at exchanges: the list and where each of them stands. Rendered by web/routes/accounts.tsx.
import { Done } from "../components/form.tsx";
import { EmptyState } from "../components/parts.tsx";
import { age } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";
import { type AccountState, StatePills, TestPill, type TestVerdict } from "./accounts-parts.tsx";

/** An account as a row. */
export type AccountRow = AccountState & {
  readonly id: number;
  readonly name: string;
  readonly exchange: string;
  /** Null for accounts that need no keys. */
  readonly maskedKey: string | null;
  readonly lastUsedAt: number | null;
  readonly test: TestVerdict;
  readonly testedAt: number | null;
};

/** Props of the list. */
export type AccountsProps = {
  readonly frame: Frame;
  readonly accounts: readonly AccountRow[];
  readonly now: number;
  readonly canAdd: boolean;
  readonly done?: string | undefined;
};

function AccountTable({ accounts, now }: AccountsProps) {
  return (
    <div class="card table-card">
      <table>
        <thead>
          <tr>
            <th scope="col">Account</th>
            <th scope="col">State</th>
            <th scope="col" class="wide-only">
              Key
            </th>
            <th scope="col" class="wide-only">
              Last test
            </th>
            <th scope="col" class="wide-only">
              Key last used
            </th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => (
            <tr>
              <td class="breakable">
                <a href={`/accounts/${account.id}`}>{account.name}</a>
                <br />
                <span class="muted small">{account.exchange}</span>
              </td>
              <td>
                <StatePills {...account} />
              </td>
              <td class="wide-only">
                {account.maskedKey === null ? (
                  <span class="muted">none needed</span>
                ) : (
                  <code>{account.maskedKey}</code>
                )}
              </td>
              <td class="wide-only">
                <TestPill verdict={account.test} />{" "}
                {account.testedAt === null ? null : (
                  <span class="muted small">{age(account.testedAt, now)}</span>
                )}
              </td>
              <td class="wide-only number">{age(account.lastUsedAt, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The page at `/accounts`. */
export function AccountsPage(props: AccountsProps) {
  const { accounts, canAdd } = props;
  return (
    <Layout title="Exchange accounts · Dragon" frame={props.frame}>
      <div class="title-row">
        <h1>Exchange accounts</h1>
        {canAdd && accounts.length > 0 ? (
          <a class="button" href="/accounts/new">
            Add an account
          </a>
        ) : null}
      </div>
      {props.done ? <Done>{props.done}</Done> : null}
      {accounts.length > 0 ? (
        <AccountTable {...props} />
      ) : (
        <EmptyState
          sentence={
            canAdd
              ? "No account yet. An account joins the keys of an exchange with limits on what may be lost there."
              : "No account yet. An owner of this workspace adds accounts."
          }
          {...(canAdd ? { action: { href: "/accounts/new", label: "Add an account" } } : {})}
        />
      )}
      <p class="muted">
        <a href="/help/accounts">How keys are made, sealed and tested</a>
      </p>
    </Layout>
  );
}
