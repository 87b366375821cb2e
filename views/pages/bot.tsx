// The page of one bot: how it stands and why, where its numbers come from, its orders, ledger, events and settings,
// and what a person may ask of it. Rendered by web/routes/bot.tsx; what changes by itself comes by a stream.
import type { Child } from "hono/jsx";
import { type ActionsProps, BotActions, ByHand, Wish } from "../components/bot-actions.tsx";
import { BotCharts, type BotChartsProps, EquityNow } from "../components/bot-charts.tsx";
import { type BotConfigProps, BotConfigTab } from "../components/bot-config.tsx";
import {
  BotDanger,
  dangerEffects,
  type DangerProps,
  DangerZones,
} from "../components/bot-danger.tsx";
import { Derivation, type DerivationProps, NoDerivation } from "../components/bot-derivation.tsx";
import { BotGates } from "../components/bot-gates.tsx";
import { BotHead, type BotHeadProps } from "../components/bot-head.tsx";
import { BotOrders, type BotOrdersProps } from "../components/bot-orders.tsx";
import {
  EventsTab,
  type EventsTabProps,
  LedgerTab,
  type LedgerTabProps,
} from "../components/bot-records.tsx";
import { BotOpenOrders, BotPosition, type StandingProps } from "../components/bot-standing.tsx";
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
  /** The address of the page's own query, for what the stream shows. */
  readonly query: string;
};

const TABS: readonly (readonly [BotTab["tab"], string])[] = [
  ["overview", "Overview"],
  ["orders", "Orders & fills"],
  ["ledger", "Ledger"],
  ["events", "Events"],
  ["config", "Config"],
];

/** A part of the page that changes by itself, with the place it stands in. */
export type LivePiece = { readonly id: string; readonly content: Child };

/** Everything that is shown of a bot and changes; a tab that stays as it was loaded is null. */
export type LiveProps = Pick<BotPageProps, "head" | "tiles"> & { readonly tab: BotTab | null };

/** What the stream replaces, each in its place; forms are kept with what is typed in them. */
export function livePieces({ head, tiles, tab }: LiveProps): readonly LivePiece[] {
  return [
    { id: "bot-head", content: <BotHead {...head} /> },
    { id: "bot-tiles", content: <BotTiles {...tiles} /> },
    ...tabPieces(tab),
  ];
}

function tabPieces(tab: BotTab | null): readonly LivePiece[] {
  if (tab === null) return [];
  if (tab.tab === "overview") return overviewPieces(tab);
  return [{ id: "bot-tab", content: <TabBody tab={tab} /> }];
}

type OverviewTab = Extract<BotTab, { tab: "overview" }>;

function overviewPieces({ standing, charts, actions, danger }: OverviewTab): readonly LivePiece[] {
  return [
    { id: "bot-position", content: <BotPosition {...standing} /> },
    { id: "bot-gates", content: <BotGates {...standing} /> },
    { id: "bot-open-orders", content: <BotOpenOrders {...standing} /> },
    { id: "bot-equity", content: <EquityNow {...charts} /> },
    ...(actions === null
      ? []
      : [
          { id: "bot-wish", content: <Wish {...actions} /> },
          { id: "bot-by-hand", content: <ByHand {...actions} /> },
        ]),
    ...(danger === null
      ? []
      : [
          { id: "bot-danger", content: <DangerZones {...danger} /> },
          ...dangerEffects(danger).map(([id, content]) => ({ id, content })),
        ]),
  ];
}

/** A piece as the stream sends it. */
export function StreamedPiece({ id, content }: LivePiece) {
  return (
    <div id={id} hx-swap-oob="innerMorph">
      {content}
    </div>
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

function Overview({ tab }: { tab: OverviewTab }) {
  const { standing, charts, actions, danger } = tab;
  return (
    <>
      <div id="bot-standing" class="columns">
        <div>
          <div id="bot-position">
            <BotPosition {...standing} />
          </div>
          {actions === null ? null : <BotActions {...actions} />}
        </div>
        <div id="bot-gates">
          <BotGates {...standing} />
        </div>
      </div>
      <div id="bot-open-orders">
        <BotOpenOrders {...standing} />
      </div>
      <BotCharts {...charts} />
      {danger === null ? null : <BotDanger {...danger} />}
    </>
  );
}

function TabBody({ tab }: { tab: Exclude<BotTab, OverviewTab> }) {
  switch (tab.tab) {
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

function Body({ tab }: { tab: BotTab }) {
  if (tab.tab === "overview") return <Overview tab={tab} />;
  return (
    <div id="bot-tab">
      <TabBody tab={tab} />
    </div>
  );
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
  const { frame, head, tiles, derivation, origin, tab, done, problem, query } = props;
  const stream = { "hx-sse:connect": `/bots/${head.id}/live?${query}`, "hx-swap": "none" };
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
