// The first page: what Dragon is and how far the set-up has come. Rendered by web/routes/home.tsx.
import { type Frame, Layout } from "../layout.tsx";

/** State of the set-up as the page shows it. */
export type HomeProps = {
  readonly frame: Frame;
  /** e.g. `bundled PostgreSQL 18.4`; undefined when the database does not answer. */
  readonly database: string | undefined;
  readonly hasOwner: boolean;
  /** How a command is written on this installation, e.g. `npx bun src/main.ts`. */
  readonly program: string;
};

type Mark = "done" | "now" | "failed" | "later";

function Step(props: { mark: Mark; number: number; title: string; children: unknown }) {
  const sign = props.mark === "done" ? "✓" : props.mark === "failed" ? "!" : String(props.number);
  const spoken = { done: "done", now: "to do now", failed: "failed", later: "later" }[props.mark];
  return (
    <li class="step">
      <span class={`mark ${props.mark}`} role="img" aria-label={`Step ${props.number}, ${spoken}`}>
        {sign}
      </span>
      <div>
        <h2>{props.title}</h2>
        {props.children}
      </div>
    </li>
  );
}

function OwnerStep({ hasOwner, isReachable }: { hasOwner: boolean; isReachable: boolean }) {
  if (!isReachable) return <p class="muted">Waits for the database.</p>;
  if (hasOwner) {
    return (
      <p class="muted">
        This Dragon has an owner. <a href="/login">Sign in</a> to see more.
      </p>
    );
  }
  return (
    <p class="muted">
      Open the one-time link that Dragon printed on its console. It ends with the word behind{" "}
      <code>/setup/</code>, works once, and every start prints a new one.
    </p>
  );
}

function DatabaseStep({ database }: { database: string | undefined }) {
  if (database !== undefined) return <p class="muted">Running on {database}.</p>;
  return (
    <p class="muted">
      The database does not answer. <a href="/readyz">Readiness</a> and the console say why; Dragon
      tries again by itself.
    </p>
  );
}

/** The page at `/`. */
export function HomePage(props: HomeProps) {
  const isReachable = props.database !== undefined;
  const ownerMark: Mark = !isReachable ? "later" : props.hasOwner ? "done" : "now";
  return (
    <Layout title="Dragon" frame={props.frame}>
      <h1>Crypto strategies, on your own machine</h1>
      <p class="lead">
        Dragon tests trading strategies on real candle history. It runs entirely here: its data and
        its keys stay in your data folder, and nothing is sent to a cloud.
      </p>
      {props.hasOwner ? (
        <p class="actions">
          <a class="button" href="/login">
            Sign in
          </a>
        </p>
      ) : null}
      <section class="card" aria-label="Set-up">
        <ol class="steps">
          <Step mark={isReachable ? "done" : "failed"} number={1} title="Start the database">
            <DatabaseStep database={props.database} />
          </Step>
          <Step mark={ownerMark} number={2} title="Create the owner">
            <OwnerStep hasOwner={props.hasOwner} isReachable={isReachable} />
          </Step>
          <Step mark={props.hasOwner ? "now" : "later"} number={3} title="Run a backtest">
            <p class="muted">
              In a terminal, in the folder Dragon was started from. The manual explains the files.
            </p>
            <pre tabindex={0}>
              <code>{`${props.program} help getting-started\n${props.program} help backtest`}</code>
            </pre>
          </Step>
        </ol>
      </section>
      <footer>
        State of this process: <a href="/livez">alive</a> · <a href="/readyz">ready</a>
      </footer>
    </Layout>
  );
}
