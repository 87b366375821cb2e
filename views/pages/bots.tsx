// The list of bots: filters, totals, the table that follows the workers, and what can be done with several at
// once. Rendered by web/routes/bots.tsx. Plain props in, HTML out.
import { type BotsLiveProps, BotsLive } from "../components/bots-table.tsx";
import { Alert, Done } from "../components/form.tsx";
import { type BarField, type Chip, Chips, FilterBar } from "../components/grid-filters.tsx";
import { EmptyState } from "../components/parts.tsx";
import { type Frame, Layout } from "../layout.tsx";

/** Props of the page. */
export type BotsPageProps = {
  readonly frame: Frame;
  readonly fields: readonly BarField[];
  readonly kept: readonly (readonly [name: string, value: string])[];
  readonly chips: readonly Chip[];
  readonly live: BotsLiveProps;
  /** Whether the workspace has any bot. */
  readonly hasBots: boolean;
  readonly mayTrade: boolean;
  readonly done: string | undefined;
  /** One sentence per bot that was left as it is. */
  readonly refused: readonly string[];
};

/** What can be asked of the selected bots, the harmless first. */
const ACTS: readonly (readonly [act: string, label: string, isDanger: boolean])[] = [
  ["running", "Start", false],
  ["paused", "Pause", false],
  ["stopped", "Stop…", true],
  ["flatten", "Flatten…", true],
  ["rename", "Rename…", false],
  ["delete", "Delete…", true],
];

function Acts() {
  return (
    <div class="grid-foot bot-acts">
      <span class="muted">With the selected bots:</span>
      {ACTS.map(([act, label, isDanger]) => (
        <button
          type="submit"
          form="grid-form"
          formaction="/bots/act"
          name="act"
          value={act}
          class={isDanger ? "danger" : "quiet"}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

function Nothing({ mayTrade }: Pick<BotsPageProps, "mayTrade">) {
  const action = { href: "/runs?status.in=finished", label: "Choose a run" };
  return (
    <EmptyState
      sentence="No bot yet. A bot trades the settings of a finished backtest on one of your accounts: open a run and choose “Create bot”."
      {...(mayTrade ? { action } : {})}
    />
  );
}

function Refused({ sentences }: { sentences: readonly string[] }) {
  if (sentences.length === 0) return null;
  const [only] = sentences;
  if (sentences.length === 1) return <Alert>{only}</Alert>;
  return (
    <div class="notice" role="alert">
      <p>{sentences.length} bots were left as they are:</p>
      <ul>
        {sentences.map((sentence) => (
          <li>{sentence}</li>
        ))}
      </ul>
    </div>
  );
}

/** `/bots` */
export function BotsPage(props: BotsPageProps) {
  const { frame, live, hasBots, mayTrade } = props;
  const suffix = live.query === "" ? "" : `?${live.query}`;
  const stream = {
    "hx-sse:connect": `/bots/stream${suffix}`,
    "hx-sse:close": "bots-ended",
    "hx-swap": "innerMorph",
  };
  return (
    <Layout title="Bots · Dragon" frame={frame} parts={["grid", "bots"]} isWide>
      <div class="title-row">
        <h1>Bots</h1>
        <div class="buttons">
          <a href="/help/bots">How bots work</a>
          {mayTrade && hasBots ? (
            <a class="button" href="/runs?status.in=finished">
              Create a bot from a run
            </a>
          ) : null}
        </div>
      </div>
      {props.done ? <Done>{props.done}</Done> : null}
      <Refused sentences={props.refused} />
      {hasBots ? (
        <>
          <FilterBar action="/bots" fields={props.fields} kept={props.kept} />
          <Chips chips={props.chips} clearHref="/bots" />
          <div id="bots-live" {...stream}>
            <BotsLive {...live} />
          </div>
          {mayTrade ? <Acts /> : null}
        </>
      ) : (
        <Nothing mayTrade={mayTrade} />
      )}
    </Layout>
  );
}
