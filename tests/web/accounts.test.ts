// The pages of exchange accounts: what each role sees and may change, forms that come back with a sentence,
// and keys that never come back at all.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ProbeReport } from "../../src/ports/account-probe.ts";
import type { Role } from "../../src/ports/access-store.ts";
import { createApp } from "../../src/web/app.tsx";
import { aCheck, aReport, KEYS, testAccounts, testProbe } from "../support/account-probe.ts";
import { browserOf, type TestBrowser, type WebCase, webCase, workspaceWith } from "./web-case.ts";

const FORM = { exchange: "woox", mode: "live", name: "Main", ...KEYS };
const LIMITS = {
  maxDailyLossUsd: "250",
  maxTotalLossUsd: "",
  maxDrawdownPct: "15",
  maxSymbolExposureUsd: "",
  maxGrossExposureUsd: "",
};
let made: WebCase;
let probe: ReturnType<typeof testProbe>;
let world: Awaited<ReturnType<typeof workspaceWith>>;
const browsers = new Map<string, TestBrowser>();

beforeAll(async () => {
  const plain = await webCase();
  probe = testProbe();
  const tradingAccounts = await testAccounts(plain.database.sql, plain.clock, { probe });
  const deps = { ...plain.deps, tradingAccounts };
  made = { ...plain, deps, app: createApp(deps) };
  world = await workspaceWith(made, "alpha");
  await workspaceWith(made, "beta");
  for (const name of ["alpha", "beta"]) {
    for (const role of ["owner", "trader", "viewer"]) {
      const browser = browserOf(made);
      await browser.signIn(`${role}@${name}.example`);
      browsers.set(`${role}@${name}`, browser);
    }
  }
}, 30_000);
afterAll(() => made.database.drop());

function as(role: Role, workspace = "alpha"): TestBrowser {
  const found = browsers.get(`${role}@${workspace}`);
  if (!found) throw new Error(`no ${role}`);
  return found;
}

/** Adds an account as the owner; the address of its page. */
async function added(name: string, change: Partial<typeof FORM> = {}): Promise<string> {
  const answer = await as("owner").post("/accounts", { ...FORM, name, ...change });
  expect(answer.status).toBe(303);
  return (answer.headers.get("location") ?? "").split("?")[0] ?? "";
}

/** The text of a page, which never holds a key. */
async function text(answer: Response | Promise<Response>): Promise<string> {
  const page = await (await answer).text();
  for (const secret of Object.values(KEYS)) {
    if (secret !== "") expect(page).not.toContain(secret);
  }
  return page;
}

async function answering(report: ProbeReport, use: () => Promise<void>) {
  probe.answer = async () => report;
  try {
    await use();
  } finally {
    probe.answer = async () => aReport();
  }
}

test("an empty list leads owners to the form and tells others who adds accounts", async () => {
  expect(await text(as("owner", "beta").get("/accounts"))).toContain('href="/accounts/new"');
  const viewed = await text(as("viewer", "beta").get("/accounts"));
  expect(viewed).toContain("An owner of this workspace adds accounts");
  expect(viewed).not.toContain("/accounts/new");
});

test("the form asks exchange and mode first, then exactly what they need", async () => {
  const owner = as("owner");
  const first = await text(owner.get("/accounts/new"));
  expect(first).toContain('method="get"');
  expect(first).not.toContain('type="password"');
  const fields = async (exchange: string, mode: string) =>
    [
      ...(await text(owner.get(`/accounts/new?exchange=${exchange}&mode=${mode}`))).matchAll(
        /<input id="(\w+)"[^>]*>/g,
      ),
    ].map(([, id]) => id);
  expect(await fields("woox", "live")).toEqual(["name", "apiKey", "apiSecret"]);
  expect(await fields("okx", "live")).toEqual(["name", "apiKey", "apiSecret", "passphrase"]);
  expect(await fields("okx", "paper")).toEqual(["name"]);
  const page = await text(owner.get("/accounts/new?exchange=kucoin&mode=live"));
  for (const [input] of page.matchAll(/<input id="(?:apiKey|apiSecret|passphrase)"[^>]*>/g)) {
    expect(input).toContain('type="password"');
    expect(input).toContain('autocomplete="off"');
    expect(input).not.toContain("value=");
  }
});

const PLACES: [query: string, says: string][] = [
  ["exchange=mtgox&mode=live", "must be one of woox"],
  ["exchange=woox&mode=yolo", "must be one of live"],
  ["exchange=okx&mode=demo", "only there for WOO X"],
  ["exchange=woox", "must be one of live"],
  [`exchange=${"%3Cscript%3E".repeat(20)}&mode=live`, "must be one of woox"],
];
for (const [query, says] of PLACES) {
  test(`${query.slice(0, 40)} comes back with 422 and a sentence`, async () => {
    const answer = await as("owner").get(`/accounts/new?${query}`);
    expect(answer.status).toBe(422);
    const page = await text(answer);
    expect(page).toContain(says);
    expect(page).not.toContain("<script>");
  });
}

