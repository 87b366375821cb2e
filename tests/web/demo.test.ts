// The demo on pages: who is offered it, what a click makes, the watermark, and the way to be rid of it. The
// exchange is the real one in its thread; nobody works for the bot here.
import { expect, test } from "bun:test";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { DEMO_WATERMARK } from "../../src/model/demo-watermark.ts";
import { storeCandles, walkCandles } from "../support/research-case.ts";
import { browserOf, type WebCase, withCase, workspaceWith } from "./web-case.ts";

const OFFER = "Start the demo";
const LIMIT_MS = 60_000;
const WITH_EXCHANGE = { hasDemoExchange: true };

async function signedIn(made: WebCase, email: string) {
  const browser = browserOf(made);
  await browser.signIn(email);
  await browser.get("/");
  return browser;
}

const textOf = async (answer: Promise<Response>) => (await answer).text();

/** What there is of demo and other things, as numbers. */
async function counts({ database: { sql } }: WebCase, workspaceId: number) {
  const [row] = await sql`select
    (select count(*)::int from accounts where workspace_id = ${workspaceId} and mode = 'demo'
      and status <> 'deleted') as "demoAccounts",
    (select count(*)::int from accounts where workspace_id = ${workspaceId} and mode <> 'demo'
      and status <> 'deleted') as "otherAccounts",
    (select count(*)::int from bots where workspace_id = ${workspaceId}
      and deleted_at is null) as bots,
    (select count(*)::int from runs where workspace_id = ${workspaceId}) as runs,
    (select count(*)::int from market_series where workspace_id = ${workspaceId}
      and exchange_id = 'demo') as "demoSeries",
    (select count(*)::int from market_series where workspace_id = ${workspaceId}
      and exchange_id <> 'demo') as "otherSeries"`;
  return { ...row };
}

test(
  "the demo is offered to owners and traders, never to a viewer, and begins with their form alone",
  () =>
    withCase(async (made) => {
      await workspaceWith(made, "alpha");
      for (const role of ["owner", "trader"]) {
        const browser = await signedIn(made, `${role}@alpha.example`);
        const page = await textOf(browser.get("/"));
        expect(page).toContain(OFFER);
        expect(page).toContain("Try with sample candles");
        expect(page).not.toContain(DEMO_WATERMARK);
        expect((await browser.post("/demo/begin", { csrf: "another" })).status).toBe(403);
        const failed = await browser.post("/demo/begin");
        expect(failed.status).toBe(409);
        expect(await failed.text()).toContain("The exchange inside Dragon did not start");
      }
      const viewer = await signedIn(made, "viewer@alpha.example");
      expect(await textOf(viewer.get("/"))).not.toContain(OFFER);
      expect(await textOf(viewer.get("/demo"))).toContain("This workspace has no demo");
      expect((await viewer.post("/demo/begin")).status).toBe(403);
      expect((await viewer.post("/demo/wipe", { confirm: "WIPE" })).status).toBe(403);
    }),
  LIMIT_MS,
);

test(
  "one click makes everything once; the word wipes that and nothing else",
  () =>
    withCase(async (made) => {
      const { scope, trader: user } = await workspaceWith(made, "alpha");
      await workspaceWith(made, "beta");
      const { sql } = made.database;
      const paper = { name: "Demo", exchangeId: "woox", mode: "paper" } as const;
      await createAccountRepository(sql).create(scope, paper, null, made.clock.now());
      await storeCandles(sql, scope, walkCandles(100));
      const before = await counts(made, scope.workspaceId);
      const trader = await signedIn(made, "trader@alpha.example");
      const begun = await trader.post("/demo/begin");
      expect([begun.status, begun.headers.get("location")]).toEqual([303, "/"]);
      const start = await textOf(trader.get("/"));
      // The name was taken by somebody's paper account.
      for (const text of [DEMO_WATERMARK, "Account Demo 2", "Open Demo bot"]) {
        expect(start).toContain(text);
      }
      expect(start).not.toContain(OFFER);
      const accountPath = /\/accounts\/\d+/.exec(start)?.[0] ?? "";
      expect((await trader.get(accountPath)).status).toBe(200);
      const once = { demoAccounts: 1, bots: 1, runs: 1 };
      expect(await counts(made, scope.workspaceId)).toMatchObject(once);
      expect((await trader.post("/demo/begin")).status).toBe(303);
      expect(await counts(made, scope.workspaceId)).toMatchObject(once);
      const asker = { ...scope, userId: user.id };
      const run = await made.deps.runs.settled(asker, 1 as never, LIMIT_MS);
      expect(run).toMatchObject({ status: "finished", error: null });
      expect(await textOf(trader.get("/demo"))).toContain("Open the result");

      const stranger = await signedIn(made, "owner@beta.example");
      expect(await textOf(stranger.get("/"))).not.toContain(DEMO_WATERMARK);
      await stranger.post("/demo/wipe", { confirm: "WIPE" });
      const refused = await trader.post("/demo/wipe", { confirm: "wipe" });
      expect(refused.status).toBe(422);
      expect(await refused.text()).toContain("“wipe” is not WIPE; nothing was removed");
      expect(await counts(made, scope.workspaceId)).toMatchObject({ bots: 1, runs: 1 });

      const wiped = await trader.post("/demo/wipe", { confirm: "WIPE" });
      expect(wiped.headers.get("location")).toBe("/demo?done=wiped");
      expect(await counts(made, scope.workspaceId)).toEqual(before);
      const after = await textOf(trader.get("/demo?done=wiped"));
      expect(after).toContain("The demo is wiped.");
      expect(after).toContain(OFFER);
      expect(after).not.toContain(DEMO_WATERMARK);
      const acts = await sql<{ action: string }[]>`
        select action from audit_log where action like 'demo_%' and workspace_id =
          ${scope.workspaceId} order by id`;
      expect(acts.map(({ action }) => action)).toEqual(["demo_begun", "demo_wiped"]);
    }, WITH_EXCHANGE),
  LIMIT_MS,
);

test(
  "the steps come over the stream while they happen",
  () =>
    withCase(async (made) => {
      await workspaceWith(made, "alpha");
      const trader = await signedIn(made, "trader@alpha.example");
      await trader.post("/demo/begin");
      const { cookie } = trader;
      const headers = { cookie, "user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0" };
      const answer = await made.app.request("/demo/events", { headers });
      expect(answer.headers.get("content-type")).toContain("text/event-stream");
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      while (!text.includes("demo-steps")) text += (await reader?.read())?.value ?? "";
      expect(text).toContain("A worker takes it over.");
      await reader?.cancel();
    }, WITH_EXCHANGE),
  LIMIT_MS,
);
