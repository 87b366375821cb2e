// What a compiled Dragon carries inside itself beside its code. Run from source there is none, and the
// same things are taken from node_modules.
import type { PostgresArchive } from "./adapters/postgres/server-archive.ts";
import type { PackageNotice } from "./adapters/system/notices.ts";

/** Contents of the executable, made by src/build.ts. */
export type Bundle = {
  readonly commit: string | null;
  readonly postgres: PostgresArchive;
  /** Where each compressed file lies, by `<encoding> <path>`. */
  readonly assets: Readonly<Record<string, string>>;
  readonly notices: readonly PackageNotice[];
};

/** The bundle of a compiled Dragon; null when it runs from source. */
export async function loadBundle(): Promise<Bundle | null> {
  if (!Bun.isStandaloneExecutable) return null;
  return (await import("../dist/gen/bundle.js")).BUNDLE;
}
