// Walks the route table: who may open what, what a change needs, and that two workspaces see nothing
// of each other. A route added later is walked without touching this file.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Role } from "../../src/ports/access-store.ts";
import { includesRole } from "../../src/services/desk/tokens.ts";
import { createRefuse } from "../../src/web/problems.tsx";
import { routeTable } from "../../src/web/route-table.ts";
import type { Route } from "../../src/web/route.ts";
import { CSRF_HEADER } from "../../views/components/form.tsx";
import { belongingsOf } from "./belongings.ts";
import { browserOf, type TestBrowser, type WebCase, webCase, workspaceWith } from "./web-case.ts";

const ROLES: readonly Role[] = ["owner", "trader", "viewer"];
type World = Awaited<ReturnType<typeof workspaceWith>>;

let made: WebCase;
let routes: readonly Route[];
let alpha: World;
let beta: World;
const browsers = new Map<Role, TestBrowser>();

beforeAll(async () => {
  made = await webCase();
  routes = routeTable(made.deps, createRefuse(made.deps.about));
  alpha = await workspaceWith(made, "alpha");
  beta = await workspaceWith(made, "beta");
  for (const role of ROLES) {
    const browser = browserOf(made);
    await browser.signIn(`${role}@alpha.example`);
    browsers.set(role, browser);
  }
}, 30_000);
afterAll(() => made.database.drop());

function browser(role: Role): TestBrowser {
  const found = browsers.get(role);
  if (!found) throw new Error(`no browser for ${role}`);
  return found;
}

/** An address of the route; ids that exist nowhere unless given. */
function address({ path }: Route, id: string | number = 999_999): string {
  return path
    .replace(":topic", "database")
    .replace(":token", "nonsense")
    .replace(":id", String(id));
}

/** Fields with which each form of an object would change it. */
const CHANGE = { role: "owner", confirm: "DELETE", name: "changed", note: "changed" };

/** Asks as a browser on the page does; a file carries the token in the header. */
function ask(
  { mutates, bodyBytesMax }: Route,
  who: TestBrowser,
  path: string,
  fields: Record<string, string> = {},
): Promise<Response> {
  if (!mutates) return who.get(path);
  return who.post(path, fields, bodyBytesMax === undefined ? {} : { [CSRF_HEADER]: who.csrf });
}

const isChange = (route: Route) => route.mutates;
type Guarded = Extract<Route, { readonly access: Role }>;
const isGuarded = (route: Route): route is Guarded => route.access !== "public";

/** Everything that must not change, as one text. */
async function state(): Promise<string> {
  const { sql } = made.database;
  const rows = await Promise.all([
    sql`select id, email, password_hash, time_zone, disabled_at from users order by id`,
    sql`select workspace_id, user_id, role from memberships order by 1, 2`,
    sql`select id, revoked_at from sessions order by id`,
    sql`select id, revoked_at from api_tokens order by id`,
    sql`select count(*) from setup_links`,
    sql`select id, name, status from accounts order by id`,
    sql`select count(*) from credentials where revoked_at is null`,
    sql`select id, name, status from runs order by id`,
    sql`select scope, state from trading_states order by id`,
    sql`select id, name, desired_status, desired_action, deleted_at from bots order by id`,
    sql`select count(*) from run_shortlists`,
    sql`select id from market_series order by id`,
    sql`select id, name from saved_periods order by id`,
    sql`select count(*) from audit_log where workspace_id is not null`,
  ]);
  return JSON.stringify(rows);
}

test("the table lists every address once, and posts are exactly what changes something", () => {
  const places = routes.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(places).size).toBe(places.length);
  for (const route of routes) expect(route.mutates).toBe(route.method === "POST");
});

test("nothing but the first page, sign-in, links, health and files is open to strangers", () => {
  const open = routes
    .filter((route) => !isGuarded(route))
    .map(({ method, path }) => `${method} ${path}`);
  const expected = [
    "GET /",
    "GET /healthz",
    "GET /livez",
    "GET /login",
    "GET /readyz",
    "GET /setup/:token",
    "POST /login",
    "POST /setup/:token",
  ];
  expect(open.filter((place) => !place.startsWith("GET /static/")).sort()).toEqual(expected);
});

test("the app answers no address that is not in the table", () => {
  const mounted = made.app.routes.filter(({ method }) => method !== "ALL");
  expect(mounted.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
    routes.map(({ method, path }) => `${method} ${path}`).sort(),
  );
});

