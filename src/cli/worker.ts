// `dragon worker`: trades accounts and computes runs for a database that others use too, and waits until it
// is stopped. The starting and stopping itself is done by the composition.
import { type Command, EXIT } from "./command.ts";

/** Starts a process without pages; ends with Ctrl-C or SIGTERM. */
export const workerCommand: Command = {
  name: "worker",
  summary: "Trades and computes without pages, beside a running Dragon.",
  usage: "[--json]",
  async run(context) {
    const worker = await context.program.worker();
    const { name, database } = worker;
    if (context.json) context.out(JSON.stringify({ name, database }));
    else {
      const lines = ["", "  A worker of Dragon is running.", "", `  Name     ${name}`];
      for (const line of [...lines, `  Data     ${database}`, "  Stop     Ctrl-C", ""]) {
        context.out(line);
      }
    }
    const code = await worker.stopped;
    if (!context.json && code === EXIT.ok) context.out("  The worker has stopped.");
    return code;
  },
};
