// House rules that a type checker cannot see: where it holds, what is banned, what to use instead.
// Used by tidy.test.ts.
import { dirname, join, normalize } from "node:path";
import { importsOf } from "./rooms.ts";

type Rule = {
  readonly where: RegExp;
  readonly banned: RegExp;
  readonly instead: string;
  /** Comments are searched as well. */
  readonly inComments?: boolean;
};

const PURE = /^src\/(model|indicators|strategy|execution|risk|analytics|engine)\//;
const SOURCE = /^(src|views|static|migrations)\//;

// The words are put together here so that this file does not contain them.
const LEFTOVERS = new RegExp(
  `\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|")})\\b`,
);
const MAKERS = new RegExp(
  ["clau" + "de", "chat" + "gpt", "co" + "pilot", "anthro" + "pic"].join("|"),
  "i",
);

const RULES: readonly Rule[] = [
  {
    where: PURE,
    banned: /\bDate\.now\b|\bnew Date\(\)|\bperformance\./,
    instead: "the `at` of the event being handled",
  },
  {
    where: PURE,
    banned: /\bMath\.random\b|\bcrypto\.|\brandomUUID|\bgetRandomValues/,
    instead: "engine/prng.ts with a seed",
  },
  {
    where: PURE,
    banned:
      /\bset(Timeout|Interval|Immediate)\b|\basync\b|\bawait\b|\bPromise\b|\bqueueMicrotask\b/,
    instead: "plain synchronous functions",
  },
  {
    where: PURE,
    banned: /\bconsole\.|\bBun\.|\bprocess\.|\bfetch\(|\brequire\(|["']node:(?!assert)/,
    instead: "nothing: pure rooms do no I/O",
  },
  {
    where: /^(src\/(?!config\.ts|setup\.mjs)|views|static|migrations)/,
    banned: /\bprocess\.env\b|\bBun\.env\b|\bimport\.meta\.env\b/,
    instead: "src/config.ts",
  },
  {
    where: /^src\/(?!adapters\/postgres\/)/,
    banned: /\bsql\s*(<[^`]*>)?\s*`/,
    instead: "a repository in adapters/postgres",
  },
  {
    where: /^src\/(?!adapters\/postgres\/migrate\.ts)/,
    banned: /\.unsafe\(/,
    instead: "a tagged template",
  },
  {
    where: /^src\/(?!services\/live\/order-dispatcher\.ts|adapters\/)/,
    banned: /\bbroker\.(place|cancel|amend)\w*\(/,
    instead: "the order dispatcher, the one door to a venue",
  },
  {
    where: /^src\/(?!risk\/pre-trade\.ts)/,
    banned: /\bas ApprovedIntent\b/,
    instead: "risk/pre-trade.ts, the only maker of approved intents",
  },
  {
    where: /^src\/(?!main\.ts|cli\/|setup\.mjs)/,
    banned: /\bprocess\.exit\(/,
    instead: "an exit code that main.ts or a command returns",
  },
  {
    where: /^(src|views|static|migrations|tests)\//,
    banned: /(?<![\w"'`$.-])any(?=\s*[[\]>,;)=|&}]|$)(?<=[:<|&(,]\s*any|\bas any)/,
    instead: "unknown, and a check",
  },
  {
    where: SOURCE,
    banned: /@ts-(ignore|nocheck|expect-error)/,
    instead: "a type that fits",
    inComments: true,
  },
  {
    where: /^(src|views|migrations)\//,
    banned: /^export default\b|\bexport \{ default/,
    instead: "a named export",
  },
  {
    where: SOURCE,
    banned: /\bcatch\s*(\([^)]*\))?\s*\{\s*\}/,
    instead: "handling, or a sentence why nothing is done",
  },
  {
    where: /^src\/(?!setup\.mjs)/,
    banned: /\bconsole\./,
    instead: "the log port, or out() and err() of a command",
  },
  { where: /^tests\//, banned: /\b(test|describe|it)\.only\(/, instead: "the whole file" },
  {
    where: /^tests\/(?!support\/needs\.ts)/,
    banned: /\b(test|describe|it)\.(skip|todo|skipIf|if)\(/,
    instead: "testIf of tests/support/needs.ts, which names the reason",
  },
  {
    where: /./,
    banned: LEFTOVERS,
    instead: "a fix, or a sentence in src/README.md",
    inComments: true,
  },
  { where: /./, banned: MAKERS, instead: "nothing: the code stands for itself", inComments: true },
  {
    where: /./,
    banned: /(^|[\s"'`(])\/(work|root|home\/\w+)\/(main|shared|dragon)\b/,
    instead: "a path relative to the repository",
    inComments: true,
  },
];

export const LINES_MAX = 400;
export const CODE_COLUMNS_MAX = 100;
/** Prose may run a little wider than code. */
export const COMMENT_COLUMNS_MAX = 120;

/** One sentence per broken rule. */
export function untidy(path: string, text: string): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const found: string[] = [];
  if (lines.length > LINES_MAX) found.push(`${path}: ${lines.length} lines, at most ${LINES_MAX}`);
  if (!hasHeader(lines)) found.push(`${path}:1 start with a comment saying what the file is for`);
  lines.forEach((line, i) => {
    const code = withoutComment(line);
    for (const { where, banned, instead, inComments } of RULES) {
      if (where.test(path) && banned.test(inComments === true ? line : code)) {
        found.push(`${path}:${i + 1} ${banned.source.slice(0, 30)}: use ${instead}`);
      }
    }
    // A sentence, an address or a pattern cannot be broken over lines.
    const isPlain = !/["'`/]/.test(code);
    const max = code.trim() === "" ? COMMENT_COLUMNS_MAX : CODE_COLUMNS_MAX;
    if (isPlain && line.length > max) {
      found.push(`${path}:${i + 1} ${line.length} columns, at most ${max}`);
    }
  });
  return found;
}

function hasHeader(lines: readonly string[]): boolean {
  const first = lines.find((line) => !line.startsWith("#!")) ?? "";
  return /^\s*(\/\/ |\/\*|<!--|-- )\S?/.test(first);
}

/** The code of a line: prose may name what code may not. */
function withoutComment(line: string): string {
  if (/^\s*(\/\/|\*|\/\*|-- )/.test(line)) return "";
  return line.replace(/(^|\s)\/\/ .*$/, "");
}

/** Files that no entry reaches, by following imports. */
export async function unreachable(
  entries: readonly string[],
  files: readonly string[],
  read: (path: string) => Promise<string>,
): Promise<string[]> {
  const known = new Set(files);
  const seen = new Set<string>();
  const waiting = entries.filter((entry) => known.has(entry));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    if (!/\.(tsx?|mjs)$/.test(file)) continue;
    for (const { specifier } of importsOf(await read(file))) {
      const target = normalize(join(dirname(file), specifier));
      if (specifier.startsWith(".") && known.has(target)) waiting.push(target);
    }
  }
  return files.filter((file) => !seen.has(file) && !file.endsWith(".d.ts"));
}
