// The form that stops trading, as part of the page of trading states and of the dialog behind `!` that every page has.
// Blocking and stopping happen at once; closing and freezing show their effect first and want a word.
import { CsrfField } from "./form.tsx";

/** Something that can be stopped. */
export type ScopeOption = { readonly value: string; readonly label: string };

/** Scopes of one kind. */
export type ScopeGroup = { readonly label: string; readonly options: readonly ScopeOption[] };

/** Scopes as groups of choices. */
export function ScopeGroups({ groups }: { groups: readonly ScopeGroup[] }) {
  return (
    <>
      {groups
        .filter(({ options }) => options.length > 0)
        .map(({ label, options }) => (
          <optgroup label={label}>
            {options.map((option) => (
              <option value={option.value}>{option.label}</option>
            ))}
          </optgroup>
        ))}
    </>
  );
}

const LEVELS = [
  {
    level: "stop",
    label: "Stop",
    effect: "Entries are cancelled and none is sent; protective stops stay and are kept right.",
  },
  {
    level: "block",
    label: "Block entries",
    effect: "Nothing is opened or enlarged; take-profits, exits and stops go on.",
  },
  {
    level: "flatten",
    label: "Flatten, then stop…",
    effect: "Orders are cancelled, positions closed at the market, then it is stopped.",
  },
  {
    level: "freeze",
    label: "Freeze now…",
    effect: "Nothing is sent or cancelled any more; what rests at the exchange can still fill.",
  },
] as const;

/** The form; `id` tells its fields apart where a page has two. */
export function KillForm(props: {
  id: string;
  csrf: string;
  /** Null loads them when the dialog around it is opened. */
  groups: readonly ScopeGroup[] | null;
  isFocused?: boolean;
}) {
  const { id, csrf, groups, isFocused = false } = props;
  const late = {
    "hx-get": "/trading/scopes",
    "hx-trigger": "opened from:#kill once",
    "hx-swap": "beforeend",
  };
  return (
    <form method="post" action="/trading/kill" class="kill-form">
      <CsrfField csrf={csrf} />
      <div class="field">
        <label for={`${id}-scope`}>What</label>
        <select id={`${id}-scope`} name="scope" {...(groups === null ? late : {})}>
          <option value="global">Everything</option>
          <option value="live">Live accounts</option>
          {groups === null ? null : <ScopeGroups groups={groups} />}
        </select>
      </div>
      <div class="field">
        <label for={`${id}-reason`}>
          Why <span class="muted">(optional)</span>
        </label>
        <input id={`${id}-reason`} name="reason" maxlength={300} autocomplete="off" />
      </div>
      <ul class="kill-levels">
        {LEVELS.map(({ level, label, effect }) => (
          <li>
            <button
              type="submit"
              name="level"
              value={level}
              class="danger"
              autofocus={isFocused && level === "stop"}
              aria-describedby={`${id}-${level}`}
            >
              {label}
            </button>
            <p class="muted small" id={`${id}-${level}`}>
              {effect}
            </p>
          </li>
        ))}
      </ul>
    </form>
  );
}

/** The dialog behind `!`. */
export function KillDialog({ csrf }: { csrf: string }) {
  return (
    <dialog id="kill" class="dialog" aria-labelledby="kill-title">
      <div class="title-row">
        <h2 id="kill-title">Stop trading</h2>
        <button type="button" class="quiet" data-closes>
          Close
        </button>
      </div>
      <KillForm id="kill" csrf={csrf} groups={null} isFocused />
    </dialog>
  );
}
