// Canary secrets: unusual keys are stored, tested, refused, replaced and deleted while every page, download,
// error, log line and audit entry is read. The words appear nowhere in clear, nor in the database's own
// files, nor in what the doctor and a refused start print.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLog } from "../../src/adapters/system/log.ts";
import type { Log } from "../../src/ports/log.ts";
import { createApp } from "../../src/web/app.tsx";
import { createRefuse } from "../../src/web/problems.tsx";
import { routeTable } from "../../src/web/route-table.ts";
import { aCheck, aReport, testAccounts, testProbe } from "../support/account-probe.ts";
import { dataFolder, dragon, SERVE, serving } from "../support/dragon.ts";
import {
  browserOf,
  type TestBrowser,
  type WebCase,
  webCase,
  workspaceWith,
} from "../web/web-case.ts";

const CANARIES = {
  first: { apiKey: "cAnArYkEy7Q1wErTy0001", apiSecret: "cAnArYsEcReT?&/x9ZzZz0001" },
  second: { apiKey: "cAnArYkEy7Q1wErTy0002", apiSecret: "cAnArYsEcReT?&/x9ZzZz0002" },
  refused: { apiKey: "cAnArYkEy7Q1wErTy0003", apiSecret: "cAnArYsEcReT?&/x9ZzZz0003" },
  malformed: { apiKey: "cAnArYkEy 7Q1wErTy0004", apiSecret: "cAnArYsEcReT?&/x9ZzZz0004" },
};
const PASSPHRASE = "cAnArYpHrAsE-0005";
const WORDS = [...Object.values(CANARIES).flatMap((keys) => Object.values(keys)), PASSPHRASE];

/** A secret as it is, and as texts commonly carry it. */
function disguises(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    bytes.toString("hex"),
    secret.replaceAll("&", "&amp;"),
  ];
}

/** Which of the secrets a text or file holds. */
function found(text: string | Buffer, secrets: readonly string[] = WORDS): string[] {
  return secrets.filter((secret) => disguises(secret).some((each) => text.includes(each)));
}

let made: WebCase;
let probe: ReturnType<typeof testProbe>;
let world: Awaited<ReturnType<typeof workspaceWith>>;
let owner: TestBrowser;
let printed = "";
let log: Log;
const answers: string[] = [];

async function told(answer: Response | Promise<Response>): Promise<Response> {
  const given = await answer;
  const headers = JSON.stringify([...given.headers]);
  answers.push(`${given.status} ${headers} ${await given.clone().text()}`);
  return given;
}

beforeAll(async () => {
  const plain = await webCase();
  log = createLog({
    level: "debug",
    isTerminal: false,
    write: (line) => {
      printed += `${line}\n`;
    },
  });
  probe = testProbe();
  const tradingAccounts = await testAccounts(plain.database.sql, plain.clock, { probe });
  const deps = { ...plain.deps, tradingAccounts, log: log.child("web") };
  made = { ...plain, deps, app: createApp(deps) };
  world = await workspaceWith(made, "alpha");
  owner = browserOf(made);
  await owner.signIn(world.owner.email);
}, 30_000);
afterAll(() => made.database.drop());

/** What an exchange's client might quote in an error: the whole signed request. */
function quoting({ apiKey, apiSecret }: { apiKey: string; apiSecret: string }): string {
  return `POST https://x.example/v3?k=${apiKey}&s=${encodeURIComponent(apiSecret)} ${PASSPHRASE} -> 401`;
}

test("keys are added, tested, refused, replaced and deleted while everything is recorded", async () => {
  const form = { exchange: "okx", mode: "live", passphrase: PASSPHRASE };
  const { first, second, refused, malformed } = CANARIES;
  const added = await told(owner.post("/accounts", { ...form, name: "One", ...first }));
  expect(added.status).toBe(303);
  const path = (added.headers.get("location") ?? "").split("?")[0] ?? "";

  probe.answer = async () => aReport({ checks: [aCheck("key", { sentence: quoting(first) })] });
  expect((await told(owner.post(`${path}/test`, { symbol: "" }))).status).toBe(303);
  expect((await told(owner.get(path))).status).toBe(200);
  expect(answers.at(-1)).toContain("[secret]");

  probe.answer = async () => {
    throw new Error(quoting(first), { cause: new Error(quoting(first)) });
  };
  expect((await told(owner.post(`${path}/test`, { symbol: "" }))).status).toBe(500);
  expect(printed).toContain("failed unexpectedly");

  const sentence = quoting(refused);
  probe.answer = async () =>
    aReport({ checks: [aCheck("key", { outcome: "fail", fault: "key", sentence })] });
  for (const keys of [refused, malformed]) {
    const wish = { ...form, name: "Two", ...keys };
    expect((await told(owner.post("/accounts", wish))).status).toBe(422);
    expect((await told(owner.post(`${path}/keys`, { ...form, ...keys }))).status).toBe(422);
  }
  // Sent to where they do not belong.
  const stray = { ...form, name: "One", ...first };
  await told(owner.post(`${path}/rename`, stray));
  await told(owner.post(`${path}/limits`, stray));
  await told(owner.post(`${path}/nothing`, stray));
  await told(owner.post("/accounts", { ...stray, csrf: "stale" }));
  await told(browserOf(made).post("/accounts", stray));

  probe.answer = async () => aReport();
  expect((await told(owner.post(`${path}/keys`, { ...form, ...second }))).status).toBe(303);
  const gone = await told(owner.post("/accounts", { ...form, name: "Gone", ...second }));
  const gonePath = (gone.headers.get("location") ?? "").split("?")[0] ?? "";
  expect((await told(owner.post(`${gonePath}/delete`, { confirm: "Gone" }))).status).toBe(303);
  log.info("a service logs what it was given", {
    request: probe.asked.at(-1),
    ...probe.asked.at(-1),
  });
});

