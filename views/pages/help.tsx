// The manual: the list of topics and one topic. Rendered by web/routes/help.tsx, which reads the
// Markdown; this file only knows blocks.
import { type Frame, Layout } from "../layout.tsx";

type Inline = { readonly kind: "text" | "code"; readonly text: string };

/** One block of a topic. */
export type HelpBlock =
  | { readonly kind: "heading"; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: "text"; readonly parts: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly (readonly Inline[])[] }
  | {
      readonly kind: "table";
      readonly head: readonly string[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    };

function Inlines({ parts }: { parts: readonly Inline[] }) {
  return <>{parts.map(({ kind, text }) => (kind === "code" ? <code>{text}</code> : text))}</>;
}

function Table({ block }: { block: Extract<HelpBlock, { kind: "table" }> }) {
  return (
    <div class="card table-card">
      <table class="stacked">
        <thead>
          <tr>
            {block.head.map((cell) => (
              <th scope="col">{cell}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row) => (
            <tr>
              {row.map((parts) => (
                <td>
                  <Inlines parts={parts} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Block({ block }: { block: HelpBlock }) {
  switch (block.kind) {
    case "heading":
      if (block.level === 1) return <h1>{block.text}</h1>;
      return block.level === 2 ? <h2 class="section">{block.text}</h2> : <h3>{block.text}</h3>;
    case "text":
      return (
        <p>
          <Inlines parts={block.parts} />
        </p>
      );
    case "code":
      return (
        <pre tabindex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case "list":
      return (
        <ul>
          {block.items.map((parts) => (
            <li>
              <Inlines parts={parts} />
            </li>
          ))}
        </ul>
      );
    case "table":
      return <Table block={block} />;
  }
}

/** A topic in the list. */
export type TopicLink = { readonly name: string; readonly title: string; readonly summary: string };

/** The page at `/help`. */
export function HelpIndexPage({ frame, topics }: { frame: Frame; topics: readonly TopicLink[] }) {
  return (
    <Layout title="Manual · Dragon" frame={frame}>
      <h1>Manual</h1>
      <ul class="rows card">
        {topics.map(({ name, title, summary }) => (
          <li>
            <div>
              <p class="row-title">
                <a href={`/help/${name}`}>{title}</a>
              </p>
              <p class="muted small">{summary}</p>
            </div>
          </li>
        ))}
      </ul>
    </Layout>
  );
}

/** The page at `/help/:topic`. */
export function HelpTopicPage(props: {
  readonly frame: Frame;
  readonly title: string;
  readonly blocks: readonly HelpBlock[];
}) {
  return (
    <Layout title={`${props.title} · Dragon`} frame={props.frame}>
      <p class="crumb">
        <a href="/help">Manual</a>
      </p>
      <article class="prose">
        {props.blocks.map((block) => (
          <Block block={block} />
        ))}
      </article>
    </Layout>
  );
}