test("a stranger is sent to sign in from every page, and told 401 by every API address", async () => {
  for (const route of routes.filter(isGuarded)) {
    const stranger = browserOf(made);
    const path = address(route);
    const answer = await ask(route, stranger, path);
    if (route.kind === "api") {
      expect(answer.status).toBe(401);
      expect(answer.headers.get("content-type")).toContain("application/problem+json");
    } else {
      expect(answer.status).toBe(303);
      const next = `/login?next=${encodeURIComponent(path)}`;
      expect(answer.headers.get("location")).toBe(route.mutates ? "/login" : next);
    }
  }
});

test("every changing page refuses a missing, empty, foreign or stale form token, and nothing changes", async () => {
  const before = await state();
  const foreign = browser("trader").csrf;
  const changes = routes.filter((route) => isChange(route) && isGuarded(route));
  expect(changes.length).toBeGreaterThan(10);
  for (const route of changes) {
    for (const csrf of ["", foreign, `${browser("owner").csrf}x`]) {
      const answer = await browser("owner").post(address(route, alpha.viewer.id), { csrf });
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain("The form is out of date");
    }
  }
  expect(await state()).toBe(before);
});

const CROSS_SITE: Record<string, string>[] = [
  { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
  { origin: "null" },
  { "sec-fetch-site": "same-site" },
];

test("every changing address refuses another site's request even with the right token", async () => {
  const before = await state();
  for (const route of routes.filter(isChange)) {
    for (const headers of CROSS_SITE) {
      const answer = await browser("owner").post(address(route, alpha.viewer.id), {}, headers);
      expect(answer.status).toBe(403);
    }
  }
  expect(await state()).toBe(before);
});

test("each role opens exactly what the table grants it", async () => {
  const isHarmless = ({ path }: Route) => path !== "/logout" && !path.includes("revoke-others");
  for (const role of ROLES) {
    for (const route of routes.filter(isGuarded).filter(isHarmless)) {
      const path = address(route);
      const answer = await ask(route, browser(role), path);
      const isAllowed = includesRole(role, route.access);
      const what = `${role} ${route.method} ${route.path}: ${answer.status}`;
      if (isAllowed) expect([what, answer.status !== 403]).toEqual([what, true]);
      else expect([what, answer.status]).toEqual([what, 403]);
    }
  }
});

test("no route reads or changes anything of another workspace, whatever the number in its address", async () => {
  const stranger = browserOf(made);
  await stranger.signIn(beta.viewer.email);
  const kinds = await belongingsOf(made, beta);
  const before = await state();
  const withId = routes.filter((route) => route.path.includes(":id"));
  expect(withId.length).toBeGreaterThan(5);
  for (const route of withId) {
    const ids = kinds.find(([start]) => route.path.startsWith(start))?.[1] ?? [];
    expect([route.path, ids.length > 0]).toEqual([route.path, true]);
    for (const id of ids) {
      for (const role of ROLES) {
        const path = address(route, id);
        const answer = await ask(route, browser(role), path, CHANGE);
        expect([403, 404]).toContain(answer.status);
        expect(await answer.text()).not.toContain("beta.example");
      }
    }
  }
  expect(await state()).toBe(before);
});

test("no page and no API answer of one workspace names anybody of the other", async () => {
  for (const role of ROLES) {
    for (const route of routes.filter((each) => !each.mutates && each.kind !== "file")) {
      for (const id of [alpha.viewer.id, beta.viewer.id]) {
        const answer = await browser(role).get(address(route, id));
        expect(await answer.text()).not.toContain("beta.example");
      }
    }
  }
});

test("the same address shows a member of the own workspace", async () => {
  const page = await (await browser("owner").get(`/users/${alpha.viewer.id}`)).text();
  expect(page).toContain("viewer@alpha.example");
});

test("every page has the strict headers, one heading, no inline script or style, and only real links", async () => {
  const paths = routes.map(({ path }) => path);
  const exists = (path: string) =>
    paths.some((known) => new RegExp(`^${known.replace(/:\w+/g, "[^/]+")}$`).test(path));
  for (const route of routes.filter((each) => each.kind === "page" && !each.mutates)) {
    const answer = await browser("owner").get(address(route, alpha.viewer.id));
    if (answer.status === 303) continue;
    const page = await answer.text();
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(answer.headers.get("content-security-policy")).not.toContain("unsafe");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    if (route.kind === "page" && !route.isPart) expect(page.match(/<h1[ >]/g)).toHaveLength(1);
    const embedded = /<script src="\/static\/[\w.]+" defer=""><\/script>/g;
    expect(page.replaceAll(embedded, "")).not.toMatch(
      /<script(?! type="application\/json")|<style|\sstyle=|\son[a-z]+=/i,
    );
    for (const [, link = ""] of page.matchAll(/(?:href|action)="(\/[^"#?]*)/g)) {
      if (!exists(link)) throw new Error(`${route.path} links ${link}`);
    }
  }
});
