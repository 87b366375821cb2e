// Prints the manual's Markdown in a terminal: headings stand out, code is indented, tables become
// aligned columns. Pure; used by help.ts. It understands the small part of Markdown the manual uses.

import { type Inline, type ManualBlock, readManual } from "../services/desk/manual.ts";

/** How to print. */
export type PrintOptions = { readonly isTerminal: boolean; readonly columns: number };

const BOLD = ["\x1b[1m", "\x1b[22m"] as const;
const ACCENT = ["\x1b[1;33m", "\x1b[0m"] as const;

/** Markdown as lines for a terminal. */
export function printMarkdown(markdown: string, options: PrintOptions): string {
  const width = Math.max(40, Math.min(options.columns, 100));
  const out: string[] = [];
  for (const block of readManual(markdown)) {
    if (out.length > 0) out.push("");
    out.push(...printBlock(block, options, width));
  }
  return out.join("\n");
}

function printBlock(block: ManualBlock, options: PrintOptions, width: number): string[] {
  switch (block.kind) {
    case "code":
      return block.text.split("\n").map((line) => `    ${line}`.trimEnd());
    case "table":
      return block.rows.flatMap((row) => printRow(row, width));
    case "heading":
      if (block.level === 1) return [paint(block.text.toUpperCase(), ACCENT, options)];
      return [paint(block.text, BOLD, options)];
    case "list":
      return block.items.flatMap((item) => wrap(item, width, "- ", options));
    case "text":
      return wrap(block.parts, width, "", options);
  }
}

function paint(
  text: string,
  [on, off]: readonly [string, string],
  { isTerminal }: PrintOptions,
): string {
  return isTerminal ? `${on}${text}${off}` : text;
}

function wrap(
  parts: readonly Inline[],
  width: number,
  bullet: string,
  options: PrintOptions,
): string[] {
  const marked = parts.map(({ kind, text }) => (kind === "code" ? `\`${text}\`` : text)).join("");
  const indent = " ".repeat(bullet.length);
  const lines: string[] = [];
  let line = "";
  for (const word of marked.split(/\s+/)) {
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

const plain = (parts: readonly Inline[] = []) => parts.map(({ text }) => text).join("");

/** Wide tables become one entry per row: a name, then its meaning below. */
function printRow(row: readonly (readonly Inline[])[], width: number): string[] {
  const [name, standard, meaning] = row;
  const usual = plain(standard);
  const text = `${plain(meaning)}${usual ? ` (default: ${usual})` : ""}`;
  const options = { isTerminal: false, columns: width };
  const below = wrap([{ kind: "text", text }], width - 4, "", options);
  return [plain(name), ...below.map((line) => `    ${line}`)];
}
