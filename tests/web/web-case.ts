// The real app over a real database with a clock in the test's hands, and browsers for it: a cookie
// jar that reads the forms' tokens. Used by every test of this folder.
import { tmpdir } from "node:os";
import { createMarketData } from "../../src/adapters/ccxt/market-data.ts";
import { createLinkRepository } from "../../src/adapters/postgres/access-links.ts";
import { createAccessRepository } from "../../src/adapters/postgres/access-repository.ts";
import { createAuditRepository } from "../../src/adapters/postgres/audit-repository.ts";
import { serverFacts } from "../../src/adapters/postgres/server-facts.ts";
import { createSettingsRepository } from "../../src/adapters/postgres/settings-repository.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { composeBotDetail } from "../../src/bot-detail.ts";
import { composeBots } from "../../src/bots.ts";
import { composeDemo } from "../../src/demo.ts";
import { composeEmergency } from "../../src/emergency.ts";
import { createDemoKeeper } from "../../src/demo-exchange.ts";
import { composePreflight, type PreflightSideDeps } from "../../src/preflight.ts";
import type { Role, Scope } from "../../src/ports/access-store.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { createAccount } from "../../src/services/desk/account.ts";
import { createHealth } from "../../src/services/desk/health.ts";
import { createLoginThrottle } from "../../src/services/desk/login-throttle.ts";
import { createMembers } from "../../src/services/desk/members.ts";
import { hashPassword, verifyPassword } from "../../src/services/desk/passwords.ts";
import { createSessions } from "../../src/services/desk/sessions.ts";
import { createSetup } from "../../src/services/desk/setup.ts";
import { createTokens } from "../../src/services/desk/tokens.ts";
import { createWorkerRepository } from "../../src/adapters/postgres/worker-repository.ts";
import { createJobsRepository } from "../../src/adapters/postgres/jobs-repository.ts";
import { createRetentionRepository } from "../../src/adapters/postgres/retention-repository.ts";
import { createJobsDesk } from "../../src/services/desk/jobs.ts";
import { createRetention } from "../../src/services/live/retention.ts";
import { createApp } from "../../src/web/app.tsx";
import { createAssets } from "../../src/web/assets.ts";
import { createEventStreams } from "../../src/web/event-stream.ts";
import type { Trust, WebDeps } from "../../src/web/deps.ts";
import { TEST_KEY, testAccounts } from "../support/account-probe.ts";
import { testResearch } from "../support/research-case.ts";
import { silentLog, testDatabase } from "../support/test-database.ts";

const VENUE_URL = new URL("../../src/venue.worker.ts", import.meta.url);

/** For tests that post every form: a demo that began would go on while they run. */
const NO_EXCHANGE = { open: () => Promise.reject(new Error("this test has no demo exchange")) };

export const PASSWORD = "plum-harbour-nine-otters";
export const HTML = { headers: { accept: "text/html" } };

const NO_CHECKS = () => Promise.reject(new Error("this test has no exchange for a pre-flight"));

/** What a test may choose: whom to trust, whether the demo can be begun, where a pre-flight asks. */
export type CaseOptions = Partial<Trust> & {
  readonly hasDemoExchange?: boolean;
  readonly openForChecks?: PreflightSideDeps["open"];
};

/** The app with its collaborators; `advance` moves the clock, `verified` lists compared hashes. */
export async function webCase({
  hasDemoExchange = false,
  openForChecks = NO_CHECKS,
  ...trust
}: CaseOptions = {}) {
  const opened = await testDatabase();
  let offsetMs = 0;
  const system = createClock();
  const clock: Clock = { ...system, now: () => system.now() + offsetMs };
  const keeper = createDemoKeeper({
    settings: createSettingsRepository(opened.sql),
    url: VENUE_URL,
    ...{ clock, log: silentLog },
  });
  const { loopbackUrls } = keeper;
  const market = createMarketData({ clock, log: silentLog, loopbackUrls });
  const research = testResearch(opened.sql, { clock, market, pool: { threads: 1 } });
  const preflight = composePreflight({
    ...{ sql: opened.sql, key: TEST_KEY, dataDir: tmpdir(), instance: 7, clock, log: silentLog },
    open: openForChecks,
  });
  const database = {
    ...opened,
    async drop() {
      await preflight.stop();
      await research.stop();
      await keeper.stop();
      await opened.drop();
    },
  };
  const access = createAccessRepository(database.sql);
  const audit = createAuditRepository(database.sql);
  const links = createLinkRepository(database.sql);
  const stores = { access, audit, links, clock };
  const verified: string[] = [];
  const sessions = createSessions({
    ...stores,
    throttle: createLoginThrottle(),
    verifyPassword: (password, hash) => {
      verified.push(hash);
      return verifyPassword(password, hash);
    },
  });
  const setup = createSetup(stores);
  const members = createMembers(stores);
  const tokens = createTokens(stores);
  const health = createHealth({
    checks: [{ name: "database", run: async () => (await serverFacts(database.sql)) && "answers" }],
    clock,
    log: silentLog,
    limitMs: 2000,
  });
  const tradingAccounts = await testAccounts(database.sql, clock);
  const { sql } = database;
  const { emergency, alarms } = composeEmergency({
    ...{ sql, key: new Uint8Array(32).fill(7), clock, log: silentLog },
    version: "9.9.9",
  });
  const stopping = { emergency, alarms, accountLive: preflight.accountLive };
  const { demo } = composeDemo({
    ...{ sql, research, tradingAccounts, clock, log: silentLog },
    keeper: hasDemoExchange ? keeper : NO_EXCHANGE,
  });
  const deps: WebDeps = {
    about: {
      version: "9.9.9",
      program: "dragon",
      database: "a database",
      timeZone: "Europe/Vienna",
      hasDemo: demo.isPresent,
    },
    health,
    setup,
    sessions,
    account: createAccount({ ...stores, sessions }),
    members,
    tokens,
    tradingAccounts,
    demo,
    ...composeBots({ sql, research, clock, log: silentLog }),
    botDetail: composeBotDetail({ sql, market, clock, log: silentLog }),
    ...stopping,
    ...research,
    jobs: createJobsDesk({
      workers: createWorkerRepository(sql),
      jobs: createJobsRepository(sql),
      ...{ clock, log: silentLog },
    }),
    retention: createRetention({
      store: createRetentionRepository(sql),
      settings: createSettingsRepository(sql),
      ...{ audit, clock, log: silentLog },
    }),
    streams: createEventStreams(silentLog, sessions.isOpen),
    assets: createAssets(),
    log: silentLog,
    trust: { publicUrl: undefined, trustedProxies: [], authHeader: undefined, ...trust },
  };
  const app = createApp(deps);
  const advance = (ms: number) => {
    offsetMs += ms;
  };
  return { app, deps, access, audit, setup, members, tokens, clock, database, advance, verified };
}

