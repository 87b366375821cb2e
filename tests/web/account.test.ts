// The own account: password, time zone, sessions, API tokens; and the API that tokens open.
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  browserOf,
  PASSWORD,
  type TestBrowser,
  type WebCase,
  webCase,
  workspaceWith,
} from "./web-case.ts";

const NEXT = "another-quiet-teapot-song";
let made: WebCase;
let world: Awaited<ReturnType<typeof workspaceWith>>;
let browser: TestBrowser;

beforeEach(async () => {
  made = await webCase();
  world = await workspaceWith(made, "alpha");
  browser = browserOf(made);
  await browser.signIn(world.trader.email);
}, 30_000);
afterEach(() => made.database.drop());

async function actions(): Promise<string[]> {
  const entries = await made.audit.list(world.scope, { limit: 100 });
  expect(JSON.stringify(entries)).not.toContain(PASSWORD);
  expect(JSON.stringify(entries)).not.toContain(NEXT);
  return entries.map((entry) => entry.action);
}

async function makeToken(by: TestBrowser, fields: Record<string, string> = {}): Promise<string> {
  const wish = { name: "script", scope: "read", days: "30", ...fields };
  const page = await (await by.post("/account/tokens", wish)).text();
  return /dragon_[\w-]{43}/.exec(page)?.[0] ?? "";
}

const ask = (token: string, path = "/api/me") =>
  made.app.request(path, { headers: { authorization: `Bearer ${token}` } }, { peer: "192.0.2.9" });

test("a new password asks for the present one, ends every other session and keeps this browser in", async () => {
  const other = browserOf(made);
  await other.signIn(world.trader.email);
  const old = browser.cookie;
  const fields = { current: PASSWORD, password: NEXT, repeat: NEXT };
  const answer = await browser.post("/account/password", fields);
  expect(answer.headers.get("location")).toBe("/account?done=password");
  expect(browser.cookie).not.toBe(old);
  expect((await browser.get("/account?done=password")).status).toBe(200);
  expect((await other.get("/account")).status).toBe(303);
  expect((await browserOf(made).signIn(world.trader.email)).status).toBe(422);
  expect((await browserOf(made).signIn(world.trader.email, NEXT)).status).toBe(303);
  expect(await actions()).toContain("password_changed");
});

const REFUSED: [what: string, fields: Record<string, string>, says: string][] = [
  ["a wrong present password", { current: "not-this-one-at-all" }, "not your present password"],
  [
    "a short new one",
    { password: "short", repeat: "short" },
    "5 characters, allowed are 12 to 256",
  ],
  ["a common new one", { password: "password123456", repeat: "password123456" }, "guessing"],
  ["two different ones", { repeat: "something-else-entirely" }, "differ"],
];

for (const [what, fields, says] of REFUSED) {
  test(`${what} is refused with 422 and a sentence, and the old password stays`, async () => {
    const all = { current: PASSWORD, password: NEXT, repeat: NEXT, ...fields };
    const answer = await browser.post("/account/password", all);
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain(says);
    expect((await browserOf(made).signIn(world.trader.email)).status).toBe(303);
  });
}

test("guessing the present password in an open session is slowed down like signing in", async () => {
  const guess = () =>
    browser.post("/account/password", {
      current: "guess guess guess",
      password: NEXT,
      repeat: NEXT,
    });
  for (let i = 0; i < 5; i++) expect((await guess()).status).toBe(422);
  const slowed = await guess();
  expect(slowed.status).toBe(429);
  expect(slowed.headers.get("retry-after")).toBe("1");
});

test("the time zone is saved, shown and audited; an unknown one is refused", async () => {
  await browser.post("/account/time-zone", { timeZone: "Asia/Tokyo" });
  expect(await (await browser.get("/account")).text()).toContain('value="Asia/Tokyo" selected');
  const wrong = await browser.post("/account/time-zone", { timeZone: "Mars/Olympus" });
  expect(wrong.status).toBe(422);
  expect(await wrong.text()).toContain("IANA");
  expect(await actions()).toContain("time_zone_changed");
});

