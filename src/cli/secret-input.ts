// Takes a password from a file or from stdin, never from the command line, where other users of the
// machine could read it.
import { readFileSync } from "node:fs";
import { InputError } from "../model/result.ts";
import { type CommandContext, optionText } from "./command.ts";

/** The option every command with a password has. */
export const PASSWORD_OPTIONS = { "password-file": { type: "string" } } as const;
export const PASSWORD_HELP = {
  "password-file": "Reads the password from this file instead of stdin.",
} as const;

/**
 * The password without its line end.
 * @throws InputError when the file cannot be read or nothing was given
 */
export async function readPassword(context: CommandContext): Promise<string> {
  const path = optionText(context, "password-file");
  const text = path === undefined ? await context.readStdin() : readSecretFile(path);
  const password = text.replace(/\r?\n$/, "");
  if (password === "") {
    const where = path === undefined ? "stdin" : path;
    throw new InputError(`password: nothing came from ${where}; pipe it in or use --password-file`);
  }
  return password;
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new InputError(`--password-file: "${path}" cannot be read (${reason})`);
  }
}
