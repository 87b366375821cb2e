// The demo as cards: the offer, and the way from the account to the first trade. The steps are swapped from
// the server's stream until all are done. Rendered by the first page, /demo and web/routes/demo.tsx.
import { Alert, CsrfField } from "./form.tsx";
import { Progress } from "./parts.tsx";

/** One step on the way. */
export type DemoStep = {
  readonly title: string;
  readonly mark: "done" | "now" | "later" | "failed";
  /** What is so, or what it waits for. */
  readonly sentence: string;
  /** Shown while it goes on: 0..1, null when it cannot be told; absent without a bar. */
  readonly share?: number | null;
  readonly link?: { readonly href: string; readonly label: string };
};

/** How far the demo is. */
export type DemoShown = {
  readonly steps: readonly DemoStep[];
  /** Every step has ended, well or not. */
  readonly isOver: boolean;
  /** Parts are missing that beginning again would make. */
  readonly isLacking: boolean;
};

const SPOKEN = { done: "done", now: "under way", later: "later", failed: "failed" } as const;
const SIGNS: Readonly<Partial<Record<DemoStep["mark"], string>>> = { done: "✓", failed: "!" };

function Step({ step, number }: { step: DemoStep; number: number }) {
  const { title, mark, sentence, share, link } = step;
  return (
    <li class="step">
      <span class={`mark ${mark}`} role="img" aria-label={`Step ${number}, ${SPOKEN[mark]}`}>
        {SIGNS[mark] ?? String(number)}
      </span>
      <div>
        <h3>{title}</h3>
        <p class="muted">
          {sentence}
          {link ? " " : null}
          {link ? <a href={link.href}>{link.label}</a> : null}
        </p>
        {share === undefined ? null : <Progress label={title} share={share} />}
      </div>
    </li>
  );
}

/** The part that changes. */
export function DemoSteps({ steps }: Pick<DemoShown, "steps">) {
  return (
    <ol class="steps demo-steps">
      {steps.map((step, index) => (
        <Step step={step} number={index + 1} />
      ))}
    </ol>
  );
}

/** A form that begins the demo or goes on with it. */
function BeginForm({ csrf, label, tone }: { csrf: string; label: string; tone?: "quiet" }) {
  return (
    <form method="post" action="/demo/begin" class="action">
      <CsrfField csrf={csrf} />
      <button type="submit" class={tone}>
        {label}
      </button>
    </form>
  );
}

/** The offer of a workspace that has none. */
export function DemoOffer({ csrf, problem }: { csrf: string; problem?: string | undefined }) {
  return (
    <section class="card">
      <h2>See it trade within two minutes</h2>
      {problem === undefined ? null : <Alert>{problem}</Alert>}
      <p class="muted">
        A demo account at an exchange inside Dragon: invented prices, no real money, nothing leaves
        this machine. One click fetches a week of candles, runs a backtest on them and starts a bot
        with the same settings. All of it can be wiped again.
      </p>
      <BeginForm csrf={csrf} label="Start the demo" />
    </section>
  );
}

type CardProps = { shown: DemoShown; csrf: string; mayTrade: boolean };

/** The demo of a workspace that has one. */
export function DemoCard({ shown, csrf, mayTrade }: CardProps) {
  const { steps, isOver, isLacking } = shown;
  const stream = isOver ? {} : { "hx-sse:connect": "/demo/events", "hx-sse:close": "ended" };
  return (
    <section class="card demo" aria-label="The demo">
      <h2>The demo</h2>
      <div id="demo-live" role="status" aria-live="off" {...stream}>
        <DemoSteps steps={steps} />
      </div>
      {isLacking && mayTrade ? (
        <BeginForm csrf={csrf} label="Go on with the demo" tone="quiet" />
      ) : null}
    </section>
  );
}
