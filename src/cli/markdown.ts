// Prints the manual's Markdown in a terminal: headings stand out, code is indented, tables become
// aligned columns. Pure; used by help.ts. It understands the small part of Markdown the manual uses.

/** How to print. */
export type PrintOptions = { readonly isTerminal: boolean; readonly columns: number };

const BOLD = ["\x1b[1m", "\x1b[22m"] as const;
const ACCENT = ["\x1b[1;33m", "\x1b[0m"] as const;

/** Markdown as lines for a terminal. */
export function printMarkdown(markdown: string, options: PrintOptions): string {
  const width = Math.max(40, Math.min(options.columns, 100));
  const out: string[] = [];
  for (const block of blocksOf(markdown)) {
    if (out.length > 0) out.push("");
    out.push(...printBlock(block, options, width));
  }
  return out.join("\n");
}

type Block = {
  readonly kind: "code" | "table" | "list" | "heading" | "text";
  readonly lines: string[];
};

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let current: Block | undefined;
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

function kindOf(line: string, current: Block | undefined): Block["kind"] | undefined {
  if (line.startsWith("```")) return "code";
  if (line.trim() === "") return undefined;
  if (line.startsWith("#")) return "heading";
  if (line.startsWith("|")) return "table";
  if (/^[-*] /.test(line) || (current?.kind === "list" && line.startsWith("  "))) return "list";
  return "text";
}

function printBlock(block: Block, options: PrintOptions, width: number): string[] {
  if (block.kind === "code") return block.lines.map((line) => `    ${line}`.trimEnd());
  if (block.kind === "table") return printTable(block.lines, width);
  if (block.kind === "heading") {
    const [line = ""] = block.lines;
    const text = line.replace(/^#+\s*/, "");
    if (!line.startsWith("##")) return [paint(text.toUpperCase(), ACCENT, options)];
    return [paint(text, BOLD, options)];
  }
  if (block.kind === "list")
    return itemsOf(block.lines).flatMap((item) => wrap(item, width, "- ", options));
  return wrap(block.lines.join(" "), width, "", options);
}

function itemsOf(lines: readonly string[]): string[] {
  const items: string[] = [];
  for (const line of lines) {
    if (/^[-*] /.test(line)) items.push(line.slice(2));
    else items.push(`${items.pop() ?? ""} ${line.trim()}`);
  }
  return items;
}

function paint(
  text: string,
  [on, off]: readonly [string, string],
  { isTerminal }: PrintOptions,
): string {
  return isTerminal ? `${on}${text}${off}` : text;
}

function wrap(text: string, width: number, bullet: string, options: PrintOptions): string[] {
  const indent = " ".repeat(bullet.length);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width - indent.length) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((each, i) => {
    const shown = each.replace(/`([^`]+)`/g, (_, code: string) => paint(code, BOLD, options));
    return (i === 0 ? bullet : indent) + shown;
  });
}

function printTable(lines: readonly string[], width: number): string[] {
  const rows = lines
    .filter((line) => !/^\|[\s|:-]+\|$/.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
  const [, ...body] = rows;
  // Wide tables become one entry per row: a name, then its meaning below.
  return body.flatMap(([name = "", standard = "", meaning = ""]) => {
    const text = `${meaning}${standard ? ` (default: ${standard})` : ""}`;
    const plain = { isTerminal: false, columns: width };
    return [name, ...wrap(text, width - 4, "", plain).map((line) => `    ${line}`)];
  });
}
