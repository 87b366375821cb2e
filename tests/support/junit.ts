// Reads the JUnit report of `bun test`. Used by run.ts to count and to name what was skipped.

/** How one test ended. */
export type Outcome = {
  readonly file: string;
  /** File, then the names from outside in. */
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
};

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

function decode(text: string): string {
  return text
    .replace(/&#(x?)([0-9a-f]+);/gi, (_, hex: string, code: string) =>
      String.fromCodePoint(Number.parseInt(code, hex ? 16 : 10)),
    )
    .replace(/&(lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}

function attribute(tag: string, name: string): string {
  return decode(new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? "");
}

/** Every test case of a report. */
export function readJunit(xml: string): Outcome[] {
  const outcomes: Outcome[] = [];
  for (const match of xml.matchAll(/<testcase\b([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const [, tag = "", , body = ""] = match;
    const file = attribute(tag, "file");
    const group = attribute(tag, "classname");
    const name = [file, group, attribute(tag, "name")].filter(Boolean).join(": ");
    const isFailed = /<(failure|error)\b/.test(body);
    const isSkipped = /<skipped\b/.test(body);
    outcomes.push({ file, name, state: isFailed ? "failed" : isSkipped ? "skipped" : "passed" });
  }
  return outcomes;
}
