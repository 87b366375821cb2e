// The watermark of the demo: one quiet line above everything on every page of a workspace that has one.
// Rendered by layout.tsx; exports carry the same words.

import { DEMO_WATERMARK } from "../../src/model/demo-watermark.ts";

/** The line. */
export function DemoBand() {
  return (
    <p class="demo-band">
      {DEMO_WATERMARK} · <a href="/demo">About the demo</a>
    </p>
  );
}
