// Database problems as people should read them. Thrown by every file of this folder that starts,
// opens or migrates a database; never shows a password.

/** A problem with the database, told in one sentence that names the cure. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
}

/** The code of a system or PostgreSQL error, e.g. `ENOENT` or `57P03`; empty when it has none. */
export function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** The message of anything thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
