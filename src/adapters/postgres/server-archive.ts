// The bundled PostgreSQL as it travels inside the executable: packed when Dragon is built, unpacked once into
// the data folder. Called by src/build.ts (pack) and by the composition of a compiled Dragon (unpack).
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PostgresBinaries } from "./binaries.ts";
import { DatabaseError, errorText } from "./errors.ts";

/** Archives inside the executable: paths that Bun.file can read, and the version they hold. */
export type PostgresArchive = {
  readonly version: string;
  /** bin, lib and share as tar.zst */
  readonly programs: string;
  /** a ready-made empty cluster as tar.zst, for users whom initdb refuses */
  readonly cluster: string;
};

/** Highest compression that decompresses at full speed. */
const ZSTD_LEVEL = 19;

/**
 * Packs a folder with its modes and links; the same content gives the same bytes.
 * @throws DatabaseError when tar fails
 */
export async function packFolder(folder: string, target: string): Promise<void> {
  const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  const tar = Bun.spawn(["tar", ...same, "-C", folder, "-cf", "-", "."], { stdout: "pipe" });
  const bytes = await new Response(tar.stdout).bytes();
  if ((await tar.exited) !== 0) throw new DatabaseError(`${folder} could not be packed by tar`);
  await Bun.write(target, Bun.zstdCompressSync(bytes, { level: ZSTD_LEVEL }));
}

async function unpack(archive: string, folder: string): Promise<void> {
  const bytes = await Bun.zstdDecompress(await Bun.file(archive).bytes());
  await new Bun.Archive(bytes).extract(folder);
}

/** Unpacks beside the target and publishes with one rename, so that nobody ever sees half a tree. */
async function unpackOnce(archive: string, target: string): Promise<string> {
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  mkdirSync(draft, { mode: 0o755 });
  try {
    await unpack(archive, draft);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (existsSync(target)) return target;
    throw new DatabaseError(
      `the bundled PostgreSQL cannot be unpacked into ${dirname(target)}: ${errorText(error)}`,
      { cause: error },
    );
  }
  return target;
}

/** The programs of a compiled Dragon. */
export function archivedBinaries(archive: PostgresArchive): PostgresBinaries {
  return {
    version: archive.version,
    place: (folder) => unpackOnce(archive.programs, join(folder, archive.version)),
    emptyCluster: (folder) => unpack(archive.cluster, folder),
  };
}
