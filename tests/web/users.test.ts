// The users pages for owners: add, link, role, reset, disable; and who must not be touched.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { USER_LINK_MS } from "../../src/services/desk/members.ts";
import {
  browserOf,
  PASSWORD,
  type TestBrowser,
  type WebCase,
  webCase,
  workspaceWith,
} from "./web-case.ts";

const NEXT = "another-quiet-teapot-song";
const BOB = { email: "bob@alpha.example", role: "viewer", timeZone: "UTC", password: "" };
let made: WebCase;
let world: Awaited<ReturnType<typeof workspaceWith>>;
let owner: TestBrowser;

beforeEach(async () => {
  made = await webCase();
  world = await workspaceWith(made, "alpha");
  owner = browserOf(made);
  await owner.signIn(world.owner.email);
}, 30_000);
afterEach(() => made.database.drop());

async function linkIn(answer: Response): Promise<string> {
  return /\/setup\/[\w-]{43}/.exec(await answer.text())?.[0] ?? "";
}

async function actions(): Promise<string[]> {
  const entries = await made.audit.list(world.scope, { limit: 100 });
  expect(JSON.stringify(entries)).not.toContain(NEXT);
  return entries.map((entry) => entry.action);
}

test("a user added without a password gets a link that sets one, once", async () => {
  const link = await linkIn(await owner.post("/users", BOB));
  expect(await (await owner.get("/users")).text()).toContain("link open");
  const bob = browserOf(made);
  expect(await (await bob.get(link)).text()).toContain(BOB.email);
  const weak = await bob.post(link, { password: "short", repeat: "short" });
  expect(weak.status).toBe(422);
  const set = await bob.post(link, { password: NEXT, repeat: NEXT });
  expect(set.headers.get("location")).toBe("/login?done=password");
  expect((await bob.post(link, { password: PASSWORD, repeat: PASSWORD })).status).toBe(410);
  expect((await bob.get(link)).status).toBe(410);
  expect((await bob.signIn(BOB.email, NEXT)).status).toBe(303);
  expect(await actions()).toEqual(expect.arrayContaining(["user_created", "password_set_by_link"]));
});

test("a link is kept as a hash, ends after its time, and a newer one closes it", async () => {
  const first = await linkIn(await owner.post("/users", BOB));
  const login = await made.access.findLogin(BOB.email);
  const rows = JSON.stringify(await made.database.sql`select * from setup_links`);
  expect(rows).not.toContain(first.slice("/setup/".length));
  const second = await linkIn(await owner.post(`/users/${login?.user.id}/reset`));
  const stranger = browserOf(made);
  expect((await stranger.get(first)).status).toBe(410);
  expect((await stranger.get(second)).status).toBe(200);
  made.advance(USER_LINK_MS + 1);
  expect((await stranger.get(second)).status).toBe(410);
  expect((await stranger.post(second, { password: NEXT, repeat: NEXT })).status).toBe(410);
});

test("two people with one link at the same moment: one sets the password", async () => {
  const link = await linkIn(await owner.post("/users", BOB));
  const posts = [NEXT, PASSWORD].map((password) =>
    browserOf(made).post(link, { password, repeat: password }),
  );
  const statuses = (await Promise.all(posts)).map((answer) => answer.status).sort();
  expect(statuses).toEqual([303, 410]);
});

test("a user added with a password signs in with it; an owner is not made that way", async () => {
  const added = await owner.post("/users", { ...BOB, role: "trader", password: NEXT });
  expect(added.headers.get("location")).toBe("/users?done=added");
  expect((await browserOf(made).signIn(BOB.email, NEXT)).status).toBe(303);
  const other = await owner.post("/users", { ...BOB, email: "eve@alpha.example", role: "owner" });
  expect(other.status).toBe(422);
  expect(await other.text()).toContain("must be one of viewer, trader");
});

