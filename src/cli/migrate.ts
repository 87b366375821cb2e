// `dragon migrate`: brings the schema up to date and says from where to where.
import { type Command, EXIT } from "./command.ts";

/** Applies what is pending. */
export const migrateCommand: Command = {
  name: "migrate",
  summary: "Brings the database schema up to date.",
  usage: "[--json]",
  async run(context) {
    const { from, to, applied } = await context.program.migrate();
    if (context.json) {
      context.out(JSON.stringify({ from, to, applied }));
      return EXIT.ok;
    }
    if (applied.length === 0) {
      context.out(`schema ${to}, nothing to do`);
      return EXIT.ok;
    }
    for (const name of applied) context.out(`applied ${name}`);
    context.out(`schema ${from} → ${to}`);
    return EXIT.ok;
  },
};
