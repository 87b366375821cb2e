// The form that begins a download from an exchange. Part of the candles page, and the answer to itself
// when something is wrong with it.
import { Alert, CsrfField, Field, SelectField, TextField } from "../components/form.tsx";
import { type ExchangeGroups, MARKETS, TIMEFRAMES } from "./candle-fields.ts";

/** The fields of the download form as typed. */
export type DownloadFields = Readonly<
  Record<
    | "exchange"
    | "symbol"
    | "market"
    | "timeframe"
    | "range"
    | "days"
    | "from"
    | "until"
    | "candles"
    | "funding",
    string
  >
>;

/** One sentence per refused field; `content` is about both ticks. */
export type DownloadProblems = Readonly<Partial<Record<keyof DownloadFields | "content", string>>>;

const SYMBOL_HINT = "BTC/USDT, BTC/USDT:USDT, PERP_BTC_USDT or BTC_PERP.";

/** Props of the download form. */
export type DownloadFormProps = {
  readonly csrf: string;
  readonly exchanges: ExchangeGroups;
  readonly fields: DownloadFields;
  readonly problems: DownloadProblems;
};

function ExchangeField({ exchanges, fields, problems }: DownloadFormProps) {
  const group = (label: string, ids: readonly string[]) => (
    <optgroup label={label}>
      {ids.map((id) => (
        <option value={id} selected={id === fields.exchange}>
          {id}
        </option>
      ))}
    </optgroup>
  );
  return (
    <Field id="exchange" label="Exchange" problem={problems.exchange}>
      <select id="exchange" name="exchange" aria-invalid={problems.exchange ? "true" : undefined}>
        {group("Known well", exchanges.first)}
        {group("All others", exchanges.others)}
      </select>
    </Field>
  );
}

function RangeField({ fields, problems }: DownloadFormProps) {
  const isDates = fields.range === "dates";
  const dated = (name: "from" | "until", label: string) => (
    <Field id={name} label={label} problem={problems[name]}>
      <input
        id={name}
        name={name}
        type="date"
        value={fields[name]}
        aria-invalid={problems[name] ? "true" : undefined}
      />
    </Field>
  );
  return (
    <fieldset>
      <legend>How much</legend>
      <div class="choices">
        <label>
          <input type="radio" name="range" value="last" checked={!isDates} /> The last days
        </label>
        <label>
          <input type="radio" name="range" value="dates" checked={isDates} /> Between two days
        </label>
      </div>
      <div class="when-last">
        <TextField
          id="days"
          label="Days"
          type="number"
          min={1}
          max={10_000}
          value={fields.days}
          problem={problems.days}
        />
      </div>
      <div class="pair when-dates">
        {dated("from", "From")}
        {dated("until", "Until")}
        <p class="hint small muted">
          Days in UTC; the last one is not included, and without one it goes on to now.
        </p>
      </div>
    </fieldset>
  );
}

/** The form that begins a download; it is its own answer when something is wrong. */
export function DownloadForm(props: DownloadFormProps) {
  const { csrf, fields, problems } = props;
  const tick = (name: "candles" | "funding", label: string) => (
    <label>
      <input type="checkbox" name={name} value="yes" checked={fields[name] !== ""} /> {label}
    </label>
  );
  return (
    <form
      id="download-form"
      method="post"
      action="/candles/download"
      hx-post="/candles/download"
      hx-swap="outerHTML"
      novalidate
    >
      <CsrfField csrf={csrf} />
      {problems.content ? <Alert>{problems.content}</Alert> : null}
      <div class="pair">
        <TextField
          id="symbol"
          label="Symbol"
          maxlength={70}
          autocomplete="off"
          value={fields.symbol}
          problem={problems.symbol}
          hint={SYMBOL_HINT}
        />
        <ExchangeField {...props} />
      </div>
      <div class="pair">
        <SelectField
          id="market"
          label="Market"
          value={fields.market}
          options={MARKETS}
          problem={problems.market}
        />
        <SelectField
          id="timeframe"
          label="Timeframe"
          value={fields.timeframe}
          options={TIMEFRAMES.map((value) => ({ value, label: value }))}
          problem={problems.timeframe}
        />
      </div>
      <RangeField {...props} />
      <fieldset>
        <legend>What</legend>
        <div class="choices">
          {tick("candles", "Candles")}
          {tick("funding", "Funding rates")}
        </div>
      </fieldset>
      <p class="buttons">
        <button type="submit">Download</button>
      </p>
    </form>
  );
}

/** The card around the download form. */
export function DownloadCard({ isOpen, ...form }: DownloadFormProps & { isOpen: boolean }) {
  return (
    <details class="card add" id="download" open={isOpen}>
      <summary>Download from an exchange</summary>
      <DownloadForm {...form} />
    </details>
  );
}
