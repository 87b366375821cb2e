// Answers to requests that get no page of their own: JSON problems for programs, a page with one
// sentence for people. Used by app.tsx, guard.ts and routes that refuse.
import { MessagePage } from "../../views/pages/message.tsx";
import type { About } from "./deps.ts";
import { frameOf, type PageStatus, respondPage } from "./respond.ts";
import type { WebContext } from "./route.ts";

/** What went wrong, in a heading and a sentence. */
export type Problem = {
  readonly status: Exclude<PageStatus, 200> | 401;
  readonly title: string;
  readonly sentence: string;
};

/** Answers with a problem. */
export type Refuse = (c: WebContext, problem: Problem) => Response | Promise<Response>;

export const NOT_FOUND: Problem = {
  status: 404,
  title: "Not found",
  sentence: "There is no page at this address.",
};

/** RFC 9457 problem JSON. */
export function problemJson(c: WebContext, { status, title, sentence }: Problem): Response {
  return c.json({ type: "about:blank", title, status, detail: sentence }, status, {
    "content-type": "application/problem+json",
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
  });
}

/** Builds the answer for this program. */
export function createRefuse(about: About): Refuse {
  return (c, problem) => {
    const { status, title, sentence } = problem;
    const isPage = c.req.header("accept")?.includes("text/html") && status !== 401;
    if (!isPage || c.req.path.startsWith("/api/")) return problemJson(c, problem);
    const page = <MessagePage frame={frameOf(c, about)} title={title} sentence={sentence} />;
    return respondPage(c, page, status);
  };
}