test("sessions are listed by browser; one or all others can be ended at once, but not somebody else's", async () => {
  const phone = browserOf(made);
  await phone.signIn(world.trader.email);
  const tablet = browserOf(made);
  await tablet.signIn(world.trader.email);
  const page = await (await browser.get("/account")).text();
  expect(page).toContain("Firefox on Linux");
  expect(page.match(/this browser/g)).toHaveLength(1);
  const [, first = ""] = /\/account\/sessions\/(\d+)\/revoke/.exec(page) ?? [];
  const theirs = await made.access.listSessions(world.owner.id, made.clock.now());
  expect(theirs).toEqual([]);
  const owner = browserOf(made);
  await owner.signIn(world.owner.email);
  expect((await owner.post(`/account/sessions/${first}/revoke`)).status).toBe(404);
  expect((await browser.post(`/account/sessions/${first}/revoke`)).status).toBe(303);
  expect((await phone.get("/account")).status).toBe(303);
  expect((await tablet.get("/account")).status).toBe(200);
  await browser.post("/account/sessions/revoke-others");
  expect((await tablet.get("/account")).status).toBe(303);
  expect((await browser.get("/account")).status).toBe(200);
  expect((await owner.get("/account")).status).toBe(200);
  expect(await actions()).toContain("session_revoked");
});

test("a token is shown once, works, and stops at once when revoked", async () => {
  const token = await makeToken(browser);
  const answer = await ask(token);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({
    user_id: world.trader.id,
    workspace_id: world.scope.workspaceId,
    role: "viewer",
    via: "token",
  });
  const page = await (await browser.get("/account")).text();
  expect(page).toContain(token.slice(0, 13));
  expect(page).not.toContain(token);
  const [path = ""] = /\/account\/tokens\/\d+\/revoke/.exec(page) ?? [];
  const owner = browserOf(made);
  await owner.signIn(world.owner.email);
  expect((await owner.post(path)).status).toBe(404);
  expect((await browser.post(path)).status).toBe(303);
  expect((await ask(token)).status).toBe(401);
  expect(await actions()).toEqual(
    expect.arrayContaining(["api_token_created", "api_token_revoked"]),
  );
});

test("a token ends by itself, and does nothing beyond its scope or its user's role", async () => {
  const owner = browserOf(made);
  await owner.signIn(world.owner.email);
  const reading = await makeToken(owner, { name: "reading" });
  const admin = await makeToken(owner, { name: "admin", scope: "admin", days: "1" });
  expect((await ask(reading, "/api/users")).status).toBe(403);
  expect((await ask(admin, "/api/users")).status).toBe(200);
  await made.access.setRole(world.scope, world.trader.id, "owner", made.clock.now());
  await made.access.setRole(world.scope, world.owner.id, "viewer", made.clock.now());
  const weaker = await ask(admin, "/api/users");
  expect(weaker.status).toBe(403);
  expect(((await weaker.json()) as { detail: string }).detail).toContain("viewer");
  made.advance(86_400_001);
  expect((await ask(admin)).status).toBe(401);
  expect((await ask(reading)).status).toBe(200);
});

test("a wrong token is not made good by a cookie, and a token opens no page", async () => {
  const token = await makeToken(browser);
  const both = await browser.get("/api/me", { authorization: `Bearer ${token}x` });
  expect(both.status).toBe(401);
  const page = await made.app.request("/account", {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(page.status).toBe(303);
});

const WISHES: [what: string, fields: Record<string, string>, says: string][] = [
  ["a scope above the role", { scope: "admin" }, "must be one of read, trade"],
  ["no name", { name: " " }, "1 to 60 characters"],
  ["no end", { days: "0" }, "from 1 to 3650"],
  ["a fraction of days", { days: "1.5" }, "&quot;1.5&quot; must be a whole number"],
];

for (const [what, fields, says] of WISHES) {
  test(`a token with ${what} is refused with 422 and the form keeps what was typed`, async () => {
    const wish = { name: "script", scope: "read", days: "30", ...fields };
    const answer = await browser.post("/account/tokens", wish);
    expect(answer.status).toBe(422);
    const page = await answer.text();
    expect(page).toContain(says);
    expect(page).toContain(`value="${wish.days}"`);
    expect(await made.access.listApiTokens(world.scope)).toEqual([]);
  });
}
