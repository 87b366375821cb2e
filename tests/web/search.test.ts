// The search behind `/`: pages by name and purpose, topics of the manual, runs by number; never a page
// the asking role cannot open.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RESULTS_MAX } from "../../src/web/routes/search.tsx";
import { browserOf, type TestBrowser, type WebCase, webCase, workspaceWith } from "./web-case.ts";

let made: WebCase;
const browsers: Record<string, TestBrowser> = {};
beforeAll(async () => {
  made = await webCase();
  await workspaceWith(made, "alpha");
  for (const role of ["owner", "viewer"]) {
    const browser = browserOf(made);
    await browser.signIn(`${role}@alpha.example`);
    browsers[role] = browser;
  }
});
afterAll(() => made.database.drop());

const SCENARIOS: { role: string; query: string; has: string[]; hasNot: string[] }[] = [
  { role: "owner", query: "", has: ['href="/runs"', 'href="/users"'], hasNot: ["/help/"] },
  { role: "viewer", query: "", has: ['href="/runs"'], hasNot: ["/users", "/backtest"] },
  { role: "viewer", query: "people", has: ["/help/access"], hasNot: ['href="/users"'] },
  { role: "owner", query: "one-time", has: ['href="/users"'], hasNot: [] },
  { role: "owner", query: "GAPS import", has: ['href="/candles"'], hasNot: ['href="/users"'] },
  { role: "viewer", query: "#12", has: ['href="/runs/12"'], hasNot: [] },
  { role: "viewer", query: "run 7", has: ['href="/runs/7"'], hasNot: [] },
  { role: "viewer", query: "master.key", has: ["/help/backup-and-keys"], hasNot: [] },
  { role: "viewer", query: "<img src=x>", has: ["&lt;img src=x&gt;"], hasNot: ["<img"] },
  { role: "viewer", query: "x".repeat(5000), has: ["Nothing found"], hasNot: ["x".repeat(101)] },
];

for (const { role, query, has, hasNot } of SCENARIOS) {
  test(`a ${role} looks for "${query.slice(0, 20)}"`, async () => {
    const answer = await browsers[role]?.get(`/search?q=${encodeURIComponent(query)}`);
    expect(answer?.status).toBe(200);
    const text = (await answer?.text()) ?? "";
    for (const part of has) expect(text).toContain(part);
    for (const part of hasNot) expect(text).not.toContain(part);
    expect((text.match(/<li>/g) ?? []).length).toBeLessThanOrEqual(RESULTS_MAX);
  });
}
