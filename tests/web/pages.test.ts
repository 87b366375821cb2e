// Pages against the real app and a real database: what they show, refuse and write.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { SETUP_LINK_MS } from "../../src/services/desk/setup.ts";
import { BODY_BYTES_MAX } from "../../src/web/guard.ts";
import { formPost, HTML, OWNER, PASSWORD, type WebCase, webCase, withCase } from "./web-case.ts";

let shared: WebCase;

beforeAll(async () => {
  shared = await webCase();
});
afterAll(() => shared.database.drop());

test("the first page says what Dragon is, its version and what to do next", async () => {
  const answer = await shared.app.request("/", HTML);
  const page = await answer.text();
  expect(answer.status).toBe(200);
  expect(page).toStartWith("<!doctype html>");
  for (const text of ["9.9.9", "Create the owner", "/setup/", "a database"]) {
    expect(page).toContain(text);
  }
});

test("every answer carries the strict headers, and none allows inline code", async () => {
  for (const path of ["/", "/livez", "/readyz", "/setup/x", "/nothing", "/static/nothing.css"]) {
    const { headers } = await shared.app.request(path, HTML);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("cache-control")).toBe("no-store");
  }
});

test("pages hold neither scripts nor inline styles", async () => {
  const token = await shared.setup.issueLink();
  for (const path of ["/", `/setup/${token}`, "/nothing"]) {
    const page = await (await shared.app.request(path, HTML)).text();
    expect(page).not.toMatch(/<script|<style|\sstyle=|\son[a-z]+=/i);
  }
});

