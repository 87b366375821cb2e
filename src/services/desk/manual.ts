// Reads the small part of Markdown the manual uses into blocks. Pure; the web room turns them into
// pages, the command line into text. It knows nothing about how a block looks.

/** A run of text inside a block. */
export type Inline = { readonly kind: "text" | "code"; readonly text: string };

/** One block of a page. */
export type ManualBlock =
  | { readonly kind: "heading"; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: "text"; readonly parts: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly (readonly Inline[])[] }
  | {
      readonly kind: "table";
      readonly head: readonly string[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    };

type Raw = { readonly kind: ManualBlock["kind"]; readonly lines: string[] };

/** The blocks of a page in order. */
export function readManual(markdown: string): ManualBlock[] {
  return rawBlocks(markdown).map(toBlock);
}

function rawBlocks(markdown: string): Raw[] {
  const blocks: Raw[] = [];
  let current: Raw | undefined;
  for (const line of markdown.split("\n")) {
    if (current?.kind === "code") {
      if (line.startsWith("```")) current = undefined;
      else current.lines.push(line);
      continue;
    }
    const kind = kindOf(line, current);
    if (kind === undefined) current = undefined;
    else if (kind === current?.kind && kind !== "heading") current.lines.push(line);
    else {
      current = { kind, lines: kind === "code" ? [] : [line] };
      blocks.push(current);
    }
  }
  return blocks;
}

function kindOf(line: string, current: Raw | undefined): Raw["kind"] | undefined {
  if (line.startsWith("```")) return "code";
  if (line.trim() === "") return undefined;
  if (line.startsWith("#")) return "heading";
  if (line.startsWith("|")) return "table";
  if (/^[-*] /.test(line) || (current?.kind === "list" && line.startsWith("  "))) return "list";
  return "text";
}

function toBlock({ kind, lines }: Raw): ManualBlock {
  switch (kind) {
    case "heading": {
      const [line = ""] = lines;
      const depth = /^#+/.exec(line)?.[0].length ?? 1;
      const level = depth === 1 ? 1 : depth === 2 ? 2 : 3;
      return { kind, level, text: line.replace(/^#+\s*/, "") };
    }
    case "code":
      return { kind, text: lines.join("\n") };
    case "list":
      return { kind, items: itemsOf(lines).map(inline) };
    case "table": {
      const [head = [], ...rows] = lines.filter((line) => !/^\|[\s|:-]+\|$/.test(line)).map(cells);
      return { kind, head, rows: rows.map((row) => row.map(inline)) };
    }
    case "text":
      return { kind, parts: inline(lines.join(" ")) };
  }
}

function cells(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function itemsOf(lines: readonly string[]): string[] {
  const items: string[] = [];
  for (const line of lines) {
    if (/^[-*] /.test(line)) items.push(line.slice(2));
    else items.push(`${items.pop() ?? ""} ${line.trim()}`);
  }
  return items;
}

function inline(text: string): Inline[] {
  return text
    .split(/(`[^`]+`)/)
    .filter((part) => part !== "")
    .map((part) =>
      /^`[^`]+`$/.test(part)
        ? { kind: "code", text: part.slice(1, -1) }
        : { kind: "text", text: part },
    );
}