const REFUSED: [what: string, change: Partial<typeof BOB>, says: string][] = [
  ["a taken e-mail", { email: "TRADER@alpha.example" }, "already belongs to a user"],
  ["a wrong e-mail", { email: "bob" }, "name@example.org"],
  ["a weak password", { password: "short" }, "allowed are 12 to 256"],
  ["an unknown zone", { timeZone: "Mars/Olympus" }, "IANA"],
];

for (const [what, change, says] of REFUSED) {
  test(`${what} gives the form again with 422, a sentence and what was typed`, async () => {
    const fields = { ...BOB, ...change };
    const answer = await owner.post("/users", fields);
    const page = await answer.text();
    expect(answer.status).toBe(422);
    expect(page).toContain(says);
    expect(page).toContain(`value="${fields.email}"`);
    expect(await made.access.listMembers(world.scope)).toHaveLength(3);
  });
}

test("a new role counts at once: old sessions end, the next sign-in has it", async () => {
  const trader = browserOf(made);
  await trader.signIn(world.trader.email);
  await owner.post(`/users/${world.trader.id}/role`, { role: "owner" });
  expect((await trader.get("/account")).status).toBe(303);
  await trader.signIn(world.trader.email);
  expect((await trader.get("/users")).status).toBe(200);
  expect((await owner.post(`/users/${world.trader.id}/role`, { role: "king" })).status).toBe(422);
  expect(await actions()).toContain("role_changed");
});

test("the last active owner keeps the role and stays enabled, until there is another", async () => {
  const self = `/users/${world.owner.id}`;
  for (const [path, fields] of [
    [`${self}/role`, { role: "viewer" }],
    [`${self}/disable`, {}],
  ] as const) {
    const refused = await owner.post(path, fields);
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("needs an active owner");
  }
  await owner.post(`/users/${world.trader.id}/role`, { role: "owner" });
  expect((await owner.post(`${self}/role`, { role: "viewer" })).status).toBe(303);
});

test("a reset ends password and sessions at once", async () => {
  const trader = browserOf(made);
  await trader.signIn(world.trader.email);
  const link = await linkIn(await owner.post(`/users/${world.trader.id}/reset`));
  expect((await trader.get("/account")).status).toBe(303);
  expect((await browserOf(made).signIn(world.trader.email)).status).toBe(422);
  await trader.post(link, { password: NEXT, repeat: NEXT });
  expect((await trader.signIn(world.trader.email, NEXT)).status).toBe(303);
  expect(await actions()).toContain("password_reset");
});

test("a disabled user is out with sessions, tokens and links, and comes back when enabled", async () => {
  const trader = browserOf(made);
  await trader.signIn(world.trader.email);
  const page = await trader.post("/account/tokens", { name: "x", scope: "read", days: "9" });
  const token = /dragon_[\w-]{43}/.exec(await page.text())?.[0];
  const ask = () => made.app.request("/api/me", { headers: { authorization: `Bearer ${token}` } });
  expect((await ask()).status).toBe(200);
  await owner.post(`/users/${world.trader.id}/disable`);
  expect((await ask()).status).toBe(401);
  expect((await trader.get("/account")).status).toBe(303);
  const link = await linkIn(await owner.post(`/users/${world.trader.id}/reset`));
  expect((await trader.get(link)).status).not.toBe(200);
  await owner.post(`/users/${world.trader.id}/enable`);
  expect((await ask()).status).toBe(200);
  expect(await actions()).toEqual(expect.arrayContaining(["user_disabled", "user_enabled"]));
});

test("a person of two workspaces is not reset or disabled by the owner of one of them", async () => {
  const other = await workspaceWith(made, "beta");
  await made.access.setRole(other.scope, world.trader.id, "owner", made.clock.now());
  for (const verb of ["reset", "disable"]) {
    const refused = await owner.post(`/users/${world.trader.id}/${verb}`);
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("another workspace");
  }
  expect((await browserOf(made).signIn(world.trader.email)).status).toBe(303);
});
