// The settings tab of a run: its documents as they went into the engine, what differs from the
// defaults marked, and the files of `dragon backtest`. Rendered by run-panel.tsx.
import { timeframe } from "../format.ts";

/** One document. */
export type SettingGroup = {
  readonly name: "config" | "run" | "instrument";
  readonly title: string;
  readonly rows: readonly {
    readonly path: string;
    readonly value: string;
    /** The default; null where there is none. */
    readonly usual: string | null;
    readonly isChanged: boolean;
  }[];
  /** The document as JSON. */
  readonly text: string;
};

/** Props of the tab. */
export type SettingsProps = {
  readonly runId: number;
  readonly groups: readonly SettingGroup[];
  /** Hash of the strategy's config. */
  readonly configHash: string;
  readonly engineVersion: string;
  readonly strategy: string;
  readonly candlesFingerprint: string | null;
  readonly fillsDigest: string | null;
  /** The file of the stored candles; null when the series is gone. */
  readonly candlesHref: string | null;
  /** Minutes of a stored candle; the run may have joined several to one. */
  readonly candlesMin: number;
  readonly timeframeMin: number;
  readonly withFunding: boolean;
};

function Rows({ group }: { group: SettingGroup }) {
  return (
    <table class="dense settings">
      <thead>
        <tr>
          <th>Setting</th>
          <th>Value</th>
          <th>Default</th>
        </tr>
      </thead>
      <tbody>
        {group.rows.map(({ path, value, usual, isChanged }) => (
          <tr class={isChanged ? "is-changed" : undefined}>
            <th scope="row">
              <code>{path}</code>
            </th>
            <td>
              {value}
              {isChanged ? <span class="pill amber">changed</span> : null}
            </td>
            <td class="muted">{usual ?? "—"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Document({ runId, group }: { runId: number; group: SettingGroup }) {
  const id = `document-${group.name}`;
  return (
    <section class="card">
      <div class="title-row">
        <h3>{group.title}</h3>
        <div class="buttons">
          <button type="button" class="quiet" data-copies={id}>
            Copy JSON
          </button>
          <a
            class="button plain"
            href={`/runs/${runId}/${group.name}.json`}
            download={`${group.name}.json`}
          >
            Download
          </a>
        </div>
      </div>
      <Rows group={group} />
      <details>
        <summary>As JSON</summary>
        <pre id={id} tabindex={0}>
          {group.text}
        </pre>
      </details>
    </section>
  );
}

function CandleFile({ candlesHref, candlesMin, timeframeMin }: SettingsProps) {
  if (candlesHref === null) return <span class="muted">The candle series is gone.</span>;
  return (
    <>
      <a class="button plain" href={candlesHref} download="candles.csv">
        candles.csv
      </a>
      {candlesMin === timeframeMin ? null : (
        <span class="muted">
          These are candles of {timeframe(candlesMin)}; the command wants a file of{" "}
          {timeframe(timeframeMin)}.
        </span>
      )}
    </>
  );
}

function Files(props: SettingsProps) {
  const funding = props.withFunding ? " --funding funding.csv" : "";
  return (
    <section class="card">
      <h3>The same run on the command line</h3>
      <p class="muted">
        Download the files into one folder; the result is the same to the last bit. The candle file
        holds everything stored before the window too: that is the warm-up.
        {props.withFunding ? " The funding rates are exported on the Candles page." : null}
      </p>
      <p class="buttons">
        {(["config", "instrument", "run"] as const).map((name) => (
          <a
            class="button plain"
            href={`/runs/${props.runId}/${name}.json`}
            download={`${name}.json`}
          >
            {name}.json
          </a>
        ))}
        <CandleFile {...props} />
      </p>
      <pre class="wraps" tabindex={0}>
        {`dragon backtest --candles candles.csv --config config.json --instrument instrument.json --run run.json${funding} --json`}
      </pre>
    </section>
  );
}

function Identity(props: SettingsProps) {
  const rows: [string, string | null][] = [
    ["Strategy", props.strategy],
    ["Engine", props.engineVersion],
    ["Config (SHA-256)", props.configHash],
    ["Candles (SHA-256)", props.candlesFingerprint],
    ["Fills (SHA-256)", props.fillsDigest],
  ];
  return (
    <dl class="facts identity">
      {rows.map(([label, value]) => (
        <div>
          <dt>{label}</dt>
          <dd>
            <code>{value ?? "—"}</code>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** The tab "Settings". */
export function RunSettings(props: SettingsProps) {
  const [strategy, ...others] = props.groups;
  return (
    <>
      <Identity {...props} />
      <div class="columns">
        <div>{strategy ? <Document runId={props.runId} group={strategy} /> : null}</div>
        <div>
          {others.map((group) => (
            <Document runId={props.runId} group={group} />
          ))}
          <Files {...props} />
        </div>
      </div>
    </>
  );
}
