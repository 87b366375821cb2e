// The card that takes a file from this computer. Part of the candles page; static/candles.js sends the
// file, because a form would send it as a part of a longer body.
import { Field } from "../components/form.tsx";
import { type ExchangeGroups, MARKETS, TIMEFRAMES } from "./candle-fields.ts";

/** The card with the file; its fields travel in the address, the file is the whole body. */
export function ImportCard(props: {
  csrf: string;
  isOpen: boolean;
  exchanges: ExchangeGroups;
  fileBytesMax: number;
  fileSizeMax: string;
}) {
  const { first, others } = props.exchanges;
  return (
    <details class="card add" id="import" open={props.isOpen}>
      <summary>Import a file</summary>
      <form
        id="import-form"
        action="/candles/import"
        data-csrf={props.csrf}
        data-bytes-max={props.fileBytesMax}
        data-size-max={props.fileSizeMax}
      >
        <label class="drop" for="file">
          <span class="drop-title" id="file-name">
            Drop a CSV here or choose a file
          </span>
          <span class="small muted">
            Plain or gzip, up to {props.fileSizeMax}:{" "}
            <code>timestamp_ms,open,high,low,close,volume</code> or{" "}
            <code>timestamp_ms,funding_rate</code>
          </span>
          <input id="file" name="file" type="file" accept=".csv,.gz,text/csv" required />
        </label>
        <div class="pair">
          <Field id="fileSymbol" label="Symbol">
            <input id="fileSymbol" name="symbol" required autocomplete="off" maxlength={70} />
          </Field>
          <Field id="fileExchange" label="Exchange">
            <input
              id="fileExchange"
              name="exchange"
              list="exchange-names"
              required
              autocomplete="off"
              maxlength={40}
            />
            <datalist id="exchange-names">
              {[...first, ...others].map((id) => (
                <option value={id}></option>
              ))}
            </datalist>
          </Field>
        </div>
        <div class="pair">
          <Field id="fileMarket" label="Market">
            <select id="fileMarket" name="market">
              {MARKETS.map(({ value, label }) => (
                <option value={value}>{label}</option>
              ))}
            </select>
          </Field>
          <Field id="fileTimeframe" label="Timeframe">
            <select id="fileTimeframe" name="timeframe">
              <option value="">told from the file</option>
              {TIMEFRAMES.map((each) => (
                <option value={each}>{each}</option>
              ))}
            </select>
          </Field>
        </div>
        <noscript>
          <p class="problem">Sending a file from this page needs JavaScript.</p>
        </noscript>
        <p class="buttons">
          <button type="submit">Import</button>
          <button type="button" class="quiet" id="import-stop" hidden>
            Stop
          </button>
        </p>
        <div id="import-progress" class="sending" hidden>
          <progress aria-label="Sending the file" max={1} value={0}></progress>
          <p class="small muted" role="status"></p>
        </div>
      </form>
      <div id="import-result" aria-live="polite"></div>
    </details>
  );
}
