// Programs whose exchange is led to a simulated one: Dragon as people run it, compiled or from source, and programs
// of the tests. A preloaded library leads connections to the exchange's addresses to a door on this machine, so that
// nothing of the program knows of the test, and nothing of it reaches a real exchange.
import { join } from "node:path";
import { type ChildProgram, startProgram } from "../support/child-program.ts";
import { cleanEnv } from "../support/dragon.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { DOOR_CERTIFICATE } from "./exchange-door.ts";

/** How Dragon is started. */
export type DragonTask = {
  /** The executable, or Bun and the entry of the source. */
  readonly command: readonly string[];
  readonly dataDir: string;
  readonly masterKey: Uint8Array;
  /** Of the door to the exchange. */
  readonly port: number;
};

/** A Dragon that was started. */
export type LedDragon = {
  /** What it wrote, shortened to its end. */
  output(): string;
  /** Sends a signal and waits until it is gone. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Resolves to the exit code when the process is gone and everything it wrote was read. */
  readonly ended: Promise<number>;
};

const OUTPUT_KEPT = 200_000;

let library: string | null = null;

/** Builds the library, once. @throws with what the compiler said */
function leadLibrary(): string {
  if (library !== null) return library;
  const path = join(temporaryFolder(), "lead.so");
  const source = join(import.meta.dir, "lead.c");
  const built = Bun.spawnSync(["gcc", "-O2", "-shared", "-fPIC", "-o", path, source, "-ldl"]);
  if (built.exitCode !== 0) throw new Error(`gcc: ${built.stderr}`);
  library = path;
  return path;
}

function leadEnv(port: number): Record<string, string> {
  return {
    LD_PRELOAD: leadLibrary(),
    LEAD_TO: String(port),
    NODE_EXTRA_CA_CERTS: DOOR_CERTIFICATE,
  };
}

/** Starts a program of the tests as `startProgram` does, led to the door at `port`. */
export function startLedProgram(file: string, task: object, port: number): ChildProgram {
  const lead = leadEnv(port);
  // A program of the tests gets the environment of its parent as it is at this moment.
  Object.assign(process.env, lead);
  try {
    return startProgram(file, task);
  } finally {
    for (const name of Object.keys(lead)) delete process.env[name];
  }
}

/** Starts `dragon serve`. */
export function startDragon({ command, dataDir, port, masterKey }: DragonTask): LedDragon {
  const child = Bun.spawn([...command, "serve"], {
    env: cleanEnv({
      DRAGON_DATA_DIR: dataDir,
      DRAGON_MASTER_KEY: Buffer.from(masterKey).toString("hex"),
      DRAGON_PORT: "0",
      ...leadEnv(port),
    }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let output = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      output = (output + decoder.decode(chunk, { stream: true })).slice(-OUTPUT_KEPT);
    }
  };
  const all = Promise.all([child.exited, collect(child.stdout), collect(child.stderr)]);
  const ended = all.then(([code]) => code);
  return {
    ended,
    output: () => output,
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}
