// A new account in two steps: where and how it trades, then its name and keys. Rendered by
// web/routes/accounts.tsx. Keys are posted, never part of an address, and never shown again.
import { Alert, CsrfField, SelectField, TextField } from "../components/form.tsx";
import { type Frame, Layout } from "../layout.tsx";
import { type CheckRow, CheckList, KeyFields } from "./accounts-parts.tsx";

type Option = { readonly value: string; readonly label: string };
type Problems = Readonly<Record<string, string | undefined>>;

/** Props of the first step. */
export type AccountPlaceProps = {
  readonly frame: Frame;
  readonly exchanges: readonly Option[];
  readonly exchange: string;
  readonly mode: string;
  readonly problems: Problems;
};

const MODES: readonly Option[] = [
  { value: "live", label: "live: real money, with keys of the exchange" },
  { value: "paper", label: "paper: live prices, simulated fills, no keys" },
  { value: "demo", label: "demo: the simulated exchange" },
];

/** The page at `/accounts/new` before exchange and mode are chosen. */
export function AccountPlacePage({
  frame,
  exchanges,
  exchange,
  mode,
  problems,
}: AccountPlaceProps) {
  return (
    <Layout title="Add an account · Dragon" frame={frame}>
      <p class="crumb">
        <a href="/accounts">Exchange accounts</a>
      </p>
      <h1>Add an account</h1>
      <form class="card form" method="get" action="/accounts/new">
        <SelectField
          id="exchange"
          label="Exchange"
          value={exchange}
          options={exchanges}
          problem={problems.exchange}
        />
        <SelectField id="mode" label="Mode" value={mode} options={MODES} problem={problems.mode} />
        <p class="buttons">
          <button type="submit">Continue</button>
          <a href="/accounts">Cancel</a>
        </p>
      </form>
    </Layout>
  );
}

/** Props of the second step. */
export type NewAccountProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly exchange: string;
  readonly exchangeName: string;
  readonly mode: string;
  readonly needsKeys: boolean;
  readonly needsPassphrase: boolean;
  /** What the key must be allowed to do, in the exchange's words. */
  readonly permissions: string;
  readonly name: string;
  readonly nameCharsMax: number;
  readonly keyCharsMax: number;
  readonly problems: Problems;
  /** Why the exchange's answer was not good enough, with all its checks. */
  readonly refused?:
    { readonly sentence: string; readonly checks: readonly CheckRow[] } | undefined;
};

/** How a good key is made; shown beside every form that takes one. */
export function KeyAdvice(props: Pick<NewAccountProps, "exchangeName" | "permissions">) {
  return (
    <section class="card">
      <h2>A good key</h2>
      <ul>
        <li>
          At {props.exchangeName} allow <strong>{props.permissions}</strong>, nothing else.
        </li>
        <li>Never allow withdrawals: Dragon refuses such keys where the exchange tells.</li>
        <li>Restrict the key to the address of this machine where the exchange offers it.</li>
        <li>Make a key for Dragon alone, so that you can end it without touching anything else.</li>
      </ul>
    </section>
  );
}

/** What a test of keys found that kept them from being stored. */
export function Refused({ sentence, checks }: { sentence: string; checks: readonly CheckRow[] }) {
  return (
    <>
      <Alert>Nothing was stored. {sentence}</Alert>
      <section class="card">
        <h2>What the exchange answered</h2>
        <CheckList checks={checks} />
      </section>
    </>
  );
}

/** The page at `/accounts/new` once exchange and mode are chosen. */
export function NewAccountPage(props: NewAccountProps) {
  const { exchange, exchangeName, mode, problems, refused, needsKeys } = props;
  return (
    <Layout title="Add an account · Dragon" frame={props.frame}>
      <p class="crumb">
        <a href="/accounts">Exchange accounts</a>
      </p>
      <h1>Add an account</h1>
      <p class="lead">
        {exchangeName}, {mode} · <a href="/accounts/new">change</a>
      </p>
      {refused ? <Refused {...refused} /> : null}
      {problems.form ? <Alert>{problems.form}</Alert> : null}
      <div class="columns">
        <form class="card form" method="post" action="/accounts">
          <CsrfField csrf={props.csrf} />
          <input type="hidden" name="exchange" value={exchange} />
          <input type="hidden" name="mode" value={mode} />
          <TextField
            id="name"
            label="Name"
            autocomplete="off"
            value={props.name}
            maxlength={props.nameCharsMax}
            hint="For you, e.g. what the account is for."
            problem={problems.name}
          />
          {needsKeys ? <KeyFields {...props} /> : null}
          <p class="muted small">
            {needsKeys
              ? "The keys are tested first. They are stored sealed and never shown again."
              : "A paper account reads public prices and needs no keys."}
          </p>
          <p class="buttons">
            <button type="submit">{needsKeys ? "Test and add" : "Add account"}</button>
            <a href="/accounts">Cancel</a>
          </p>
        </form>
        {needsKeys ? <KeyAdvice {...props} /> : null}
      </div>
    </Layout>
  );
}