/** What `webCase` gives. */
export type WebCase = Awaited<ReturnType<typeof webCase>>;

/** Runs with an app of its own. */
export async function withCase(
  use: (made: WebCase) => Promise<void>,
  options: CaseOptions = {},
): Promise<void> {
  const made = await webCase(options);
  try {
    await use(made);
  } finally {
    await made.database.drop();
  }
}

/** A form post as a browser on the page itself sends it. */
export function formPost(
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): RequestInit {
  return {
    method: "POST",
    headers: {
      accept: "text/html",
      host: "127.0.0.1:8400",
      origin: "http://127.0.0.1:8400",
      "sec-fetch-site": "same-origin",
      ...headers,
    },
    body: new URLSearchParams(fields),
  };
}

/** The form as the owner fills it in. */
export const OWNER = {
  email: "ann@example.org",
  password: PASSWORD,
  repeat: PASSWORD,
  timeZone: "Europe/Vienna",
};

/** A browser: keeps its cookie and the token of the last page. */
export type TestBrowser = {
  cookie: string;
  csrf: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** Sends the form with the token; `csrf` in the fields replaces it. */
  post(
    path: string,
    fields?: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Response>;
  signIn(email: string, password?: string): Promise<Response>;
};

/** A fresh browser for the app; `peer` is the address it comes from. */
export function browserOf({ app }: Pick<WebCase, "app">, peer = "192.0.2.1"): TestBrowser {
  const keep = async (answer: Response) => {
    const set = /^([^=;]+=[^;]*)/.exec(answer.headers.get("set-cookie") ?? "")?.[1];
    if (set !== undefined) made.cookie = set.endsWith("=") ? "" : set;
    // A stream never ends: reading it to its end would wait for ever.
    if (answer.headers.get("content-type")?.startsWith("text/event-stream")) return answer;
    const page = await answer.clone().text();
    made.csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? made.csrf;
    return answer;
  };
  const send = async (path: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    if (made.cookie !== "") headers.set("cookie", made.cookie);
    if (!headers.has("user-agent"))
      headers.set("user-agent", "Mozilla/5.0 (X11; Linux) Firefox/140.0");
    return keep(await app.request(path, { ...init, headers }, { peer }));
  };
  const made: TestBrowser = {
    cookie: "",
    csrf: "",
    get: (path, headers = {}) => send(path, { headers: { accept: "text/html", ...headers } }),
    post: (path, fields = {}, headers = {}) =>
      send(path, formPost({ csrf: made.csrf, ...fields }, headers)),
    async signIn(email, password = PASSWORD) {
      const answer = await made.post("/login", { email, password, next: "/account" });
      if (answer.status === 303) await made.get("/account");
      return answer;
    },
  };
  return made;
}

/** A workspace with one user per role; the e-mails are role@name.example. */
export async function workspaceWith({ access, clock }: WebCase, name: string) {
  const { id: workspaceId } = await access.createWorkspace(name, clock.now());
  const scope: Scope = { workspaceId, userId: null, role: "owner" };
  const add = async (role: Role) => {
    const email = `${role}@${name}.example`;
    const passwordHash = await hashPassword(PASSWORD, email);
    const user = { email, passwordHash, timeZone: "UTC", role };
    const made = await access.createUser(scope, user, clock.now());
    if (!made.ok) throw new Error(made.detail);
    return made.value;
  };
  return {
    scope,
    owner: await add("owner"),
    trader: await add("trader"),
    viewer: await add("viewer"),
  };
}
