// Signing in and out: sessions, limits, throttle, the cookie, and answers that do not tell who exists.
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  ACCOUNT_ATTEMPTS_FREE,
  ADDRESS_ATTEMPTS_FREE,
} from "../../src/services/desk/login-throttle.ts";
import {
  SESSION_ABSOLUTE_MS,
  SESSION_IDLE_MS,
  SESSIONS_PER_USER_MAX,
} from "../../src/services/desk/sessions.ts";
import { hashToken } from "../../src/services/desk/setup.ts";
import { safePath } from "../../src/web/respond.ts";
import {
  browserOf,
  formPost,
  PASSWORD,
  type WebCase,
  webCase,
  withCase,
  workspaceWith,
} from "./web-case.ts";

const OWNER = "owner@alpha.example";
let shared: WebCase;

beforeAll(async () => {
  shared = await webCase();
  await workspaceWith(shared, "alpha");
}, 30_000);
afterAll(() => shared.database.drop());

test("the right password opens a session: a new opaque word, of which the hash alone is stored", async () => {
  const browser = browserOf(shared);
  const answer = await browser.signIn(OWNER);
  expect(answer.status).toBe(303);
  expect(answer.headers.get("location")).toBe("/account");
  const cookie = answer.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(
    /^dragon_session=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  const token = browser.cookie.split("=")[1] ?? "";
  const rows = await shared.database.sql`select * from sessions`;
  expect(JSON.stringify(rows)).not.toContain(token);
  expect(JSON.stringify(rows)).toContain(hashToken(token));
  expect(await (await browser.get("/")).text()).toContain("Next steps");
});

test("behind TLS the cookie is Secure with the host prefix, and browsers are told to stay on TLS", async () => {
  await withCase(
    async (made) => {
      await workspaceWith(made, "alpha");
      const browser = browserOf(made);
      const answer = await browser.post(
        "/login",
        { email: OWNER, password: PASSWORD },
        { origin: "https://dragon.example.org" },
      );
      expect(answer.headers.get("set-cookie")).toMatch(
        /^__Host-dragon_session=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      expect(answer.headers.get("strict-transport-security")).toContain("max-age=");
      expect((await browser.get("/account")).status).toBe(200);
    },
    { publicUrl: "https://dragon.example.org" },
  );
}, 30_000);

const WRONG: [what: string, email: string, password: string][] = [
  ["a wrong password", "trader@alpha.example", "not-the-password-at-all"],
  ["an unknown user", "nobody@alpha.example", PASSWORD],
  ["an empty password", "trader@alpha.example", ""],
  ["an e-mail with a NUL byte", "trader@alpha.example\0", "some words"],
];

for (const [what, email, password] of WRONG) {
  test(`${what} gives the same form, one sentence, the e-mail kept, no cookie`, async () => {
    const browser = browserOf(shared, `192.0.2.${10 + WRONG.findIndex((row) => row[0] === what)}`);
    const answer = await browser.post("/login", { email, password, next: "/users" });
    const page = await answer.text();
    expect(answer.status).toBe(422);
    expect(page).toContain("E-mail or password is wrong.");
    expect(page).toContain(`value="${email.replace("\0", "")}"`);
    expect(page).toContain('name="next" value="/users"');
    if (password) expect(page).not.toContain(password);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });
}

test("an unknown user costs the same work as a wrong password: one comparison of equal cost", async () => {
  const cost = (hash: string | undefined) => hash?.split("$").slice(0, 4).join("$");
  const tries = async (email: string) => {
    const from = shared.verified.length;
    await browserOf(shared, "192.0.2.30").post("/login", {
      email,
      password: "some-other-words-here",
    });
    return shared.verified.slice(from);
  };
  const known = await tries("viewer@alpha.example");
  const unknown = await tries("ghost@alpha.example");
  expect(known).toHaveLength(1);
  expect(unknown).toHaveLength(1);
  expect(cost(unknown[0])).toBe(cost(known[0]));
  expect(cost(known[0])).toContain("argon2id");
});

test("refused sign-ins are audited without what was typed", async () => {
  const entries = await shared.audit.listInstance({ limit: 50 });
  expect(entries.every((entry) => entry.action === "login_refused")).toBe(true);
  const text = JSON.stringify(entries);
  for (const word of ["nobody", "ghost", PASSWORD, "some-other-words"])
    expect(text).not.toContain(word);
  expect(text).toContain("user:unknown");
});

test("10,000 guesses on one account let at most 20 reach the comparison; the rest wait", async () => {
  await withCase(async (made) => {
    await workspaceWith(made, "alpha");
    const guesses = Array.from({ length: 10_000 }, (_, i) =>
      made.app.request("/login", formPost({ email: OWNER, password: `guess number ${i}` }), {
        peer: `198.51.${i >> 8}.${i & 255}`,
      }),
    );
    const statuses = (await Promise.all(guesses)).map((answer) => answer.status);
    expect(made.verified.length).toBe(ACCOUNT_ATTEMPTS_FREE);
    const slowed = statuses.filter((status) => status === 429);
    expect(slowed).toHaveLength(10_000 - ACCOUNT_ATTEMPTS_FREE);
  });
}, 60_000);

test("guesses on many accounts from one address are slowed down, with Retry-After and a sentence", async () => {
  await withCase(async (made) => {
    await workspaceWith(made, "alpha");
    const guess = (i: number) =>
      browserOf(made, `2001:db8:1:2::${i.toString(16)}`).post("/login", {
        email: `user${i}@alpha.example`,
        password: "guess guess guess",
      });
    for (let i = 1; i <= ADDRESS_ATTEMPTS_FREE; i++) expect((await guess(i)).status).toBe(422);
    const slowed = await guess(99);
    expect(slowed.status).toBe(429);
    expect(Number(slowed.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await slowed.text()).toMatch(/Too many attempts\. Try again in 1 second\./);
    expect(made.verified.length).toBe(ADDRESS_ATTEMPTS_FREE);
    const elsewhere = browserOf(made, "203.0.113.7");
    expect((await elsewhere.signIn(OWNER)).status).toBe(303);
    made.advance(1001);
    expect((await guess(99)).status).toBe(422);
    // The wait has doubled.
    expect((await guess(99)).headers.get("retry-after")).toBe("2");
  });
}, 30_000);

test("without a configured proxy a forwarded address changes nothing for the throttle", async () => {
  await withCase(async (made) => {
    for (let i = 0; i <= ADDRESS_ATTEMPTS_FREE; i++) {
      const fields = { email: `user${i}@alpha.example`, password: "guess guess guess" };
      const headers = { "x-forwarded-for": `203.0.113.${i}`, "x-real-ip": `203.0.113.${i}` };
      const answer = await browserOf(made).post("/login", fields, headers);
      expect(answer.status).toBe(i < ADDRESS_ATTEMPTS_FREE ? 422 : 429);
    }
  });
}, 30_000);

test("signing out ends the session at once, also for a copied cookie", async () => {
  const browser = browserOf(shared);
  await browser.signIn(OWNER);
  const copied = browser.cookie;
  const answer = await browser.post("/logout");
  expect(answer.headers.get("location")).toBe("/login?done=out");
  expect(browser.cookie).toBe("");
  const thief = browserOf(shared);
  thief.cookie = copied;
  expect((await thief.get("/account")).headers.get("location")).toBe("/login?next=%2Faccount");
});

test("a session ends 12 hours after its last use, and 30 days after sign-in however much it is used", async () => {
  await withCase(async (made) => {
    await workspaceWith(made, "alpha");
    const idle = browserOf(made);
    const busy = browserOf(made);
    await idle.signIn(OWNER);
    await busy.signIn(OWNER);
    const step = SESSION_IDLE_MS / 2;
    made.advance(step);
    expect((await busy.get("/account")).status).toBe(200);
    made.advance(step + 60_000);
    expect((await idle.get("/account")).status).toBe(303);
    for (let at = 2 * step + 60_000; at + step < SESSION_ABSOLUTE_MS; at += step) {
      expect((await busy.get("/account")).status).toBe(200);
      made.advance(step);
    }
    made.advance(step);
    expect((await busy.get("/account")).status).toBe(303);
  });
}, 30_000);

test("signing in again ends the browser's earlier session", async () => {
  const browser = browserOf(shared);
  await browser.signIn(OWNER);
  const earlier = browser.cookie;
  await browser.signIn("trader@alpha.example");
  expect(browser.cookie).not.toBe(earlier);
  const other = browserOf(shared);
  other.cookie = earlier;
  expect((await other.get("/account")).status).toBe(303);
});

test("a user has a bounded number of sessions; the oldest ends", async () => {
  await withCase(async (made) => {
    const { owner, scope } = await workspaceWith(made, "alpha");
    const first = await made.deps.sessions.open(owner, scope.workspaceId, "first");
    for (let i = 0; i < SESSIONS_PER_USER_MAX; i++) {
      await made.deps.sessions.open(owner, scope.workspaceId, `later ${i}`);
    }
    expect(await made.deps.sessions.find(first?.token ?? "")).toBeNull();
    const open = await made.access.listSessions(owner.id, made.clock.now());
    expect(open).toHaveLength(SESSIONS_PER_USER_MAX);
  });
});

test("a disabled user is refused like an unknown one, and open sessions end", async () => {
  await withCase(async (made) => {
    const { trader } = await workspaceWith(made, "alpha");
    const browser = browserOf(made);
    await browser.signIn(trader.email);
    await made.access.setDisabled(trader.id, true, made.clock.now());
    expect((await browser.get("/account")).status).toBe(303);
    const again = await browser.signIn(trader.email);
    expect(again.status).toBe(422);
    expect(await again.text()).toContain("E-mail or password is wrong.");
  });
});

const NEXT: [wanted: string | undefined, path: string][] = [
  ["/users?x=1", "/users?x=1"],
  [undefined, "/"],
  ["https://evil.example/", "/"],
  ["//evil.example/", "/"],
  ["/\\evil.example", "/"],
  ["/\t/evil.example", "/"],
  ["/.//evil.example", "/"],
  ["javascript:alert(1)", "/"],
];

test("after signing in only our own pages are gone to", () => {
  for (const [wanted, path] of NEXT) expect(safePath(wanted)).toBe(path);
});