test("no page, part, download or API answer of any role holds a canary", async () => {
  const [account] = await made.deps.tradingAccounts.list(world.scope);
  const routes = routeTable(made.deps, createRefuse(made.deps.about));
  for (const role of ["owner", "trader", "viewer"] as const) {
    const browser = browserOf(made);
    await browser.signIn(`${role}@alpha.example`);
    for (const { path, method } of routes) {
      if (method !== "GET") continue;
      const address = path.replace(":topic", "accounts").replace(":token", "x");
      // Streams stay open; their messages are read elsewhere.
      const answer = await browser.get(address.replace(":id", String(account?.id ?? 0)));
      if (answer.headers.get("content-type")?.startsWith("text/event-stream")) {
        await answer.body?.cancel();
        continue;
      }
      await told(answer);
    }
  }
  expect(answers.length).toBeGreaterThan(100);
  expect(found(answers.join("\n"))).toEqual([]);
  expect(answers.join("\n")).toContain("cAn…002");
});

test("no log line, audit entry or inspected value holds a canary", async () => {
  const entries = await made.audit.list(world.scope, { limit: 200 });
  expect(entries.some(({ action }) => action === "credentials_replaced")).toBe(true);
  expect(found(JSON.stringify(entries))).toEqual([]);
  expect(printed.split("\n").length).toBeGreaterThan(1);
  expect(found(printed)).toEqual([]);
  const asked = probe.asked;
  const crash = new Error("crash", { cause: asked });
  const shown = [Bun.inspect(asked), JSON.stringify(asked), Bun.inspect(crash), `${asked}`];
  expect(found(shown.join("\n"))).toEqual([]);
  // The canaries did travel through all this.
  expect(asked.map(({ credentials }) => credentials.apiKey.reveal())).toContain(
    CANARIES.second.apiKey,
  );
});

test("no table and no file of the database holds a canary", async () => {
  const { sql } = made.database;
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = 'public'`;
  let dump = "";
  for (const { name } of tables) {
    for (const row of await sql`select each::text as line from ${sql(name)} each`) {
      dump += `${row.line}\n`;
    }
  }
  expect(dump).toContain("cAn…002");
  expect(found(dump)).toEqual([]);
  await sql`checkpoint`;
  const [folder] = await sql<{ path: string }[]>`
    select current_setting('data_directory') as path`;
  const root = folder?.path ?? "";
  let isMaskSeen = false;
  for (const name of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const content = readFileSync(join(name.parentPath, name.name));
    isMaskSeen ||= content.includes("cAn…002");
    expect([name.name, found(content)]).toEqual([name.name, []]);
  }
  expect(isMaskSeen).toBe(true);
});

test("neither the doctor nor a refused or broken start prints a master key", async () => {
  const folder = dataFolder();
  const keys = [1, 2].map((n) => Buffer.from(new Uint8Array(32).map((_, i) => i * 5 + n)));
  const [right = Buffer.alloc(0), wrong = Buffer.alloc(0)] = keys;
  const secrets = keys.flatMap((key) => [
    ...[key.toString("base64"), key.toString("base64url"), key.toString("hex")],
  ]);
  const env = { DRAGON_DATA_DIR: folder.path, DRAGON_PORT: "0", DRAGON_LOG_LEVEL: "debug" };
  const as = (key: string) => ({ env: { ...env, DRAGON_MASTER_KEY: key } });
  try {
    const running = await serving(SERVE, as(right.toString("hex")));
    await running.stop();
    const refused = await dragon(["serve"], as(wrong.toString("base64")));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("is not the one this database was set up with");
    const malformed = await dragon(["serve"], as(`${wrong.toString("base64")}x`));
    expect(malformed.code).toBe(2);
    const doctors = await Promise.all([
      dragon(["doctor", "--json"], as(right.toString("hex"))),
      dragon(["doctor"], as(wrong.toString("base64"))),
    ]);
    const all = [refused, malformed, ...doctors].map(({ stdout, stderr }) => stdout + stderr);
    expect(all.join("\n")).toContain("master key");
    expect(found([running.output(), ...all].join("\n"), secrets)).toEqual([]);
  } finally {
    folder.remove();
  }
}, 60_000);
