// `dragon doctor`: looks at the installation and names a cure for each problem. Changes nothing
// that lasts. Exit code 1 when a check failed, so that it serves as a health check.
import { examine, type Finding, type Verdict } from "../services/desk/doctor.ts";
import { type Command, type CommandContext, EXIT } from "./command.ts";

const COLOURS: Record<Verdict, string> = { ok: "32", warn: "33", fail: "31" };

/** Prints one line per check. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Checks the installation and names a cure for each problem.",
  usage: "[--json]",
  async run(context) {
    const findings = await examine(await context.program.doctorProbes());
    const isFine = findings.every((finding) => finding.verdict !== "fail");
    if (context.json) context.out(JSON.stringify({ ok: isFine, checks: findings }, null, 1));
    else for (const finding of findings) print(context, finding);
    return isFine ? EXIT.ok : EXIT.failed;
  },
};

function print(context: CommandContext, { name, verdict, sentence, cure }: Finding): void {
  const word = verdict.padEnd(4);
  const shown = context.terminal.isTerminal ? `\x1b[${COLOURS[verdict]}m${word}\x1b[0m` : word;
  context.out(`${shown}  ${name.padEnd(13)}  ${sentence}`);
  if (cure !== undefined) context.out(`      ${"".padEnd(13)}  → ${cure}`);
}
