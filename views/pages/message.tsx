// A page with one thing to say: not found, link used, not allowed, too large, failed. Used by web for
// every answer that has no page of its own.
import { type Frame, Layout } from "../layout.tsx";

/** Props of a message page; `advice` says what to do next. */
export type MessageProps = {
  readonly frame: Frame;
  readonly title: string;
  readonly sentence: string;
  readonly advice?: string | undefined;
  /** A command line that goes with the advice. */
  readonly command?: string | undefined;
};

/** A heading, a sentence, and what to do next. */
export function MessagePage({ frame, title, sentence, advice, command }: MessageProps) {
  return (
    <Layout title={`${title} · Dragon`} frame={frame}>
      <h1>{title}</h1>
      <p class="lead">{sentence}</p>
      {advice ? (
        <div class="card">
          <p>{advice}</p>
          {command ? (
            <pre tabindex={0}>
              <code>{command}</code>
            </pre>
          ) : null}
        </div>
      ) : null}
      <p>
        <a href="/">Back to the first page</a>
      </p>
    </Layout>
  );
}
