// A run that has no result: waiting or busy, failed, or cancelled. The busy one is swapped from the
// server's stream; rendered by pages/run.tsx and web/routes/run-data.tsx.
import { ActionButton } from "./form.tsx";
import { Progress } from "./parts.tsx";

/** What a run is busy with. */
export type ShownStage = "waiting" | "downloading" | "loading" | "computing" | "storing" | "ended";

const STAGES: Readonly<Record<ShownStage, string>> = {
  waiting: "Waiting for a free thread",
  downloading: "Downloading missing candles",
  loading: "Loading candles",
  computing: "Computing",
  storing: "Storing the result",
  ended: "Done, opening the result",
};

/** The part that changes: stage and share. */
export function RunStage({ stage, share }: { stage: ShownStage; share: number | null }) {
  const label = STAGES[stage];
  return (
    <div data-stage={stage}>
      <p class="stage">{label}</p>
      <Progress label={label} share={share} />
    </div>
  );
}

/** The card of a run that goes on. */
export function RunBusy(props: {
  runId: number;
  stage: ShownStage;
  share: number | null;
  mayTrade: boolean;
  csrf: string;
}) {
  const { runId, stage, share, mayTrade, csrf } = props;
  const stream = { "hx-sse:connect": `/runs/${runId}/events`, "hx-sse:close": "ended" };
  return (
    <section class="card run-busy" aria-label="Progress">
      <div id="run-progress" role="status" aria-live="off" {...stream}>
        <RunStage stage={stage} share={share} />
      </div>
      <p class="muted">
        The result opens by itself. You can leave this page; the run goes on and is found under{" "}
        <a href="/runs">Runs</a>.
      </p>
      {mayTrade ? (
        <ActionButton action={`/runs/${runId}/cancel`} csrf={csrf} label="Cancel run" />
      ) : null}
    </section>
  );
}

/** Why there is no result. */
export function RunUnfinished({
  status,
  error,
}: {
  status: "failed" | "cancelled";
  error: string | null;
}) {
  return (
    <section class="card">
      <h2>{status === "failed" ? "The run failed" : "The run was cancelled"}</h2>
      <p class={status === "failed" ? "down" : "muted"}>
        {error ?? "It was stopped before its end; nothing was kept."}
      </p>
    </section>
  );
}
