// Shows something once: an API token or a one-time link. Rendered right after it was made; the page
// cannot be opened again.
import { type Frame, Layout } from "../layout.tsx";

/** Props of the page. */
export type SecretProps = {
  readonly frame: Frame;
  readonly title: string;
  readonly sentence: string;
  /** What the secret is. */
  readonly label: string;
  readonly secret: string;
  /** How it is used. */
  readonly use: string;
  readonly example?: string;
  readonly back: { readonly href: string; readonly label: string };
};

/** A secret in a box, and what to do with it. */
export function SecretPage(props: SecretProps) {
  return (
    <Layout title={`${props.title} · Dragon`} frame={props.frame}>
      <h1>{props.title}</h1>
      <p class="lead">{props.sentence}</p>
      <section class="card">
        <pre class="secret" tabindex={0} title={props.label}>
          <code>{props.secret}</code>
        </pre>
        <p>{props.use}</p>
        {props.example ? (
          <pre tabindex={0}>
            <code>{props.example}</code>
          </pre>
        ) : null}
      </section>
      <p class="actions">
        <a class="button" href={props.back.href}>
          {props.back.label}
        </a>
      </p>
    </Layout>
  );
}
