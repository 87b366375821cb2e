// The page of one bot: how it stands and why, where its numbers come from, its orders, ledger, events and settings,
// and what a person may ask of it. Rendered by web/routes/bot.tsx; what changes by itself comes by a stream.
import { type ActionsProps, BotActions } from "../components/bot-actions.tsx";
import { BotCharts, type BotChartsProps } from "../components/bot-charts.tsx";
import { type BotConfigProps, BotConfigTab } from "../components/bot-config.tsx";
import { BotDanger, type DangerProps } from "../components/bot-danger.tsx";
import { Derivation, type DerivationProps, NoDerivation } from "../components/bot-derivation.tsx";
import { BotHead, type BotHeadProps } from "../components/bot-head.tsx";
import { BotOrders, type BotOrdersProps } from "../components/bot-orders.tsx";
import {
  EventsTab,
  type EventsTabProps,
  LedgerTab,
  type LedgerTabProps,
} from "../components/bot-records.tsx";
import { BotStandingView, type StandingProps } from "../components/bot-standing.tsx";
import { BotTiles, type BotTilesProps } from "../components/bot-tiles.tsx";
import { Alert, Done } from "../components/form.tsx";
import { dateTime } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";

/** The chosen tab with what it shows. */
export type BotTab =
  | {
      readonly tab: "overview";
      readonly standing: StandingProps;
      readonly charts: BotChartsProps;
      /** Null for those who only look. */
      readonly actions: ActionsProps | null;
      readonly danger: DangerProps | null;
    }
  | { readonly tab: "orders"; readonly props: BotOrdersProps }
  | { readonly tab: "ledger"; readonly props: LedgerTabProps }
  | { readonly tab: "events"; readonly props: EventsTabProps }
  | { readonly tab: "config"; readonly props: BotConfigProps };

/** Where the bot came from and what it runs on. */
export type BotOrigin = {
  readonly id: number;
  readonly runId: number | null;
  readonly strategy: string;
  readonly configVersion: number;
  readonly createdAt: number;
};

/** Props of the page. */
export type BotPageProps = {
  readonly frame: Frame;
  readonly head: BotHeadProps;
  readonly tiles: BotTilesProps;
  readonly derivation: DerivationProps | null;
  readonly origin: BotOrigin;
  readonly tab: BotTab;
  readonly done: string | undefined;
  readonly problem: string | undefined;
};

const TABS: readonly (readonly [BotTab["tab"], string])[] = [
  ["overview", "Overview"],
  ["orders", "Orders & fills"],
  ["ledger", "Ledger"],
  ["events", "Events"],
  ["config", "Config"],
];

/** Pieces the stream replaces, each in its place. */
export function LivePieces(props: {
  head: BotHeadProps;
  tiles: BotTilesProps;
  standing: StandingProps | null;
}) {
  const swap = { "hx-swap-oob": "innerMorph" };
  return (
    <>
      <div id="bot-head" {...swap}>
        <BotHead {...props.head} />
      </div>
      <div id="bot-tiles" {...swap}>
        <BotTiles {...props.tiles} />
      </div>
      {props.standing === null ? null : (
        <div id="bot-standing" {...swap}>
          <BotStandingView {...props.standing} />
        </div>
      )}
    </>
  );
}

function Tabs({ id, current }: { id: number; current: BotTab["tab"] }) {
  return (
    <nav class="tabs" aria-label="Parts of the bot">
      {TABS.map(([tab, label]) => (
        <a
          href={tab === "overview" ? `/bots/${id}` : `/bots/${id}?tab=${tab}`}
          aria-current={tab === current ? "page" : undefined}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}

function Overview({ tab }: { tab: Extract<BotTab, { tab: "overview" }> }) {
  const { standing, charts, actions, danger } = tab;
  return (
    <>
      <div id="bot-standing">
        <BotStandingView {...standing} />
      </div>
      {actions === null ? null : <BotActions {...actions} />}
      <BotCharts {...charts} />
      {danger === null ? null : <BotDanger {...danger} />}
    </>
  );
}

function Body({ tab }: { tab: BotTab }) {
  switch (tab.tab) {
    case "overview":
      return <Overview tab={tab} />;
    case "orders":
      return <BotOrders {...tab.props} />;
    case "ledger":
      return <LedgerTab {...tab.props} />;
    case "events":
      return <EventsTab {...tab.props} />;
    case "config":
      return <BotConfigTab {...tab.props} />;
  }
}

function Origin({ origin, timeZone }: { origin: BotOrigin; timeZone: string }) {
  const { id, runId, strategy, configVersion, createdAt } = origin;
  return (
    <p class="muted small breakable">
      Bot {id}, {strategy}, configuration{" "}
      <a href={`/bots/${id}?tab=config`}>version {configVersion}</a>, made{" "}
      {dateTime(createdAt, timeZone)}
      {runId === null ? "" : " from "}
      {runId === null ? null : <a href={`/runs/${runId}`}>run {runId}</a>}.{" "}
      <button
        type="button"
        class="quiet small-target"
        data-copies-from={`/bots/${id}/diagnostics.txt`}
      >
        Copy diagnostics
      </button>{" "}
      <a href={`/bots/${id}/diagnostics.txt`}>as text</a>
    </p>
  );
}

/** The page at `/bots/:id`. */
export function BotPage(props: BotPageProps) {
  const { frame, head, tiles, derivation, origin, tab, done, problem } = props;
  const stream = { "hx-sse:connect": `/bots/${head.id}/live?tab=${tab.tab}`, "hx-swap": "none" };
  return (
    <Layout title={`${head.name} · Dragon`} frame={frame} parts={["charts", "bots", "bot"]} isWide>
      <p class="crumb">
        <a href="/bots">Bots</a>
      </p>
      <div id="bot-head">
        <BotHead {...head} />
      </div>
      {done ? <Done>{done}</Done> : null}
      {problem ? <Alert>{problem}</Alert> : null}
      <div id="bot-live" hidden {...stream}></div>
      <div id="bot-tiles">
        <BotTiles {...tiles} />
      </div>
      {derivation === null ? <NoDerivation /> : <Derivation {...derivation} />}
      <Tabs id={head.id} current={tab.tab} />
      <Body tab={tab} />
      <Origin origin={origin} timeZone={head.timeZone} />
    </Layout>
  );
}
