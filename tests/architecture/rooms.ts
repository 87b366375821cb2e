// Reads the rooms table of src/README.md and finds imports it does not allow. Used by
// rooms.test.ts; it sees static, type-only, re-exporting, lazy and worker-URL imports.
import { builtinModules } from "node:module";
import { dirname, join, normalize } from "node:path";

/** What one room may do. */
export type Room = {
  readonly rooms: ReadonlySet<string>;
  /** Rooms of which only types may be imported. */
  readonly typesOnly: ReadonlySet<string>;
  readonly packages: readonly string[];
};

/** One import as found in a file. */
export type Import = { readonly specifier: string; readonly isType: boolean };

/** The table, by room name. */
export function parseRooms(markdown: string): Map<string, Room> {
  const rooms = new Map<string, Room>();
  for (const row of markdown.matchAll(/^\| *([a-z]+) *\|([^|\n]*)\|([^|\n]*)\|/gm)) {
    const [, name = "", mayImport = "", packages = ""] = row;
    if (name === "room") continue;
    const typesOnly = new Set<string>();
    const plain = mayImport.replace(/([a-z]+) \(types only\)/g, (_, room: string) => {
      typesOnly.add(room);
      return "";
    });
    rooms.set(name, { rooms: new Set(words(plain)), typesOnly, packages: words(packages) });
  }
  return rooms;
}

function words(cell: string): string[] {
  return cell.split(/\s+/).filter((word) => word !== "" && word !== "-");
}

/** The room a repository path belongs to; undefined for tests and other files outside the table. */
export function roomOf(path: string): string | undefined {
  const [top, second = "", ...deeper] = path.split("/");
  if (top !== "src") return ["views", "static", "migrations"].includes(top ?? "") ? top : undefined;
  if (deeper.length > 0) return second;
  if (second === "config.ts") return "config";
  return second.endsWith(".worker.ts") ? "worker" : "main";
}

const CLAUSE =
  /(?:^|[;}\s])(import|export)\s+(type\s+)?([\w$*\s{},]*?)\s*from\s*(["'])([^"'\n]+)\4/g;
const BARE = /(?:^|[;}\s])import\s*(["'])([^"'\n]+)\1/g;
const LAZY = /\bimport\s*\(\s*(["'`])([^"'`\n]+)\1/g;
const REQUIRE =
  /\b(?:require|require\.resolve|import\.meta\.require|import\.meta\.resolve)\s*\(\s*(["'`])([^"'`\n]+)\1/g;
const WORKER = /\bnew\s+URL\s*\(\s*(["'`])(\.[^"'`\n]+)\1/g;
const DOC_TYPE = /\btypeof\s+import\s*\(\s*(["'`])([^"'`\n]+)\1/g;

/** Every import of a file; comments are ignored. */
export function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  for (const match of code.matchAll(CLAUSE)) {
    const names = match[3] ?? "";
    const parts = names
      .replace(/[{}]/g, "")
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean);
    const allTypes = parts.length > 0 && parts.every((part) => part.startsWith("type "));
    found.push({ specifier: match[5] ?? "", isType: match[2] !== undefined || allTypes });
  }
  const typeQueries = new Set(
    [...code.matchAll(DOC_TYPE)].map((match) => (match.index ?? 0) + match[0].indexOf("import")),
  );
  for (const match of code.matchAll(LAZY)) {
    found.push({ specifier: match[2] ?? "", isType: typeQueries.has(match.index ?? -1) });
  }
  for (const pattern of [BARE, REQUIRE, WORKER]) {
    for (const match of code.matchAll(pattern))
      found.push({ specifier: match[2] ?? "", isType: false });
  }
  return found;
}

function withoutComments(text: string): string {
  return text.replace(/^\s*\/\/.*$/gm, "").replace(/\/\*[\s\S]*?\*\//g, "");
}

/** The package of a specifier: `zod`, `@scope/name`; undefined for Node and Bun built-ins. */
export function packageOf(specifier: string): string | undefined {
  if (/^(node|bun):|^bun$/.test(specifier)) return undefined;
  const [first = "", second = ""] = specifier.split("/");
  if (builtinModules.includes(first)) return undefined;
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/** One sentence per import that the table does not allow. */
export function violations(rooms: ReadonlyMap<string, Room>, file: string, text: string): string[] {
  const from = roomOf(file);
  if (from === undefined) return [];
  const room = rooms.get(from);
  if (!room) return [`${file}: room ${from} is not in the table of src/README.md`];
  return importsOf(text).flatMap((each) => problem(file, from, room, each) ?? []);
}

function problem(file: string, from: string, room: Room, found: Import): string | undefined {
  const { specifier } = found;
  // A file of a package taken by its path is still the package.
  const taken = /^(?:\.\.?\/)+node_modules\/(.+)/.exec(specifier)?.[1];
  if (taken !== undefined || !specifier.startsWith(".")) {
    const name = packageOf(taken ?? specifier);
    if (name === undefined || isGranted(name, room.packages)) return undefined;
    return `${file}: room ${from} may not import package ${specifier}`;
  }
  const target = normalize(join(dirname(file), specifier));
  // The manifest and generated files belong to the room that reads them.
  if (!target.includes("/") || target.startsWith("dist/gen/")) return undefined;
  const to = roomOf(target);
  if (to === undefined) return `${file}: source may not import ${specifier}`;
  if (to === from || room.rooms.has(to)) return undefined;
  if (room.typesOnly.has(to)) {
    return found.isType
      ? undefined
      : `${file}: room ${from} may import only types of ${to} (${specifier})`;
  }
  return `${file}: room ${from} may not import ${to} (${specifier})`;
}

function isGranted(name: string, granted: readonly string[]): boolean {
  // A bare scope such as @logtape grants every package in it.
  return granted.some(
    (grant) => grant === name || (!grant.includes("/") && name.startsWith(`${grant}/`)),
  );
}