test("an account is added, shown masked to everybody, and live says that it is off", async () => {
  const path = await added("Shown to all");
  for (const role of ["owner", "trader", "viewer"] as const) {
    const page = await text(as(role).get(path));
    expect(page).toContain("kEy…StU");
    expect(page).toContain("No order leaves Dragon for this account until an owner arms it");
    expect(page).toContain("Key is fine.");
    const list = await text(as(role).get("/accounts"));
    expect(list).toContain("Shown to all");
    expect(list).toContain("✓ passed");
  }
  const paper = await added("On paper", { mode: "paper", apiKey: "", apiSecret: "" });
  const page = await text(as("owner").get(paper));
  expect(page).not.toContain("Live trading is disabled");
  expect(page).not.toContain("Replace the keys");
  expect(page).not.toContain(`${paper}/test`);
});

const WRONG: [what: string, change: Partial<typeof FORM>, says: string][] = [
  ["no name", { name: "" }, "The name has 0 characters"],
  ["no key", { apiKey: "" }, "The API key is missing"],
  ["a secret beyond every length", { apiSecret: "x".repeat(2001) }, "The secret is missing"],
  ["a key with a line break", { apiKey: "abcdefgh\nijklmnop" }, "copy it again"],
  ["a passphrase that is not used", { passphrase: "Phrase-123" }, "uses no passphrase"],
];
for (const [what, change, says] of WRONG) {
  test(`${what} gives the form again with 422, the name kept and the keys gone`, async () => {
    const fields = { ...FORM, name: "Typed name", ...change };
    const answer = await as("owner").post("/accounts", fields);
    expect(answer.status).toBe(422);
    const page = await text(answer);
    expect(page).toContain(says);
    expect(page).toContain(`value="${fields.name}"`);
    for (const key of [fields.apiKey, fields.apiSecret, fields.passphrase]) {
      if (key !== "") expect(page).not.toContain(key);
    }
    expect(await text(as("owner").get("/accounts"))).not.toContain("Typed name");
  });
}

test("keys that may withdraw or do not work are refused with what the exchange said", async () => {
  await answering(aReport({ mayWithdraw: true }), async () => {
    const answer = await as("owner").post("/accounts", { ...FORM, name: "Rich" });
    expect(answer.status).toBe(422);
    expect(await text(answer)).toContain("Nothing was stored. These keys may withdraw.");
  });
  const sentence = "The key is only allowed from 203.0.113.9.";
  const check = aCheck("key", { outcome: "fail", fault: "address", sentence });
  await answering(aReport({ checks: [aCheck("reachable"), check] }), async () => {
    const answer = await as("owner").post("/accounts", { ...FORM, name: "Rich" });
    expect(answer.status).toBe(422);
    const page = await text(answer);
    expect(page).toContain("Key (address)");
    expect(page).toContain(sentence);
  });
  expect(await text(as("owner").get("/accounts"))).not.toContain("Rich");
});

test("a test shows each check with what is wrong", async () => {
  const path = await added("Tested");
  const checks = [
    aCheck("key"),
    aCheck("clock", { outcome: "warn", sentence: "The clocks differ by 4 s." }),
    aCheck("positions", { outcome: "fail", fault: "permission", sentence: "It may not <read>." }),
    aCheck("order_book", { outcome: "skipped", sentence: "Not asked." }),
  ];
  await answering(aReport({ checks, clockOffsetMs: -4000, mayWithdraw: null }), async () => {
    const answer = await as("trader").post(`${path}/test`, { symbol: "eth/usdt:usdt" });
    expect(answer.headers.get("location")).toBe(`${path}?done=tested`);
  });
  const page = await text(as("viewer").get(`${path}?done=tested`));
  for (const shown of [
    ...["The test is done", "ETH/USDT:USDT", "✗ fail", "! look", "– skipped", "-4,000 ms"],
    ...["Positions (permission)", "It may not &lt;read&gt;.", "not told"],
  ]) {
    expect(page).toContain(shown);
  }
  const wrong = await as("trader").post(`${path}/test`, { symbol: "what?" });
  expect(wrong.status).toBe(422);
  expect(await text(wrong)).toContain("must look like BTC/USDT:USDT");
});

test("traders make an account safer, owners alone make it riskier", async () => {
  const path = await added("Guarded");
  const page = await text(as("trader").get(path));
  expect(page).toContain(`${path}/block`);
  expect(page).toContain(`${path}/disable`);
  for (const form of ["keys", "limits", "rename", "delete", "enable", "unblock"]) {
    expect(page).not.toContain(`${path}/${form}`);
    expect((await as("trader").post(`${path}/${form}`, LIMITS)).status).toBe(403);
  }
  const viewed = await text(as("viewer").get(path));
  expect(viewed).not.toContain('method="post" action="/accounts');
  for (const form of ["test", "block", "disable"]) {
    expect((await as("viewer").post(`${path}/${form}`)).status).toBe(403);
  }
  expect((await as("trader").post(`${path}/block`)).status).toBe(303);
  expect((await as("trader").post(`${path}/disable`)).status).toBe(303);
  const held = await text(as("trader").get(path));
  expect(held).toContain("entries blocked");
  expect(held).toContain("An owner lifts this");
  expect((await as("owner").post(`${path}/unblock`)).status).toBe(303);
  expect((await as("owner").post(`${path}/enable`)).status).toBe(303);
  expect(await text(as("viewer").get(path))).not.toContain("entries blocked");
});

