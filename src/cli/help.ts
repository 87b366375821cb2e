// `dragon help [TOPIC]`: the manual in the terminal.
import { InputError } from "../model/result.ts";
import { type Command, EXIT } from "./command.ts";
import { printMarkdown } from "./markdown.ts";
import { didYouMean } from "./nearest.ts";

/** Prints a page of the manual, or the list of pages. */
export const helpCommand: Command = {
  name: "help",
  summary: "Prints the manual, one topic at a time.",
  usage: "[TOPIC] [--json]",
  positionals: { min: 0, max: 1 },
  async run(context) {
    const pages = await context.program.helpPages();
    const [topic] = context.args;
    if (topic === undefined) {
      if (context.json) {
        context.out(
          JSON.stringify(
            pages.map(({ name, summary }) => ({ name, summary })),
            null,
            1,
          ),
        );
        return EXIT.ok;
      }
      const width = Math.max(...pages.map((page) => page.name.length));
      const rows = pages.map((page) => `  ${page.name.padEnd(width)}   ${page.summary}`);
      context.out(["The manual. dragon help TOPIC prints one of:", "", ...rows, ""].join("\n"));
      context.out("dragon --help lists the commands.");
      return EXIT.ok;
    }
    const page = pages.find((each) => each.name === topic);
    if (!page) {
      const names = pages.map((each) => each.name);
      throw new InputError(
        `there is no help topic "${topic}"${didYouMean(topic, names)} (${names.join(", ")})`,
      );
    }
    context.out(
      context.json ? JSON.stringify(page, null, 1) : printMarkdown(page.markdown, context.terminal),
    );
    return EXIT.ok;
  },
};
