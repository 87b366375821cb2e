// The form of a new bot made from a run: fields on the left, what it comes to on the right, following what is
// typed. Rendered by web/routes/bot-new.tsx; without scripts the answer of the form says the same.
import { type DraftView, DraftPreview } from "../components/bot-draft.tsx";
import { BotFields, type BotFieldsProps } from "../components/bot-fields.tsx";
import { Alert, CsrfField } from "../components/form.tsx";
import { asset, timeframe } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";

/** Props of the page. */
export type NewBotProps = BotFieldsProps & {
  readonly frame: Frame;
  readonly csrf: string;
  readonly run: {
    readonly id: number;
    readonly name: string | null;
    readonly symbol: string;
    readonly exchangeId: string;
    readonly timeframeMin: number;
    readonly strategy: string;
  };
  /** What is wrong with the whole form. */
  readonly problem: string | undefined;
  readonly draft: DraftView;
};

/** The page at `/bots/new`. */
export function NewBotPage(page: NewBotProps) {
  const { frame, csrf, run, draft, problem } = page;
  return (
    <Layout title="New bot · Dragon" frame={frame} parts={["backtest", "grid", "bots"]} isWide>
      <p class="crumb">
        <a href="/bots">Bots</a> / New
      </p>
      <h1>New bot</h1>
      <p class="run-source">
        From <a href={`/runs/${run.id}`}>{run.name ?? `run ${run.id}`}</a>: {asset(run.symbol)},{" "}
        {timeframe(run.timeframeMin)}, {run.strategy}, tested on {run.exchangeId}. The strategy is
        taken over as it was tested.
      </p>
      {problem ? <Alert>{problem}</Alert> : null}
      <form id="bot-form" class="bot-new" method="post" action="/bots" novalidate>
        <CsrfField csrf={csrf} />
        <input type="hidden" name="run" value={run.id} />
        <BotFields page={page} />
        <div class="bot-preview">
          <section class="card bt-card" aria-labelledby="card-preview">
            <h2 id="card-preview">What it comes to</h2>
            <div
              id="draft-preview"
              hx-post="/bots/new/preview"
              hx-trigger="input from:#bot-form delay:250ms, change from:#bot-form delay:250ms"
              hx-swap="innerHTML"
              hx-include="#bot-form"
              hx-sync="this:replace"
            >
              <DraftPreview {...draft} />
            </div>
          </section>
        </div>
        <div class="buttons">
          <button type="submit">Create</button>
          <a class="button quiet" href={`/runs/${run.id}`}>
            Back to the run
          </a>
        </div>
      </form>
    </Layout>
  );
}
