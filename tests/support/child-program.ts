// A program of the tests as a process of its own that talks in JSON lines: started with one JSON argument, it
// prints what happens and reads what it is told. Used by the kill tests and by the bench of many bots.
import { cleanEnv } from "./dragon.ts";

/** One line of a program; `line` says what it is. */
export type Line = { readonly line: string } & Readonly<Record<string, unknown>>;

/** A running program. */
export type ChildProgram = {
  readonly pid: number;
  /** Lines it printed so far, oldest first, at most `LINES_KEPT_MAX`. */
  readonly lines: readonly Line[];
  /** What it wrote beside them, shortened to its end. */
  errors(): string;
  /**
   * The first line of this name that has not been waited for yet.
   * @throws when the program ends or the time is over before it comes
   */
  next(name: string, limitMs: number): Promise<Line>;
  /** Sends one line. */
  tell(what: object): void;
  signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM"): void;
  isAlive(): boolean;
  /** Resolves when the process is gone and everything it printed was read. */
  readonly ended: Promise<void>;
};

const LINES_KEPT_MAX = 100_000;
const ERRORS_KEPT = 500_000;
const LOOK_EVERY_MS = 2;

/** Starts `file` with one JSON argument. */
export function startProgram(file: string, task: object): ChildProgram {
  const child = Bun.spawn([process.execPath, file, JSON.stringify(task)], {
    env: cleanEnv(),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const lines: Line[] = [];
  const seen = new Set<Line>();
  let errors = "";
  let hasEnded = false;
  const collectErrors = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      errors = (errors + decoder.decode(chunk, { stream: true })).slice(-ERRORS_KEPT);
    }
  };
  const all = [readLines(child.stdout, lines), collectErrors(), child.exited];
  const ended = Promise.all(all).then(() => {
    hasEnded = true;
  });
  return {
    ...{ pid: child.pid, lines, ended },
    errors: () => errors,
    async next(name, limitMs) {
      const endMs = performance.now() + limitMs;
      for (;;) {
        const found = lines.find((one) => one.line === name && !seen.has(one));
        if (found) {
          seen.add(found);
          return found;
        }
        if (hasEnded) throw new Error(`it ended before "${name}": ${errors}`);
        if (performance.now() > endMs) throw new Error(`no "${name}" in time: ${errors}`);
        await Bun.sleep(LOOK_EVERY_MS);
      }
    },
    tell(what) {
      child.stdin.write(`${JSON.stringify(what)}\n`);
      void child.stdin.flush();
    },
    signal: (name) => child.kill(name),
    isAlive: () => child.exitCode === null && child.signalCode === null,
  };
}

async function readLines(stream: ReadableStream<Uint8Array>, lines: Line[]): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") lines.push(JSON.parse(part));
    if (lines.length > LINES_KEPT_MAX) lines.splice(0, lines.length - LINES_KEPT_MAX);
  }
}

/** Prints a line of a program. */
export function say(line: string, fields: object = {}): void {
  process.stdout.write(`${JSON.stringify({ line, ...fields })}\n`);
}
