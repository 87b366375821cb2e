// The star and the note of whoever looks at a run. Rendered by run-head.tsx; each posts its own
// part, and what is not posted stays.
import { CsrfField } from "./form.tsx";

/** What is marked, and how it is now. */
type MarkProps = {
  readonly id: number;
  readonly isShortlisted: boolean;
  readonly note: string | null;
  readonly csrf: string;
};

/** Puts the run on the shortlist or takes it off; a note that was only typed so far is saved too. */
export function Star({ id, isShortlisted, csrf }: Omit<MarkProps, "note">) {
  return (
    <form
      method="post"
      action={`/runs/${id}/shortlist`}
      hx-post={`/runs/${id}/shortlist`}
      hx-include="#note"
      hx-target="#run-head"
      hx-swap="outerHTML"
    >
      <CsrfField csrf={csrf} />
      <input type="hidden" name="shortlisted" value={isShortlisted ? "no" : "yes"} />
      <button
        type="submit"
        class={isShortlisted ? "star on" : "star"}
        aria-pressed={isShortlisted ? "true" : "false"}
        aria-label="Shortlist"
        title={isShortlisted ? "On your shortlist" : "Put on your shortlist"}
      >
        {isShortlisted ? "★" : "☆"}
      </button>
    </form>
  );
}

/** The note; the mark stays. */
export function NoteForm(props: Omit<MarkProps, "isShortlisted"> & { noteMax: number }) {
  const { id, note, csrf, noteMax } = props;
  return (
    <form
      class="inline-form note"
      method="post"
      action={`/runs/${id}/shortlist`}
      hx-post={`/runs/${id}/shortlist`}
      hx-target="#run-head"
      hx-swap="outerHTML"
    >
      <CsrfField csrf={csrf} />
      <label for="note">Your note</label>
      <input
        id="note"
        name="note"
        value={note ?? ""}
        maxlength={noteMax}
        autocomplete="off"
        placeholder="only you see it"
      />
      <button type="submit" class="quiet">
        Save note
      </button>
    </form>
  );
}
