// Who runs the bundled PostgreSQL and whether that user can reach its folders. PostgreSQL refuses
// to run as root, so root hands over to an unprivileged account. Called by embedded.ts; it
// changes nothing.
import { readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseError, errorCode } from "./errors.ts";

/** An account by its numbers. */
export type Account = { readonly uid: number; readonly gid: number; readonly name: string };

/** Who runs the server; `isSelf` when it is the user of this process. */
export type ServerUser = Account & { readonly isSelf: boolean };

/** Accounts that root hands over to, first found first. */
const CANDIDATES = ["dragon", "postgres", "nobody"];

/**
 * Chooses the user for the server.
 * @param dataOwner owner of an existing cluster, which must keep it
 * @param wanted an account asked for, which only root can grant
 * @throws DatabaseError when the cluster belongs to somebody else, or root finds no account
 */
export function chooseServerUser(
  folder: string,
  dataOwner: { uid: number; gid: number } | null,
  wanted?: { readonly uid: number; readonly gid: number },
): ServerUser {
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const accounts = listAccounts();
  const named = (user: { uid: number; gid: number }): Account => {
    const known = accounts.find((account) => account.uid === user.uid);
    return { ...user, name: known?.name ?? `user ${user.uid}` };
  };
  if (self.uid !== 0) {
    if (dataOwner && dataOwner.uid !== self.uid) {
      throw new DatabaseError(
        `the database in ${folder} belongs to ${named(dataOwner).name}: ` +
          "run this command as that user or as root",
      );
    }
    return { ...named(self), isSelf: true };
  }
  if (dataOwner && dataOwner.uid !== 0) return { ...named(dataOwner), isSelf: false };
  if (wanted) return { ...named(wanted), isSelf: false };
  return { ...listedAccount(), isSelf: false };
}

/**
 * The first unprivileged account of /etc/passwd that root may hand over to.
 * @throws DatabaseError when there is none
 */
export function listedAccount(): Account {
  const accounts = listAccounts();
  for (const name of CANDIDATES) {
    const account = accounts.find((entry) => entry.name === name && entry.uid !== 0);
    if (account) return account;
  }
  throw new DatabaseError(
    "PostgreSQL refuses to run as root and none of the users dragon, postgres and nobody exists: " +
      "create a user dragon, or run Dragon as an ordinary user",
  );
}

function listAccounts(): Account[] {
  return readPasswd()
    .split("\n")
    .map((line) => line.split(":"))
    .filter((fields) => fields.length >= 4)
    .map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}

function readPasswd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch (error) {
    // Minimal images come without the file; nobody is listed then.
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}

/**
 * The first folder on the way to a path that the user cannot pass, null when the way is open.
 * Access lists are not seen, so a caller that is told a folder confirms it by trying.
 */
export function closedFolder(path: string, user: ServerUser): string | null {
  if (user.isSelf) return null;
  const folders: string[] = [];
  for (let folder = realpathSync(path); ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  return folders.find((folder) => !mayPass(statSync(folder), user)) ?? null;
}

function mayPass(stats: Stats, user: ServerUser): boolean {
  if (stats.uid === user.uid) return (stats.mode & 0o100) !== 0;
  if (stats.gid === user.gid) return (stats.mode & 0o010) !== 0;
  return (stats.mode & 0o001) !== 0;
}

/** True when the user can really reach the path, asked from the system itself. */
export function canReach(path: string, user: ServerUser): boolean {
  if (closedFolder(path, user) === null) return true;
  const probe = Bun.spawnSync(["/bin/sh", "-c", 'test -r "$1"', "sh", path], {
    uid: user.uid,
    gid: user.gid,
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  return probe.exitCode === 0;
}
