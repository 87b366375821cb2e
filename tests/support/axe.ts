// Asks axe-core about the page a browser shows. Used by the walks; "serious" and "critical" count.
import axe from "axe-core";
import type { Page } from "playwright-core";

type Finding = { id: string; impact: string | null; nodes: { target: string[] }[] };

/** One line per serious finding: the rule and the first places that break it. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate(
    "axe.run().then(({ violations }) => violations)",
  )) as Finding[];
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map(({ target }) => target.join(" "))
          .join("; ")}`,
    );
}
