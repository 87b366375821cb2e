// Collects the licences of the installed packages from node_modules, for `dragon licenses`. Reads
// files only; packages used for development alone are left out.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One package with its licence. */
export type PackageNotice = {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly text: string;
};

type Manifest = {
  name?: string;
  version?: string;
  license?: string | { type?: string };
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
};

const PACKAGES_MAX = 1000;

/** Notices of everything the program needs at run time, by name. */
export function packageNotices(root: string): PackageNotice[] {
  const notices = new Map<string, PackageNotice>();
  const waiting = needsOf(readManifest(root) ?? {});
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (notices.has(name) || notices.size >= PACKAGES_MAX) continue;
    const folder = join(root, "node_modules", name);
    const manifest = readManifest(folder);
    // Optional packages of other platforms are not installed.
    if (!manifest) continue;
    notices.set(name, noticeOf(name, manifest, folder));
    waiting.push(...needsOf(manifest));
  }
  return [...notices.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function needsOf(manifest: Manifest): string[] {
  return Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
}

function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, "package.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

function noticeOf(name: string, manifest: Manifest, folder: string): PackageNotice {
  const { license } = manifest;
  const named = typeof license === "string" ? license : license?.type;
  return {
    name,
    version: manifest.version ?? "",
    licence: named ?? "see text",
    text:
      licenceText(folder) ??
      "The package comes without a licence file; its licence is named above.",
  };
}

function licenceText(folder: string): string | undefined {
  const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying|notice)/i.test(each));
  return file === undefined ? undefined : readFileSync(join(folder, file), "utf8").trim();
}
