// JSON documents given as files. A problem is one sentence naming the file; nothing is guessed.
import { readFile } from "node:fs/promises";
import { InputError } from "../../model/result.ts";

/** Largest document read, in bytes; a configuration is a few kilobytes. */
const JSON_BYTES_MAX = 4 * 1024 * 1024;

function readProblem(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "the file may not be read by this user";
  if (code === "EISDIR") return "it is a folder, not a file";
  return "the file cannot be read";
}

/**
 * Reads a JSON file.
 * @throws InputError naming the file when it is absent, too large or not JSON
 */
export async function readJsonFile(path: string): Promise<unknown> {
  let text = "";
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new InputError(`${path}: ${readProblem(error)}`, { cause: error });
  }
  if (text.length > JSON_BYTES_MAX) {
    throw new InputError(`${path}: ${text.length} characters; at most ${JSON_BYTES_MAX} are read`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InputError(`${path}: not JSON (${why})`, { cause: error });
  }
}
