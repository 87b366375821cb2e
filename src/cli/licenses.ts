// `dragon licenses`: the licences of everything Dragon brings along.
import { type Command, EXIT, optionFlag } from "./command.ts";

/** Prints one line per part, or every text. */
export const licensesCommand: Command = {
  name: "licenses",
  summary: "Prints the licences of everything bundled.",
  usage: "[--full] [--json]",
  options: { full: { type: "boolean" } },
  optionHelp: { full: "Prints the whole licence texts." },
  async run(context) {
    const notices = await context.program.notices();
    if (context.json) {
      context.out(JSON.stringify(notices, null, 1));
      return EXIT.ok;
    }
    if (optionFlag(context, "full")) {
      const rule = "=".repeat(78);
      for (const notice of notices) {
        context.out(
          `${rule}\n${notice.name} ${notice.version}: ${notice.licence}\n${rule}\n${notice.text}\n`,
        );
      }
      return EXIT.ok;
    }
    const width = Math.max(...notices.map((notice) => `${notice.name} ${notice.version}`.length));
    for (const { name, version, licence } of notices) {
      context.out(`${`${name} ${version}`.padEnd(width)}   ${licence}`);
    }
    return EXIT.ok;
  },
};
