// The first page of somebody who is signed in: what is there, and what to do next. Rendered by
// web/routes/home.tsx.
import { DemoCard, DemoOffer, type DemoShown } from "../components/demo-card.tsx";
import { ActionButton } from "../components/form.tsx";
import { type Frame, Layout } from "../layout.tsx";
import type { PageRole } from "../navigation.ts";

/** Props of the start page. */
export type StartProps = {
  readonly frame: Frame;
  readonly workspace: string;
  /** e.g. `bundled PostgreSQL 18.4`. */
  readonly database: string;
  readonly role: PageRole;
  readonly csrf: string;
  /** Null while the workspace has no demo. */
  readonly demo: DemoShown | null;
  /** Whether any candle series is there. */
  readonly hasCandles: boolean;
  /** People who may sign in, including this one; null for those who may not know. */
  readonly users: number | null;
};

function Facts({ workspace, database, users }: StartProps) {
  return (
    <dl class="facts">
      <div>
        <dt>Workspace</dt>
        <dd>{workspace}</dd>
      </div>
      <div>
        <dt>Database</dt>
        <dd>{database}</dd>
      </div>
      {users === null ? null : (
        <div>
          <dt>Users</dt>
          <dd>{users}</dd>
        </div>
      )}
    </dl>
  );
}

/** The one thing to do first; a viewer cannot begin it, only look. */
function Demo({ demo, csrf, role }: StartProps) {
  const mayTrade = role !== "viewer";
  if (demo) return <DemoCard shown={demo} csrf={csrf} mayTrade={mayTrade} />;
  return mayTrade ? <DemoOffer csrf={csrf} /> : null;
}

function FirstBacktest({ csrf }: { csrf: string }) {
  return (
    <section class="card">
      <h2>Your first backtest</h2>
      <p class="muted">
        Try it on a year of invented candles, made on this machine in a second, or bring real
        history: a CSV file, or a download from an exchange.
      </p>
      <div class="buttons">
        <ActionButton action="/sample" csrf={csrf} label="Try with sample candles" />
        <a href="/candles">Bring candles</a>
      </div>
    </section>
  );
}

type StepProps = { title: string; sentence: string; href: string; label: string };

function NextStep({ title, sentence, href, label }: StepProps) {
  return (
    <section class="card">
      <h3>{title}</h3>
      <p class="muted">{sentence}</p>
      <p>
        <a href={href}>{label}</a>
      </p>
    </section>
  );
}

const TRADER_STEPS: readonly StepProps[] = [
  {
    title: "Run a backtest",
    sentence: "Signals, ladder, exits and costs on one form; the result is a page you can share.",
    href: "/backtest",
    label: "Open the form",
  },
  {
    title: "Fetch candles",
    sentence: "History of every exchange, kept in this database, with its gaps shown.",
    href: "/candles",
    label: "Candles",
  },
];
const VIEWER_STEPS: readonly StepProps[] = [
  {
    title: "Look at runs",
    sentence: "Every backtest with its figures, to sort, filter and shortlist.",
    href: "/runs",
    label: "Runs",
  },
  {
    title: "Let a program in",
    sentence: "An API token has a scope and an end, and can be revoked.",
    href: "/account#tokens",
    label: "Make an API token",
  },
];
const OWNER_STEPS: readonly StepProps[] = [
  {
    title: "Add somebody",
    sentence: "Traders work with bots, viewers only look.",
    href: "/users/new",
    label: "Add a user",
  },
  {
    title: "Keep the key safe",
    sentence: "A copy of the master key outside this machine.",
    href: "/help/backup-and-keys",
    label: "What to back up",
  },
];

/** The page at `/` for a signed-in user. */
export function StartPage(props: StartProps) {
  const { role, csrf, hasCandles } = props;
  const steps = [
    ...(role === "viewer" ? [] : TRADER_STEPS),
    ...VIEWER_STEPS,
    ...(role === "owner" ? OWNER_STEPS : []),
  ];
  return (
    <Layout title="Start · Dragon" frame={props.frame}>
      <h1>Start</h1>
      <p class="lead">Dragon is running. It keeps candle history, runs backtests and trades.</p>
      <Demo {...props} />
      {role !== "viewer" && !hasCandles ? <FirstBacktest csrf={csrf} /> : null}
      <Facts {...props} />
      <h2 class="section">Next steps</h2>
      <div class="tiles">
        {steps.map((step) => (
          <NextStep {...step} />
        ))}
      </div>
    </Layout>
  );
}
