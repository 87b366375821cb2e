// Behind a proxy: forwarded addresses and a named user count only from a configured proxy.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { plainAddress, proxyMatcher } from "../../src/web/middleware/client-address.ts";
import { browserOf, type WebCase, webCase, workspaceWith } from "./web-case.ts";

const PROXY = "10.1.2.3";
const HEADER = "x-forwarded-user";
let made: WebCase;
let world: Awaited<ReturnType<typeof workspaceWith>>;

beforeAll(async () => {
  made = await webCase({
    trustedProxies: ["10.0.0.0/8", "fd00::/8"],
    authHeader: "X-Forwarded-User",
  });
  world = await workspaceWith(made, "alpha");
}, 30_000);
afterAll(() => made.database.drop());

test("a configured proxy signs in the user it names, with a session of its own", async () => {
  const browser = browserOf(made, PROXY);
  const page = await browser.get("/account", { [HEADER]: "Trader@alpha.example" });
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("trader@alpha.example");
  expect(browser.cookie).toContain("dragon_session=");
  const again = await browser.get("/account", { [HEADER]: "trader@alpha.example" });
  expect(again.headers.get("set-cookie")).toBeNull();
  const open = await made.access.listSessions(world.trader.id, made.clock.now());
  expect(open).toHaveLength(1);
  const entries = await made.audit.list(world.scope, { limit: 10 });
  expect(entries.map((entry) => entry.action)).toContain("login_by_proxy");
});

test("the same header from anybody else is nothing", async () => {
  for (const peer of ["192.0.2.1", "11.0.0.1", "unknown"]) {
    const answer = await browserOf(made, peer).get("/account", { [HEADER]: "owner@alpha.example" });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("set-cookie")).toBeNull();
  }
});

test("other proxy headers name nobody, whoever sends them", async () => {
  for (const name of [
    "remote-user",
    "x-remote-user",
    "x-forwarded-email",
    "x-auth-request-email",
  ]) {
    const answer = await browserOf(made, PROXY).get("/account", { [name]: "owner@alpha.example" });
    expect(answer.status).toBe(303);
  }
});

test("a user the proxy names but Dragon does not know is told so, without a session", async () => {
  const answer = await browserOf(made, PROXY).get("/account", { [HEADER]: "eve@evil.example" });
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain("eve@evil.example");
  expect(answer.headers.get("set-cookie")).toBeNull();
});

test("a cookie of somebody else does not count beside the name the proxy gives", async () => {
  const browser = browserOf(made, PROXY);
  await browser.get("/account", { [HEADER]: "viewer@alpha.example" });
  const page = await browser.get("/account", { [HEADER]: "owner@alpha.example" });
  expect(await page.text()).toContain("owner@alpha.example");
  const other = browserOf(made, PROXY);
  other.cookie = browser.cookie;
  other.csrf = browser.csrf;
  const change = await other.post(
    "/account/time-zone",
    { timeZone: "Asia/Tokyo" },
    { [HEADER]: "viewer@alpha.example" },
  );
  expect(change.headers.get("location")).toBe("/login");
});

test("the client is the last address that no configured proxy vouches for", async () => {
  const guess = async (forwarded: string) => {
    const fields = {
      email: `u${Math.abs(Bun.hash.crc32(forwarded))}@x.example`,
      password: "guess it",
    };
    const browser = browserOf(made, PROXY);
    return (await browser.post("/login", fields, { "x-forwarded-for": forwarded })).status;
  };
  // What the client itself wrote in front does not give it a new address.
  for (let i = 0; i < 15; i++) expect(await guess(`203.0.113.${i}, 198.51.100.7`)).toBe(422);
  expect(await guess("203.0.113.99, 198.51.100.7")).toBe(429);
  expect(await guess("198.51.100.7, 10.9.9.9")).toBe(429);
  expect(await guess("203.0.113.99, 198.51.100.8")).toBe(422);
}, 30_000);

const ADDRESSES: [text: string, address: string | undefined][] = [
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["10.0.0.1:443", "10.0.0.1"],
  ["[2001:DB8::1]:443", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["localhost", undefined],
  ["", undefined],
];

test("addresses are read in all the forms proxies write them", () => {
  for (const [text, address] of ADDRESSES) expect(plainAddress(text)).toBe(address);
  const isProxy = proxyMatcher(["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);
  expect(["10.255.0.1", "192.0.2.7", "fd12::1"].every(isProxy)).toBe(true);
  expect(["11.0.0.1", "192.0.2.8", "fe80::1"].some(isProxy)).toBe(false);
});
