// `dragon admin rotate-key`: another master key for everything that is sealed. The new key comes from
// stdin or a file, never from the command line, and is never printed.
import { readFileSync } from "node:fs";
import { InputError } from "../model/result.ts";
import { type Command, type CommandContext, EXIT, optionText } from "./command.ts";

/** What a change of the key did. */
export type RotatedKey = {
  readonly fromKeyId: string;
  readonly toKeyId: string;
  /** How many credentials were sealed anew. */
  readonly credentials: number;
  /** The key file; null when the key comes from the environment. */
  readonly path: string | null;
  /** Where the old key is kept. */
  readonly formerPath: string | null;
};

/** Changes the key; main.ts knows how. */
export type RotateKey = (context: CommandContext, typed: string) => Promise<RotatedKey>;

/** The command over what changes the key. */
export function rotateKeyCommand(rotate: RotateKey): Command {
  return {
    name: "rotate-key",
    summary: "Seals everything under a new master key.",
    usage: "[--new-key-file FILE] < new key",
    options: { "new-key-file": { type: "string" } },
    optionHelp: { "new-key-file": "Reads the new key from this file instead of stdin." },
    async run(context) {
      const rotated = await rotate(context, await readNewKey(context));
      if (context.json) context.out(JSON.stringify(rotated));
      else for (const line of report(rotated)) context.out(line);
      return EXIT.ok;
    },
  };
}

async function readNewKey(context: CommandContext): Promise<string> {
  const path = optionText(context, "new-key-file");
  const text = path === undefined ? await context.readStdin() : readFile(path);
  if (text.trim() !== "") return text;
  const where = path === undefined ? "stdin" : path;
  throw new InputError(
    `new key: nothing came from ${where}; make one with: openssl rand -base64 32`,
  );
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new InputError(`--new-key-file: "${path}" cannot be read (${reason})`);
  }
}

function report({ fromKeyId, toKeyId, credentials, path, formerPath }: RotatedKey): string[] {
  const count = credentials === 1 ? "1 set of keys" : `${credentials} sets of keys`;
  return [
    `the master key is ${toKeyId} now, it was ${fromKeyId}; ${count} sealed anew`,
    path === null
      ? "the key comes from the environment: put the new one there before the next start"
      : `the new key is in ${path}, the old one is kept as ${formerPath}`,
    "restart Dragon if it is running; copy the new key to where you keep the old one",
  ];
}
