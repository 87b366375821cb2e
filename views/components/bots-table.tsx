// The part of the page of bots that changes by itself: totals and the table. Rendered with the page and again
// by its stream; rows keep their ids, so that marks, focus and scrolling survive. Plain props in, HTML out.
import { type BotMode, BotRow, type BotRowView, ModePill } from "./bot-row.tsx";
import { CsrfField } from "./form.tsx";
import { type Kpi, KpiTiles } from "./parts.tsx";

/** Sums of one kind of money. */
export type BotTotalsView = {
  readonly mode: BotMode;
  readonly asset: string;
  readonly tiles: readonly Kpi[];
};

/** A heading that sorts. */
export type BotHead = {
  readonly key: string;
  readonly label: string;
  readonly about?: string;
  readonly isNumber?: boolean;
  /** Null where the list cannot be sorted by it. */
  readonly href: string | null;
  readonly sorted: "ascending" | "descending" | null;
};

/** Everything that changes by itself. */
export type BotsLiveProps = {
  readonly csrf: string;
  readonly totals: readonly BotTotalsView[];
  readonly heads: readonly BotHead[];
  /** When the oldest figures were taken that a worker keeps fresh; null while there are none. */
  readonly asOf: string | null;
  readonly rows: readonly BotRowView[];
  /** Rows that match; more than are shown when the list is cut. */
  readonly matching: number;
  /** Whether there are bots at all that the filters hide. */
  readonly hasOthers: boolean;
  readonly isSelectable: boolean;
  /** Query string to come back to. */
  readonly query: string;
};

function Totals({ totals }: Pick<BotsLiveProps, "totals">) {
  return (
    <div class="bot-totals">
      {totals.map(({ mode, asset: name, tiles }) => (
        <section aria-label={`All ${mode} bots in ${name}`}>
          <p class="bot-mode">
            <ModePill mode={mode} /> <span class="muted small">{name}</span>
          </p>
          <KpiTiles tiles={tiles} label={`Figures of ${mode} bots in ${name}`} />
        </section>
      ))}
    </div>
  );
}

const ARROWS = { ascending: " ▲", descending: " ▼" } as const;

function Head({ head }: { head: BotHead }) {
  const { key, label, about, href, sorted, isNumber } = head;
  return (
    <th
      scope="col"
      class={`h-${key}${isNumber ? " r" : ""}`}
      aria-sort={sorted ?? undefined}
      title={about}
    >
      {href === null ? (
        label
      ) : (
        <a href={href} aria-label={key === "health" ? "Health" : undefined}>
          {label}
          {sorted ? <span aria-hidden="true">{ARROWS[sorted]}</span> : null}
        </a>
      )}
    </th>
  );
}

function Table({ props }: { props: BotsLiveProps }) {
  const { rows, heads, isSelectable, csrf, query, matching } = props;
  return (
    <form method="post" class="grid-form" id="grid-form">
      <CsrfField csrf={csrf} />
      <input type="hidden" name="back" value={query} />
      <section class="grid-scroll" id="bots-scroll" aria-label="Bots" tabindex={0}>
        <table class="grid bots-grid">
          <thead>
            <tr>
              {isSelectable ? (
                <th scope="col" class="k">
                  <input type="checkbox" data-all aria-label="Select every shown bot" />
                </th>
              ) : null}
              {heads.map((head) => (
                <Head head={head} />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <BotRow row={row} isSelectable={isSelectable} />
            ))}
          </tbody>
        </table>
      </section>
      {matching > rows.length ? (
        <p class="muted small">
          The first {rows.length} of {matching} bots are shown; the filters narrow them.
        </p>
      ) : null}
    </form>
  );
}

/** Totals and table; both are morphed in place by the page's stream. */
export function BotsLive(props: BotsLiveProps) {
  return (
    <>
      <Totals totals={props.totals} />
      {props.asOf === null ? null : (
        <p class="muted small number as-of-line">
          As of {props.asOf} or later: each bot says under its heartbeat when its worker told of it.
        </p>
      )}
      {props.rows.length > 0 ? <Table props={props} /> : null}
      {props.rows.length === 0 && props.hasOthers ? (
        <section class="card empty">
          <p>No bot matches these filters.</p>
          <a class="button" href="/bots">
            Clear the filters
          </a>
        </section>
      ) : null}
    </>
  );
}