test("the linked style sheet and icon exist and may be cached for ever", async () => {
  const page = await (await shared.app.request("/", HTML)).text();
  const links = [...page.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  expect(new Set(links).size).toBe(2);
  for (const link of links) {
    const answer = await shared.app.request(link);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toContain("immutable");
    expect((await answer.text()).length).toBeGreaterThan(100);
  }
});

test("/livez answers, /readyz and /healthz list their checks", async () => {
  expect(await (await shared.app.request("/livez")).json()).toEqual({ status: "ok" });
  for (const path of ["/readyz", "/healthz"]) {
    const answer = await shared.app.request(path);
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { status: string; checks: unknown[] };
    expect(body.status).toBe("ok");
    expect(body.checks).toMatchObject([{ name: "database", ok: true }]);
  }
});

test("without a database /readyz is 503 and names the check, /livez stays 200, / says so", async () => {
  await withCase(async ({ app, database }) => {
    await database.sql.end({ timeout: 1 });
    const ready = await app.request("/readyz");
    expect(ready.status).toBe(503);
    const body = (await ready.json()) as { checks: unknown[] };
    expect(body.checks).toMatchObject([{ name: "database", ok: false, detail: "failed" }]);
    expect((await app.request("/livez")).status).toBe(200);
    const home = await app.request("/", HTML);
    expect(home.status).toBe(503);
    expect(await home.text()).toContain("does not answer");
  });
});

test("the link creates the owner once; afterwards it says so", async () => {
  await withCase(async ({ app, access, audit, setup }) => {
    const path = `/setup/${await setup.issueLink()}`;
    const form = await app.request(path, HTML);
    expect(form.status).toBe(200);
    expect(await form.text()).toContain('<option value="Europe/Vienna" selected=""');
    const done = await app.request(path, formPost(OWNER));
    expect(done.status).toBe(303);
    expect(done.headers.get("location")).toBe("/");
    const login = await access.findLogin(OWNER.email);
    expect(login?.user.timeZone).toBe("Europe/Vienna");
    expect(login?.passwordHash).toStartWith("$argon2id$");
    expect(await Bun.password.verify(PASSWORD, login?.passwordHash ?? "")).toBe(true);
    for (const init of [HTML, formPost({ ...OWNER, email: "eve@example.org" })]) {
      const closed = await app.request(path, init);
      expect(closed.status).toBe(410);
      expect(await closed.text()).toContain("already used");
    }
    expect(await access.findLogin("eve@example.org")).toBeNull();
    expect(await (await app.request("/", HTML)).text()).toContain("This Dragon has an owner");
    const workspace = await access.defaultWorkspace(0);
    const scope = { workspaceId: workspace.id, userId: null, role: "owner" } as const;
    const entries = await audit.list(scope, { limit: 10 });
    expect(entries.map((entry) => entry.action)).toEqual(["login", "owner_created"]);
    expect(JSON.stringify(entries)).not.toContain(PASSWORD);
  });
});

test("an unknown link is 404, an expired one 410, and a new one closes the old one", async () => {
  await withCase(async ({ app, setup, advance }) => {
    expect((await app.request("/setup/nonsense", HTML)).status).toBe(404);
    const first = await setup.issueLink();
    const second = await setup.issueLink();
    expect((await app.request(`/setup/${first}`, HTML)).status).not.toBe(200);
    expect((await app.request(`/setup/${second}`, HTML)).status).toBe(200);
    advance(SETUP_LINK_MS + 1);
    const late = await app.request(`/setup/${second}`, formPost(OWNER));
    expect(late.status).toBe(410);
    expect(await late.text()).toContain("expired");
    expect(await setup.hasOwner()).toBe(false);
  });
});

const REFUSED: [what: string, change: Partial<typeof OWNER>, says: string][] = [
  ["a short password", { password: "short1!", repeat: "short1!" }, "7 characters"],
  ["a common password", { password: "password123456", repeat: "password123456" }, "guessing"],
  ["two different passwords", { repeat: "something-else-entirely" }, "differ"],
  ["no e-mail", { email: "" }, "missing"],
  ["a wrong e-mail", { email: "ann" }, "name@example.org"],
  ["an unknown time zone", { timeZone: "Mars/Olympus" }, "IANA"],
];

for (const [what, change, says] of REFUSED) {
  test(`${what} gives the form again with 422, the sentence and the e-mail kept`, async () => {
    const path = `/setup/${await shared.setup.issueLink()}`;
    const answer = await shared.app.request(path, formPost({ ...OWNER, ...change }));
    const page = await answer.text();
    expect(answer.status).toBe(422);
    expect(page).toContain(says);
    expect(page).toContain('aria-invalid="true"');
    if (change.email === undefined) expect(page).toContain(OWNER.email);
    expect(page).not.toContain(change.password ?? PASSWORD);
    expect(await shared.setup.hasOwner()).toBe(false);
  });
}

test("what was typed is shown as text, not as markup", async () => {
  const path = `/setup/${await shared.setup.issueLink()}`;
  const email = `"><script>alert(1)</script>`;
  const page = await (await shared.app.request(path, formPost({ ...OWNER, email }))).text();
  expect(page).not.toContain("<script>");
});

const FOREIGN: [what: string, headers: Record<string, string>][] = [
  ["another origin", { origin: "https://evil.example" }],
  ["another port", { origin: "http://127.0.0.1:9999" }],
  ["an opaque origin", { origin: "null" }],
  ["a cross-site hint", { "sec-fetch-site": "cross-site" }],
  ["a same-site hint", { "sec-fetch-site": "same-site" }],
];

for (const [what, headers] of FOREIGN) {
  test(`a post with ${what} is refused with 403 and creates nobody`, async () => {
    const path = `/setup/${await shared.setup.issueLink()}`;
    const answer = await shared.app.request(path, formPost(OWNER, headers));
    expect(answer.status).toBe(403);
    expect(await shared.setup.hasOwner()).toBe(false);
  });
}

test("behind a proxy the public address counts as our own", async () => {
  await withCase(
    async ({ app, setup }) => {
      const path = `/setup/${await setup.issueLink()}`;
      const origin = "https://dragon.example.org";
      expect((await app.request(path, formPost(OWNER, { origin }))).status).toBe(303);
    },
    { publicUrl: "https://dragon.example.org" },
  );
});

test("a body above the limit is refused with 413", async () => {
  const path = `/setup/${await shared.setup.issueLink()}`;
  const big = formPost({ ...OWNER, email: "x".repeat(BODY_BYTES_MAX + 1) });
  expect((await shared.app.request(path, big)).status).toBe(413);
});

test("two owners at the same moment: exactly one wins", async () => {
  await withCase(async ({ app, setup }) => {
    const path = `/setup/${await setup.issueLink()}`;
    const posts = ["ann@example.org", "eve@example.org"].map((email) =>
      app.request(path, formPost({ ...OWNER, email })),
    );
    const statuses = (await Promise.all(posts)).map((answer) => answer.status).sort();
    expect(statuses).toEqual([303, 410]);
  });
});

test("an unknown path is a page for people and problem JSON for programs", async () => {
  const page = await shared.app.request("/nothing", HTML);
  expect(page.status).toBe(404);
  expect(await page.text()).toContain("There is no page");
  const problem = await shared.app.request("/nothing");
  expect(problem.headers.get("content-type")).toBe("application/problem+json");
  expect(await problem.json()).toMatchObject({ status: 404 });
});

test("files outside the embedded list are not served", async () => {
  for (const path of [
    "/static/../package.json",
    "/static/%2e%2e/package.json",
    "/static/index.ts",
  ]) {
    expect((await shared.app.request(path)).status).toBe(404);
  }
});

test("a file without a length is refused before it is read, whoever sends it", () =>
  withCase(async ({ app }) => {
    let read = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        read += 1;
        if (read > 2000) throw new Error("the body was read on and on");
        controller.enqueue(new Uint8Array(1 << 20));
      },
    });
    const answer = await app.request("/candles/import", {
      method: "POST",
      headers: { "transfer-encoding": "chunked", "sec-fetch-site": "same-origin" },
      body: endless,
    });
    expect(answer.status).toBe(411);
    expect(read).toBeLessThan(4);
  }));
