// The files of a cluster: made once with initdb, checked for its version ever after. Called by
// embedded.ts while it holds the start lock; never touches an existing cluster's data.
import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import type { PostgresBinaries } from "./binaries.ts";
import { DatabaseError } from "./errors.ts";
import { type Folders, own } from "./folders.ts";
import { type Account, listedAccount, type ServerUser } from "./server-user.ts";

/** The role Dragon connects as; the socket folder is what keeps others out. */
export const SERVER_ROLE = "dragon";

/** The environment of every PostgreSQL program: the same on each machine. */
export function serverEnvironment(home: string): Record<string, string> {
  return { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC", HOME: home };
}

/** True when a complete cluster is there. */
export function hasCluster(folders: Folders): boolean {
  return existsSync(join(folders.cluster, "PG_VERSION"));
}

/**
 * Compares the cluster's major version with the programs.
 * @throws DatabaseError when they differ
 */
export function checkClusterVersion(folders: Folders, binaries: PostgresBinaries): void {
  const made = readFileSync(join(folders.cluster, "PG_VERSION"), "utf8").trim();
  const brought = binaries.version.split(".")[0] ?? "";
  if (made === brought) return;
  throw new DatabaseError(
    `the database in ${folders.cluster} was made by PostgreSQL ${made} and this Dragon brings ` +
      `PostgreSQL ${brought}: use the Dragon that made it, or restore a backup into a new folder`,
  );
}

/**
 * Makes the cluster beside its place and publishes it with one rename, so that an interrupted start
 * leaves no half cluster.
 * @throws DatabaseError with what initdb said
 */
export async function makeCluster(
  folders: Folders,
  user: ServerUser,
  binaries: PostgresBinaries,
  root: string,
): Promise<void> {
  const draft = `${folders.cluster}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  const maker = initdbAccount(user);
  if (maker) lchownSync(draft, maker.uid, maker.gid);
  const refusal = await runInitdb(folders, draft, maker, root);
  if (refusal !== null) {
    await useEmptyCluster(draft, refusal, user, binaries);
  }
  if (!user.isSelf) ownAll(draft, user);
  chmodSync(draft, 0o700);
  // An empty place left by hand or by an interrupted start is replaced; a filled one is refused.
  if (existsSync(folders.cluster) && readdirSync(folders.cluster).length > 0) {
    throw new DatabaseError(
      `the folder ${folders.cluster} is not empty and holds no PostgreSQL cluster: move it away`,
    );
  }
  renameSync(draft, folders.cluster);
}

// initdb needs an account listed in /etc/passwd; the files are handed over afterwards.
function initdbAccount(user: ServerUser): Account | null {
  if (user.isSelf) return null;
  return user.name === `user ${user.uid}` ? listedAccount() : user;
}

/** @returns null on success, the complaint when initdb does not know its own user */
async function runInitdb(
  folders: Folders,
  draft: string,
  maker: Account | null,
  root: string,
): Promise<string | null> {
  const initdb = Bun.spawn(
    [
      join(root, "bin/initdb"),
      ...["-D", draft, "-U", SERVER_ROLE, "--auth=trust", "--encoding=UTF8"],
      ...["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
      ...["--data-checksums", "--wal-segsize=4", "--no-instructions"],
    ],
    {
      ...(maker ? { uid: maker.uid, gid: maker.gid } : {}),
      env: serverEnvironment(draft),
      cwd: draft,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [output, complaint, code] = await Promise.all([
    new Response(initdb.stdout).text(),
    new Response(initdb.stderr).text(),
    initdb.exited,
  ]);
  if (code === 0) return null;
  const said = (complaint || output).trim();
  if (/effective user ID|user does not exist/i.test(said)) return said;
  throw new DatabaseError(
    `PostgreSQL could not create its database in ${folders.cluster}: ${lastLine(said)}`,
  );
}

async function useEmptyCluster(
  draft: string,
  refusal: string,
  user: ServerUser,
  binaries: PostgresBinaries,
): Promise<void> {
  if (!binaries.emptyCluster) {
    throw new DatabaseError(
      `PostgreSQL cannot create its database because user id ${user.uid} has no entry in ` +
        "/etc/passwd: add one, run Dragon as a listed user, or set DRAGON_DATABASE_URL to an " +
        "external PostgreSQL",
      { cause: new Error(refusal) },
    );
  }
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  await binaries.emptyCluster(draft);
}

function ownAll(folder: string, user: ServerUser): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    lchownSync(join(folder, name), user.uid, user.gid);
  }
  own(folder, user);
}

function lastLine(text: string): string {
  return text.split("\n").at(-1) ?? text;
}
