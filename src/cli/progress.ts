// A progress bar on stderr. It draws only on a terminal, so that logs and pipes stay clean.
import type { Progress } from "./command.ts";

const BAR_COLUMNS = 30;
const REDRAW_MS = 80;

/** The part of a stream the bar needs. */
export type Screen = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
};

/** One line of a bar: `[=====     ]  50 % label`. */
export function barLine(done: number, total: number, label: string, columns: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const full = Math.round(share * BAR_COLUMNS);
  const bar = "=".repeat(full).padEnd(BAR_COLUMNS);
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} % ${label}`.slice(0, columns - 1);
}

/** A bar that redraws itself in place; silent when the screen is no terminal. */
export function createProgress(screen: Screen, total: number, label: string): Progress {
  if (screen.isTTY !== true) return { update: () => undefined, done: () => undefined };
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  let shown = label;
  let last = 0;
  const draw = (done: number) => {
    const line = barLine(done, total, shown, screen.columns ?? 80);
    screen.write(`\r\x1b[2K${line}`);
  };
  return {
    update(done, text) {
      last = done;
      shown = text ?? shown;
      const nowMs = performance.now();
      if (nowMs - drawnAtMs < REDRAW_MS) return;
      drawnAtMs = nowMs;
      draw(done);
    },
    done() {
      draw(last);
      screen.write("\n");
    },
  };
}
