// The manual as blocks: what the pages get from the Markdown of every topic.
import { expect, test } from "bun:test";
import { readManual } from "../../../src/services/desk/manual.ts";
import { HELP_TOPICS } from "../../../views/help/index.ts";

test("headings, text with code, lists over several lines, tables and code become blocks", () => {
  const text =
    "# A\n\nb `c` d\ne\n\n- one\n  more\n- two\n\n| x | y |\n|---|---|\n| `1` | 2 |\n\n```\n# no\n```\n";
  expect(readManual(text)).toEqual([
    { kind: "heading", level: 1, text: "A" },
    {
      kind: "text",
      parts: [
        { kind: "text", text: "b " },
        { kind: "code", text: "c" },
        { kind: "text", text: " d e" },
      ],
    },
    {
      kind: "list",
      items: [[{ kind: "text", text: "one more" }], [{ kind: "text", text: "two" }]],
    },
    {
      kind: "table",
      head: ["x", "y"],
      rows: [[[{ kind: "code", text: "1" }], [{ kind: "text", text: "2" }]]],
    },
    { kind: "code", text: "# no" },
  ]);
});

test("every topic starts with its one title and leaves no Markdown signs in its text", () => {
  for (const { name, markdown } of HELP_TOPICS) {
    const blocks = readManual(markdown);
    const titles = blocks.filter((block) => block.kind === "heading" && block.level === 1);
    expect([name, titles.length, blocks[0]?.kind]).toEqual([name, 1, "heading"]);
    for (const block of blocks) {
      if (block.kind !== "text") continue;
      const plain = block.parts.filter((part) => part.kind === "text").map((part) => part.text);
      expect(plain.join("")).not.toMatch(/\*\*|\]\(|`|^#|^\d+\. /);
    }
  }
});
