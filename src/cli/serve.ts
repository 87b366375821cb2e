// `dragon serve`: starts everything and reports it to the person at the console, then waits until
// it is stopped. The starting and stopping itself is done by the composition.
import {
  type Command,
  type CommandContext,
  EXIT,
  optionFlag,
  type ProgramInfo,
  type RunningDragon,
} from "./command.ts";

/** Starts database and web server; ends with Ctrl-C or SIGTERM. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Starts Dragon: its database and its pages.",
  usage: "[--no-worker] [--json]",
  options: { "no-worker": { type: "boolean" } },
  optionHelp: { "no-worker": "pages only: `dragon worker` trades and computes elsewhere" },
  async run(context) {
    const info = await context.program.info();
    const dragon = await context.program.serve(!optionFlag(context, "no-worker"));
    report(context, info, dragon);
    const code = await dragon.stopped;
    if (!context.json && code === EXIT.ok) context.out("  Dragon has stopped.");
    return code;
  },
};

function report(context: CommandContext, info: ProgramInfo, dragon: RunningDragon): void {
  const { url, setupUrl, database, dataDir } = dragon;
  if (context.json) {
    context.out(
      JSON.stringify({ version: info.version, url, setupUrl: setupUrl ?? null, database, dataDir }),
    );
    return;
  }
  for (const line of bannerLines(info, dragon)) context.out(line);
  if (dragon.isExposed) {
    context.err(
      "  Other machines can reach this address, and it speaks plain HTTP: put a proxy with TLS in front (dragon help configuration).\n",
    );
  }
}

/** The lines a start prints. */
export function bannerLines(info: ProgramInfo, dragon: RunningDragon): string[] {
  const { url, setupUrl, database, dataDir, key } = dragon;
  const lines = ["", `  Dragon ${info.version} is running.`, "", `  Open     ${url}`];
  if (setupUrl !== undefined) {
    lines.push(
      `  Set up   ${setupUrl}`,
      "           creates the owner; works once, within 24 hours",
    );
  }
  lines.push(`  Data     ${dataDir}`, `           ${database}`);
  if (key.from === "created") {
    lines.push(
      `  Key      ${key.path}`,
      "           made just now. Keep a copy outside this machine: without it,",
      "           encrypted secrets are lost (dragon help backup-and-keys)",
    );
  }
  lines.push("  Stop     Ctrl-C", "");
  return lines;
}
