// The manual as pages: the same Markdown that `dragon help` prints.
import { HELP_TOPICS } from "../../../views/help/index.ts";
import { HelpIndexPage, HelpTopicPage } from "../../../views/pages/help.tsx";
import { readManual } from "../../services/desk/manual.ts";
import type { WebDeps } from "../deps.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { frameOf, respondPage } from "../respond.ts";
import { page, type Route } from "../route.ts";

/** The heading of a page of the manual. */
function titleOf(markdown: string): string {
  return /^# (.+)$/m.exec(markdown)?.[1] ?? "Manual";
}

/** Routes of `/help`. */
export function helpRoutes({ about }: WebDeps, refuse: Refuse): Route[] {
  const topics = HELP_TOPICS.map(({ name, summary, markdown }) => ({
    name,
    summary,
    title: titleOf(markdown),
  }));
  return [
    page("/help", "viewer", (c) =>
      respondPage(c, <HelpIndexPage frame={frameOf(c, about)} topics={topics} />),
    ),
    page("/help/:topic", "viewer", (c) => {
      const topic = HELP_TOPICS.find(({ name }) => name === c.req.param("topic"));
      if (!topic) return refuse(c, NOT_FOUND);
      const blocks = readManual(topic.markdown);
      const title = titleOf(topic.markdown);
      const shown = <HelpTopicPage frame={frameOf(c, about)} title={title} blocks={blocks} />;
      return respondPage(c, shown);
    }),
  ];
}
