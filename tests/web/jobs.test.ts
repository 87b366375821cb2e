// The page of jobs: what each role sees of processes, runs and accounts, what a cancel does, how long things are
// kept, and the stream behind it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createJobsRepository } from "../../src/adapters/postgres/jobs-repository.ts";
import { createRunRepository } from "../../src/adapters/postgres/run-repository.ts";
import { createWorkerRepository } from "../../src/adapters/postgres/worker-repository.ts";
import type { RunId } from "../../src/ports/run-store.ts";
import { aRun } from "../support/runs.ts";
import { browserOf, type WebCase, webCase, workspaceWith } from "./web-case.ts";

let made: WebCase;
let world: Awaited<ReturnType<typeof workspaceWith>>;

beforeAll(async () => {
  made = await webCase();
  world = await workspaceWith(made, "alpha");
}, 30_000);
afterAll(() => made.database.drop());

async function signedIn(role: "viewer" | "trader" | "owner", name = "alpha") {
  const browser = browserOf(made);
  await browser.get("/login");
  expect((await browser.signIn(`${role}@${name}.example`)).status).toBe(303);
  return browser;
}

/** A run that another process computes. */
async function claimedRun(name: string): Promise<RunId> {
  const { sql } = made.database;
  const scope = { ...world.scope, userId: world.trader.id };
  const id = await createRunRepository(sql).create(scope, { ...aRun, name }, made.clock.now());
  const jobs = createJobsRepository(sql);
  const claim = await jobs.claimOne(scope, id, { holder: "far-1-1", ttlMs: 60_000 });
  if (!claim) throw new Error("the run was not claimed");
  await jobs.beat([{ ...claim, stage: "computing", share: 0.25 }], 60_000);
  return id;
}

const textOf = async (answer: Response | Promise<Response>) => await (await answer).text();

test("viewers see processes, runs and what ended, and can change nothing", async () => {
  const { sql } = made.database;
  const workers = createWorkerRepository(sql);
  const told = { host: "far", pid: 1, version: "9.9.9", startedAt: made.clock.now() } as const;
  const epochs = new Map([[world.scope.workspaceId, 3]]);
  await workers.beat({ ...told, name: "far-1-1", role: "worker", epochs });
  await workers.beat({ ...told, name: "old-2-2", role: "serve", epochs: new Map() });
  await sql`update workers set beat_at = beat_at - interval '60 s' where name = 'old-2-2'`;
  const id = await claimedRun("slow one");
  const bad = await claimedRun("bad one");
  await createRunRepository(sql).fail(world.scope, bad, "it <broke>", made.clock.now());
  const page = await textOf((await signedIn("viewer")).get("/jobs"));
  for (const text of ["far-1-1", "alive", "silent", "confirmed", "not read", "slow one"]) {
    expect(page).toContain(text);
  }
  expect(page).toContain(`href="/runs/${id}"`);
  expect(page).toContain("computing");
  expect(page).toContain("it &lt;broke&gt;");
  expect(page).not.toContain(`/jobs/${id}/cancel`);
  expect(page).not.toContain("/jobs/retention");
});

test("a process that has not confirmed the last trading state is named", async () => {
  const { sql } = made.database;
  await sql`
    insert into trading_control (workspace_id, epoch, changed_at)
    values (${world.scope.workspaceId}, 4, now())
    on conflict (workspace_id) do update set epoch = 4`;
  expect(await textOf((await signedIn("viewer")).get("/jobs"))).toContain("not yet");
});

test("traders cancel what any process computes; a second time says that it had ended", async () => {
  const id = await claimedRun("to be cancelled");
  const browser = await signedIn("trader");
  expect(await textOf(browser.get("/jobs"))).toContain(`/jobs/${id}/cancel`);
  const first = await browser.post(`/jobs/${id}/cancel`);
  expect([first.status, first.headers.get("location")]).toEqual([303, "/jobs?done=cancelled"]);
  const second = await browser.post(`/jobs/${id}/cancel`);
  expect(second.headers.get("location")).toBe("/jobs?done=ended");
  const page = await textOf(browser.get("/jobs?done=cancelled"));
  expect(page).toContain("The run was told to stop.");
  expect(page).not.toContain(`/jobs/${id}/cancel`);
  expect((await browser.post("/jobs/999999/cancel")).status).toBe(404);
  expect((await browser.post("/jobs/retention")).status).toBe(403);
});

test("another workspace sees the processes and nothing of the runs", async () => {
  const id = await claimedRun("secret name");
  await workspaceWith(made, "beta");
  const browser = await signedIn("owner", "beta");
  const page = await textOf(browser.get("/jobs"));
  expect(page).toContain("far-1-1");
  expect(page).not.toContain("secret name");
  expect((await browser.post(`/jobs/${id}/cancel`)).status).toBe(404);
});

test("owners change how long things are kept: whole, checked, and not over each other", async () => {
  const browser = await signedIn("owner");
  const page = await textOf(browser.get("/jobs"));
  expect(page).toContain('name="eventDays"');
  const rules = {
    ...{ eventDays: "60", eventMegabytes: "50", fullSampleDays: "10" },
    ...{ sampleDays: "100", commandDays: "30" },
  };
  const wrong = await browser.post("/jobs/retention", { ...rules, revision: "0", eventDays: "1" });
  expect(wrong.status).toBe(422);
  const shown = await wrong.text();
  expect(shown).toContain("eventDays: &quot;1&quot; must be a whole number from 7 to 3650.");
  expect(shown).toContain('value="100"');
  const saved = await browser.post("/jobs/retention", { ...rules, revision: "0" });
  expect([saved.status, saved.headers.get("location")]).toEqual([303, "/jobs?done=kept"]);
  expect(await textOf(browser.get("/jobs"))).toContain('value="60"');
  const late = await browser.post("/jobs/retention", { ...rules, revision: "0" });
  expect(late.status).toBe(409);
});

test("the stream shows a run that begins while another is open, and ends with the last", async () => {
  const browser = await signedIn("viewer");
  const headers = { cookie: browser.cookie };
  const answer = await made.app.request("/jobs/stream", { headers }, { peer: "192.0.2.1" });
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  const reader = answer.body?.getReader();
  if (!reader) throw new Error("the stream has no body");
  await claimedRun("just now");
  const decoder = new TextDecoder();
  let heard = "";
  while (!heard.includes("just now")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the stream ended:\n${heard}`);
    heard += decoder.decode(value, { stream: true });
  }
  const { sql } = made.database;
  await sql`
    update runs set status = 'cancelled', finished_at = now()
    where status in ('queued', 'running')`;
  while (!heard.includes("jobs-ended")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the stream ended:\n${heard}`);
    heard += decoder.decode(value, { stream: true });
  }
}, 15_000);
