// The tab "Config" of a bot: what may be changed now and why the rest must wait, every version with what it
// changed, and the way back to it. Rendered by pages/bot.tsx.
import { dateTime } from "../format.ts";
import { ActionButton, Alert, ariaOf, CsrfField, Field } from "./form.tsx";
import { Scroll } from "./run-tables.tsx";

/** A field of the form. */
export type ConfigField = {
  readonly path: string;
  readonly label: string;
  readonly group: string;
  readonly unit: string | null;
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly label: string }[] | null;
  readonly groupHint: string;
  /** Why fields of the group are closed; null while none is. */
  readonly groupWaits: string | null;
  readonly hint: string | undefined;
  /** False while an open cycle was counted by it. */
  readonly isOpen: boolean;
  readonly problem: string | undefined;
};

/** A version and what it changed. */
export type ShownVersion = {
  readonly version: number;
  readonly at: number;
  readonly actor: string;
  readonly note: string;
  readonly changes: readonly {
    readonly path: string;
    readonly before: string | null;
    readonly after: string | null;
  }[];
};

/** Props of the tab. */
export type BotConfigProps = {
  readonly botId: number;
  readonly csrf: string;
  readonly timeZone: string;
  readonly mayTrade: boolean;
  readonly version: number;
  readonly fields: readonly ConfigField[];
  readonly versions: readonly ShownVersion[];
  /** The whole document. */
  readonly json: string;
  readonly problem: string | undefined;
};

/** Ids of fields may not hold dots where a selector names them. */
const idOf = (path: string) => path.replaceAll(".", "-");
const waitsId = (group: string) => `waits-${group.toLowerCase().replaceAll(" ", "-")}`;

function Control({ field, mayTrade }: { field: ConfigField; mayTrade: boolean }) {
  const { path, label, unit, value, options, hint, isOpen, problem } = field;
  const id = idOf(path);
  const waits = isOpen ? undefined : { "aria-describedby": waitsId(field.group) };
  const aria = { ...ariaOf({ id, label, hint, problem }), ...waits };
  const common = { id, name: path, disabled: !isOpen || !mayTrade, ...aria };
  return (
    <Field id={id} label={label} hint={hint} problem={problem} {...(unit === null ? {} : { unit })}>
      {options === null ? (
        <input {...common} value={value} inputmode="decimal" autocomplete="off" />
      ) : (
        <select {...common}>
          {options.map((option) => (
            <option value={option.value} selected={option.value === value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function GroupHint({ field }: { field: ConfigField | undefined }) {
  if (field === undefined) return null;
  const { group, groupHint, groupWaits } = field;
  return (
    <>
      <p class="muted small">{groupHint}</p>
      {groupWaits === null ? null : (
        <p class="small waits" id={waitsId(group)}>
          {groupWaits}
        </p>
      )}
    </>
  );
}

function Form(props: BotConfigProps) {
  const { botId, csrf, version, fields, mayTrade, problem } = props;
  const groups = [...new Set(fields.map(({ group }) => group))];
  return (
    <form method="post" action={`/bots/${botId}/config`} class="card config-form">
      <CsrfField csrf={csrf} />
      <input type="hidden" name="seenVersion" value={String(version)} />
      <h2>Change settings</h2>
      <p class="muted small">A change is a new version; the worker takes it up within seconds.</p>
      {problem ? <Alert>{problem}</Alert> : null}
      {groups.map((group) => (
        <fieldset>
          <legend>{group}</legend>
          <GroupHint field={fields.find((field) => field.group === group)} />
          <div class="config-fields">
            {fields
              .filter((field) => field.group === group)
              .map((field) => (
                <Control field={field} mayTrade={mayTrade} />
              ))}
          </div>
        </fieldset>
      ))}
      {mayTrade ? (
        <>
          <Field id="note" label="Note" hint="Why, for whoever reads the versions.">
            <input id="note" name="note" maxlength={200} autocomplete="off" />
          </Field>
          <button type="submit">Save as version {version + 1}</button>
        </>
      ) : null}
    </form>
  );
}

function Changes({ changes }: { changes: ShownVersion["changes"] }) {
  if (changes.length === 0) return <span class="muted">the first version</span>;
  return (
    <ul class="changes">
      {changes.map(({ path, before, after }) => (
        <li>
          <code>{path.replace("strategy.", "")}</code> {before ?? "absent"} → {after ?? "absent"}
        </li>
      ))}
    </ul>
  );
}

function Versions({ botId, csrf, versions, version, timeZone, mayTrade }: BotConfigProps) {
  return (
    <Scroll label="Versions">
      <table class="dense">
        <thead>
          <tr>
            <th>Version</th>
            <th>When and who</th>
            <th>What it changed</th>
            {mayTrade ? <th>Back</th> : null}
          </tr>
        </thead>
        <tbody>
          {versions.map((each) => (
            <tr>
              <td>{each.version}</td>
              <td>
                {dateTime(each.at, timeZone)}
                <br />
                <span class="muted">{each.actor}</span>
              </td>
              <td>
                <Changes changes={each.changes} />
                {each.note === "" ? null : <p class="muted small">{each.note}</p>}
              </td>
              {mayTrade ? (
                <td>
                  {each.version === version ? (
                    <span class="pill green">in force</span>
                  ) : (
                    <ActionButton
                      action={`/bots/${botId}/undo/${each.version}`}
                      csrf={csrf}
                      label="Go back"
                      about={`to version ${each.version}`}
                    />
                  )}
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The tab. */
export function BotConfigTab(props: BotConfigProps) {
  return (
    <>
      <Form {...props} />
      <h2 class="section">Versions</h2>
      <Versions {...props} />
      <details class="card">
        <summary>Everything in force, as JSON</summary>
        <div class="buttons">
          <button type="button" class="quiet" data-copies="config-json">
            Copy JSON
          </button>
        </div>
        <pre id="config-json" tabindex={0}>
          {props.json}
        </pre>
      </details>
    </>
  );
}
