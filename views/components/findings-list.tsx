// What does not agree with the exchange, each thing with what may be done about it. Rendered on the page of trading
// states and on the page of its account, with the page and again by its stream. Plain props in, HTML out.
import { CsrfField } from "./form.tsx";

/** One finding with what may be done about it. */
export type FindingRow = {
  readonly accountId: number;
  readonly account: string;
  readonly key: string;
  readonly title: string;
  readonly sentence: string;
  /** What taking it over means; empty where the reader cannot. */
  readonly adoption: string;
  readonly since: string;
  readonly choices: readonly { readonly choice: string; readonly label: string }[];
};

/** Props of the list. */
export type FindingsListProps = {
  readonly csrf: string;
  readonly findings: readonly FindingRow[];
  /** Where the reader goes back to; the name of the account stands on its own page already. */
  readonly from: "trading" | "account";
};

type ChoiceProps = {
  readonly csrf: string;
  readonly finding: FindingRow;
  readonly from: FindingsListProps["from"];
  readonly choice: FindingRow["choices"][number];
};

function ChoiceForm({ csrf, finding, from, choice: { choice, label } }: ChoiceProps) {
  return (
    <form method="post" action="/trading/settle" class="action">
      <CsrfField csrf={csrf} />
      <input type="hidden" name="account" value={finding.accountId} />
      <input type="hidden" name="finding" value={finding.key} />
      <input type="hidden" name="choice" value={choice} />
      <input type="hidden" name="from" value={from} />
      <button type="submit" class={choice === "flatten" ? "danger" : "quiet"}>
        {label}
      </button>
    </form>
  );
}

/** The findings, in the order they were found. */
export function FindingsList({ csrf, findings, from }: FindingsListProps) {
  return (
    <ul class="rows tight findings">
      {findings.map((finding) => (
        <li>
          <div class="row-title">
            <strong>
              {finding.title}
              {from === "trading" ? ` · ${finding.account}` : null}
            </strong>
            <p>{finding.sentence}</p>
            {finding.adoption === "" ? null : <p class="muted">{finding.adoption}</p>}
            <p class="muted small">since {finding.since}</p>
          </div>
          <div class="buttons">
            {finding.choices.map((choice) => (
              <ChoiceForm csrf={csrf} finding={finding} from={from} choice={choice} />
            ))}
          </div>
        </li>
      ))}
    </ul>
  );
}
