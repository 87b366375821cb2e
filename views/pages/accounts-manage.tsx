// What an owner changes about an account: name, keys, limits, deletion. Parts of the page of
// accounts-detail.tsx. Keys that were typed are never sent back.
import { CsrfField, TextField } from "../components/form.tsx";
import { TypedConfirm } from "../components/parts.tsx";
import { KeyFields, OpenField } from "./accounts-parts.tsx";

/** One limit, as a field and as text. */
export type LimitField = {
  readonly id: string;
  readonly label: string;
  readonly unit: "USD" | "%";
  /** As typed or stored; empty for no limit. */
  readonly value: string;
  /** e.g. `$1,000.00` or `no limit`. */
  readonly shown: string;
  readonly hint?: string;
};

/** What these forms need. */
export type ManageProps = {
  readonly id: number;
  readonly csrf: string;
  readonly name: string;
  readonly exchangeName: string;
  readonly permissions: string;
  readonly needsPassphrase: boolean;
  readonly nameCharsMax: number;
  readonly keyCharsMax: number;
  readonly limits: readonly LimitField[];
  /** One sentence per refused field. */
  readonly problems: Readonly<Record<string, string | undefined>>;
  /** What was typed as a new name and refused. */
  readonly typedName?: string | undefined;
};

/** Another name. */
export function RenameForm({ id, csrf, name, typedName, nameCharsMax, problems }: ManageProps) {
  return (
    <form class="card form" method="post" action={`/accounts/${id}/rename`}>
      <h2>Name</h2>
      <CsrfField csrf={csrf} />
      <TextField
        id="name"
        label="Name of the account"
        autocomplete="off"
        value={typedName ?? name}
        maxlength={nameCharsMax}
        problem={problems.name}
      />
      <button type="submit">Save name</button>
    </form>
  );
}

/** Other keys; open when the last try was refused. */
export function KeysForm(props: Omit<ManageProps, "name">) {
  const { id, csrf, exchangeName, permissions, problems } = props;
  const isRefused = ["apiKey", "apiSecret", "passphrase"].some((field) => problems[field]);
  return (
    <details open={isRefused}>
      <summary>Replace the keys…</summary>
      <form method="post" action={`/accounts/${id}/keys`}>
        <CsrfField csrf={csrf} />
        <p class="muted small">
          The new keys are tested first; only then the former ones are removed. At {exchangeName}{" "}
          allow {permissions}, never withdrawals.
        </p>
        <KeyFields {...props} />
        <button type="submit">Test and replace</button>
      </form>
    </details>
  );
}

/** What the account may lose and hold. */
export function LimitsForm({ id, csrf, limits, problems }: ManageProps) {
  return (
    <form class="card form" method="post" action={`/accounts/${id}/limits`}>
      <h2>Limits</h2>
      <CsrfField csrf={csrf} />
      <p class="muted small">
        They hold for everything that trades here together. Empty is no limit.
      </p>
      {limits.map(({ id: field, label, unit, value, hint }) => (
        <OpenField
          id={field}
          label={label}
          unit={unit}
          type="text"
          inputmode="decimal"
          value={value}
          maxlength={24}
          hint={hint}
          problem={problems[field]}
        />
      ))}
      <button type="submit">Save limits</button>
    </form>
  );
}

/** Deletion behind the account's name. */
export function DangerCard({ id, csrf, name, problems }: ManageProps) {
  return (
    <TypedConfirm
      action={`/accounts/${id}/delete`}
      csrf={csrf}
      label="Delete account"
      word={name}
      effect="Removes the account from every list and its keys from the database for good. What it traded stays on record. End the key at the exchange as well."
      problem={problems.confirm}
    />
  );
}
