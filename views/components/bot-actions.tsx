// What a person may ask of a bot by hand, each with a preview before it is asked. Rendered by pages/bot.tsx; the
// preview comes alone where a script asked for it. Buttons and forms follow the bot by the server's stream, which
// keeps what is typed; the preview in between is left alone.
import type { Child } from "hono/jsx";
import { ActionButton, Alert, CsrfField, Field } from "./form.tsx";

/** An action as it was typed and what it would do. */
export type PreviewProps = {
  readonly botId: number;
  readonly csrf: string;
  /** Goes back with the confirmation. */
  readonly fields: Readonly<Record<string, string>>;
  readonly label: string;
  readonly effects: readonly string[];
  /** Why it cannot be asked; null when it can. */
  readonly problem: string | null;
};

/** The place of a preview while there is none. */
export function NoPreview() {
  return <div id="preview" />;
}

/** What will happen, and the button that makes it happen. */
export function ActionPreviewCard({ botId, csrf, fields, label, effects, problem }: PreviewProps) {
  if (problem !== null) {
    return (
      <div id="preview">
        <Alert>{problem}</Alert>
      </div>
    );
  }
  return (
    <section id="preview" class="card preview" aria-label={`Confirm: ${label}`}>
      <h3>{label}?</h3>
      <ul>
        {effects.map((effect) => (
          <li>{effect}</li>
        ))}
      </ul>
      <form method="post" action={`/bots/${botId}/commands`} class="buttons">
        <CsrfField csrf={csrf} />
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <button type="submit" class="danger">
          {label}
        </button>
        <a class="button plain" href={`/bots/${botId}#actions`}>
          Leave it
        </a>
      </form>
    </section>
  );
}

/** Props of the manual actions. */
export type ActionsProps = {
  readonly botId: number;
  readonly csrf: string;
  readonly status: string;
  readonly desiredStatus: string;
  /** Everything is being closed. */
  readonly isClosing: boolean;
  readonly hasPosition: boolean;
  readonly stopPrice: string | null;
  readonly nextRung: string | null;
  readonly preview: PreviewProps | null;
};

function PreviewForm(props: {
  botId: number;
  action: string;
  label: string;
  /** Why it cannot be asked now; it stays visible with the reason. */
  reason: string | null;
  children?: Child;
}) {
  const { botId, action, label, reason } = props;
  const asks = { "hx-get": `/bots/${botId}/preview`, "hx-target": "#preview" };
  return (
    <form
      method="get"
      action={`/bots/${botId}`}
      class="manual"
      {...asks}
      hx-swap="outerHTML show:top"
    >
      <input type="hidden" name="action" value={action} />
      {props.children}
      <button type="submit" class="quiet" disabled={reason !== null} title={reason ?? undefined}>
        {label}…
      </button>
      {reason === null ? null : <p class="hint">{reason}</p>}
    </form>
  );
}

/** What is done by hand; the stream replaces it. */
export function ByHand(props: ActionsProps) {
  const { botId, hasPosition, nextRung, status } = props;
  const flat = hasPosition ? null : "The bot holds nothing.";
  return (
    <>
      <PreviewForm botId={botId} action="close_part" label="Close part" reason={flat}>
        <Field id="pct" label="Close a part" unit="%">
          <input id="pct" name="pct" inputmode="decimal" value="50" autocomplete="off" />
        </Field>
      </PreviewForm>
      <PreviewForm botId={botId} action="move_stop" label="Move stop" reason={flat}>
        <Field id="price" label="Move the stop to" hint={stopHint(props)}>
          <input id="price" name="price" inputmode="decimal" autocomplete="off" />
        </Field>
        <label class="check">
          <input type="checkbox" name="mayLoosen" value="yes" /> It may protect less
        </label>
      </PreviewForm>
      <PreviewForm
        botId={botId}
        action="skip_rung"
        label="Skip rung"
        reason={nextRung === null ? "No rung is waiting." : null}
      >
        <p class="manual-title">
          {nextRung === null ? "Skip the next rung" : `Skip the rung at ${nextRung}`}
        </p>
      </PreviewForm>
      {status === "error" ? (
        <PreviewForm botId={botId} action="clear_error" label="Clear error" reason={null}>
          <p class="manual-title">Clear the error</p>
        </PreviewForm>
      ) : null}
    </>
  );
}

function stopHint({ hasPosition, stopPrice }: ActionsProps): string | undefined {
  if (stopPrice !== null) return `Now ${stopPrice}`;
  return hasPosition ? "There is none now" : undefined;
}

/** Run or pause; the stream replaces it. */
export function Wish({ botId, csrf, desiredStatus, isClosing }: ActionsProps) {
  return (
    <>
      {isClosing ? <p>Everything is being closed; the bot is paused afterwards.</p> : null}
      <div class="buttons">
        {desiredStatus === "running" ? (
          <ActionButton action={`/bots/${botId}/pause`} csrf={csrf} label="Pause bot" />
        ) : (
          <ActionButton action={`/bots/${botId}/run`} csrf={csrf} label="Run bot" />
        )}
      </div>
    </>
  );
}

/** Run, pause, and what is done by hand. */
export function BotActions(props: ActionsProps) {
  const { preview } = props;
  return (
    <section class="card" id="actions" aria-label="Actions">
      <h2>Actions</h2>
      <div id="bot-wish">
        <Wish {...props} />
      </div>
      {preview === null ? <NoPreview /> : <ActionPreviewCard {...preview} />}
      <div id="bot-by-hand" class="manuals">
        <ByHand {...props} />
      </div>
    </section>
  );
}
