// `dragon version`: what runs here. Reads no configuration, so that it works when nothing else does.
import { type Command, EXIT } from "./command.ts";

/** Prints name, version, commit, runtime and platform. */
export const versionCommand: Command = {
  name: "version",
  summary: "Prints version, commit, runtime and platform.",
  usage: "[--json]",
  async run(context) {
    const { name, version, commit, runtime, platform } = await context.program.info();
    if (context.json) {
      context.out(JSON.stringify({ name, version, commit: commit ?? null, runtime, platform }));
      return EXIT.ok;
    }
    const build = commit === undefined ? "" : ` (${commit})`;
    context.out(`${name} ${version}${build}, ${runtime}, ${platform}`);
    return EXIT.ok;
  },
};