test("limits are kept as typed when one is refused, and saved together", async () => {
  const path = await added("Limited");
  const refused = await as("owner").post(`${path}/limits`, { ...LIMITS, maxDrawdownPct: "150" });
  expect(refused.status).toBe(422);
  const page = await text(refused);
  expect(page).toContain("“150”".replace(/[“”]/g, "&quot;"));
  expect(page).toContain('value="250"');
  expect(page).toContain('value="150"');
  expect(await text(as("viewer").get(path))).not.toContain("$250");
  expect((await as("owner").post(`${path}/limits`, LIMITS)).status).toBe(303);
  const viewed = await text(as("viewer").get(path));
  for (const shown of ["$250.00", "15.00%", "no limit"]) expect(viewed).toContain(shown);
});

test("keys are replaced after a test, and the old ones are listed masked", async () => {
  const path = await added("Replaced");
  const next = { apiKey: "nExtNextNextNextNextEnd", apiSecret: "another-secret-of-length" };
  await answering(aReport({ mayWithdraw: true }), async () => {
    expect((await as("owner").post(`${path}/keys`, next)).status).toBe(422);
  });
  expect(await text(as("owner").get(path))).not.toContain("nEx…End");
  const empty = await as("owner").post(`${path}/keys`, { ...next, apiSecret: "" });
  expect(empty.status).toBe(422);
  expect(await text(empty)).toContain('<details open="">');
  const done = await as("owner").post(`${path}/keys`, next);
  expect(done.headers.get("location")).toBe(`${path}?done=keys`);
  const page = await text(as("owner").get(path));
  expect(page).toContain("nEx…End");
  expect(page).toContain("Former keys");
  expect(page).toContain("kEy…StU");
  expect(page).not.toContain(next.apiKey);
});

test("a name changes, a taken one comes back, and deletion wants the name typed", async () => {
  await added("Taken");
  const path = await added("Old name");
  const taken = await as("owner").post(`${path}/rename`, { name: "TAKEN" });
  expect(taken.status).toBe(422);
  expect(await text(taken)).toContain('value="TAKEN"');
  expect((await as("owner").post(`${path}/rename`, { name: "New name" })).status).toBe(303);
  const refused = await as("owner").post(`${path}/delete`, { confirm: "new name" });
  expect(refused.status).toBe(422);
  expect(await text(refused)).toContain("nothing was deleted");
  const gone = await as("owner").post(`${path}/delete`, { confirm: "New name" });
  expect(gone.headers.get("location")).toBe("/accounts?done=deleted");
  expect((await as("owner").get(path)).status).toBe(404);
  expect(await text(as("owner").get("/accounts?done=deleted"))).not.toContain("New name");
});

test("an account of another workspace is not found, whatever is asked of it", async () => {
  const path = await added("Ours alone");
  const before = JSON.stringify(await made.database.sql`select * from accounts, credentials`);
  const posts = [
    "test",
    "rename",
    "limits",
    "keys",
    "disable",
    "enable",
    "block",
    "unblock",
    "delete",
  ];
  const fields = { ...LIMITS, ...KEYS, name: "theirs", confirm: "Ours alone", symbol: "" };
  for (const role of ["owner", "trader", "viewer"] as const) {
    const theirs = as(role, "beta");
    expect((await theirs.get(path)).status).toBe(404);
    expect(await text(theirs.get("/accounts"))).not.toContain("Ours alone");
    for (const post of posts) {
      expect([403, 404]).toContain((await theirs.post(`${path}/${post}`, fields)).status);
    }
  }
  expect((await as("owner", "beta").post(`${path}/keys`, fields)).status).toBe(404);
  expect(JSON.stringify(await made.database.sql`select * from accounts, credentials`)).toBe(before);
  for (const id of ["0", "-1", "x", "999999", "1e3", "99999999999999999999"]) {
    expect((await as("owner").get(`/accounts/${id}`)).status).toBe(404);
  }
});

test("everything above is in the audit log without any key", async () => {
  const entries = await made.audit.list(world.scope, { limit: 200 });
  const log = JSON.stringify(entries);
  expect(log).not.toContain(KEYS.apiKey);
  expect(log).not.toContain(KEYS.apiSecret);
  const seen = new Set(entries.map(({ action }) => action));
  for (const expected of [
    ...["account_created", "account_tested", "credentials_refused", "credentials_replaced"],
    ...["account_renamed", "account_limits_changed", "account_blocked", "account_unblocked"],
    ...["account_disabled", "account_enabled", "account_deleted"],
  ]) {
    expect([expected, seen.has(expected)]).toEqual([expected, true]);
  }
});
