// The page of the demo: what it is, how far it is, and the way to be rid of it. Rendered by
// web/routes/demo.tsx.
import { DemoCard, DemoOffer, type DemoShown } from "../components/demo-card.tsx";
import { Done } from "../components/form.tsx";
import { TypedConfirm } from "../components/parts.tsx";
import { type Frame, Layout } from "../layout.tsx";

/** Props of the page. */
export type DemoPageProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly mayTrade: boolean;
  /** Null without a demo. */
  readonly shown: DemoShown | null;
  /** What must be typed to wipe it. */
  readonly word: string;
  /** Why it was not begun, or not wiped. */
  readonly problem: string | undefined;
  readonly done: string | undefined;
};

function Present({ shown, ...props }: DemoPageProps & { shown: DemoShown }) {
  const { csrf, mayTrade, word, problem } = props;
  const effect =
    "Its bots close what they hold and are deleted, then the demo accounts, their backtests and " +
    "the candles of the demo exchange. Live and paper accounts are not touched. This takes a few seconds.";
  return (
    <>
      <DemoCard shown={shown} csrf={csrf} mayTrade={mayTrade} />
      {mayTrade ? (
        <TypedConfirm
          action="/demo/wipe"
          csrf={csrf}
          effect={effect}
          label="Wipe the demo"
          word={word}
          problem={problem}
        />
      ) : null}
    </>
  );
}

/** The page at `/demo`. */
export function DemoPage(props: DemoPageProps) {
  const { frame, shown, csrf, mayTrade, problem, done } = props;
  return (
    <Layout title="Demo · Dragon" frame={frame}>
      <h1>Demo</h1>
      {done === undefined ? null : <Done>{done}</Done>}
      <p class="lead">
        An exchange inside Dragon invents prices, and a bot trades on them as it would anywhere
        else. How well it does says nothing about real markets.{" "}
        <a href="/help/demo">More in the manual</a>
      </p>
      {shown ? <Present {...props} shown={shown} /> : null}
      {!shown && mayTrade ? <DemoOffer csrf={csrf} problem={problem} /> : null}
      {!shown && !mayTrade ? <p class="muted">This workspace has no demo.</p> : null}
    </Layout>
  );
}
