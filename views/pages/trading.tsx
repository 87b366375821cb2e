// Trading states: what is stopped and since when, how to stop and release, what closings came to, findings to settle;
// and the question before a dangerous step. Rendered by web/routes/trading.tsx.
import type { Child } from "hono/jsx";
import { Alert, CsrfField, Done } from "../components/form.tsx";
import { KillForm, type ScopeGroup } from "../components/kill-form.tsx";
import { TradingLive, type TradingLiveProps } from "../components/trading-live.tsx";
import { type Frame, Layout } from "../layout.tsx";

/** Props of the page. */
export type TradingProps = {
  readonly frame: Frame;
  readonly live: TradingLiveProps;
  /** Null for those who may only look. */
  readonly groups: readonly ScopeGroup[] | null;
  readonly done?: string | undefined;
  readonly problem?: string | undefined;
};

/** The page at `/trading`. */
export function TradingPage({ frame, live, groups, done, problem }: TradingProps) {
  const stream = {
    "hx-sse:connect": "/trading/stream",
    "hx-sse:close": "trading-ended",
    "hx-swap": "innerMorph",
  };
  return (
    <Layout title="Trading states · Dragon" frame={frame}>
      <h1>Trading states</h1>
      {done ? <Done>{done}</Done> : null}
      {problem ? <Alert>{problem}</Alert> : null}
      <div id="trading-live" {...stream}>
        <TradingLive {...live} />
      </div>
      {groups === null ? null : (
        <section class="card form">
          <h2>Stop trading</h2>
          <KillForm id="stop" csrf={live.csrf} groups={groups} />
        </section>
      )}
      <p class="muted">
        <a href="/help/emergency">What each level does, and how to come back</a>
      </p>
    </Layout>
  );
}

/** An order or a position in the reach of a step, as one line each. */
export type ReachLine = { readonly what: string; readonly whose: string };

/** What a step does, by group. */
export type ReachGroup = {
  readonly title: string;
  readonly lines: readonly ReachLine[];
  /** More than are listed. */
  readonly more: number;
};

/** Props of the question before a dangerous step. */
export type ConfirmProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly title: string;
  readonly effect: string;
  readonly groups: readonly ReachGroup[];
  readonly action: string;
  readonly label: string;
  /** Nothing is lost by it: the button is an ordinary one. */
  readonly isPlain?: boolean | undefined;
  /** What has to be typed; null where pressing once more is enough. */
  readonly word: string | null;
  /** What has to be chosen before, as fields. */
  readonly children?: Child;
  /** Where the reader came from; the page of trading states unless told. */
  readonly back?: { readonly href: string; readonly label: string } | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly problem?: string | undefined;
};

function Group({ group }: { group: ReachGroup }) {
  return (
    <section class="card">
      <h2>{group.title}</h2>
      <ul class="rows tight">
        {group.lines.map(({ what, whose }) => (
          <li>
            <span class="row-title">{what}</span>
            <span class="muted">{whose}</span>
          </li>
        ))}
      </ul>
      {group.more > 0 ? <p class="muted">and {group.more} more</p> : null}
    </section>
  );
}

function Word({ word, problem }: { word: string; problem: string | undefined }) {
  return (
    <div class="field">
      <label for="confirm">
        Type <code>{word}</code> to confirm
      </label>
      <input
        id="confirm"
        name="confirm"
        autocomplete="off"
        required
        autofocus
        aria-invalid={problem ? "true" : undefined}
        aria-describedby={problem ? "confirm-problem" : undefined}
      />
      {problem ? (
        <p class="problem" id="confirm-problem">
          {problem}
        </p>
      ) : null}
    </div>
  );
}

const TRADING = { href: "/trading", label: "Trading states" };

/** The question, with everything in reach and the word to type where one is wanted. */
export function TradingConfirmPage(props: ConfirmProps) {
  const { frame, csrf, title, effect, groups, action, label, word, fields, problem } = props;
  const back = props.back ?? TRADING;
  return (
    <Layout title={`${title} · Dragon`} frame={frame}>
      <p class="crumb">
        <a href={back.href}>{back.label}</a>
      </p>
      <h1>{title}</h1>
      <p class="lead">{effect}</p>
      <form method="post" action={action} class="card form">
        <CsrfField csrf={csrf} />
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        {props.children}
        {word === null ? (
          <input type="hidden" name="confirm" value="yes" />
        ) : (
          <Word word={word} problem={problem} />
        )}
        <div class="buttons">
          <button type="submit" class={props.isPlain ? undefined : "danger"}>
            {label}
          </button>
          <a href={back.href}>Leave it</a>
        </div>
      </form>
      {groups.map((group) => (
        <Group group={group} />
      ))}
    </Layout>
  );
}
