// Going live on pages: who may check, arm and switch off, what has to be typed, and when a run does not count. The
// exchange is the simulated one over loopback; another workspace finds nothing.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createAuditRepository } from "../../src/adapters/postgres/audit-repository.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import { RUN_FRESH_MS } from "../../src/services/live/preflight.ts";
import { ACCOUNT_NAME, type LiveAccountCase, liveAccountCase } from "./live-account-case.ts";
import type { TestBrowser } from "./web-case.ts";

const LIMIT_MS = 60_000;
const ARM = { typedName: ACCOUNT_NAME, keyBackup: "yes" };

let world: LiveAccountCase;
let owner: TestBrowser;
let trader: TestBrowser;

beforeEach(async () => {
  world = await liveAccountCase();
  owner = await world.browser("owner");
  trader = await world.browser("trader");
}, LIMIT_MS);
afterEach(() => world.close());

const textOf = async (answer: Response | Promise<Response>) => (await answer).text();

async function run(who = trader): Promise<void> {
  expect((await who.post(`${world.path}/preflight`)).status).toBe(303);
  await world.ended();
}

/** Status and whether the sentence is on the page. */
async function tried(answer: Promise<Response>, sentence: string) {
  const { status } = await answer;
  return [status, (await textOf(answer)).includes(sentence)];
}

async function stateOf(kind: "live" | "account") {
  const { states } = await world.control.read(world.alpha.scope);
  const row = states.find(({ scope }) =>
    scope.kind === "account"
      ? kind === "account" && scope.accountId === world.id
      : scope.kind === kind,
  );
  return row?.state ?? "none";
}

async function noted(action: string) {
  const audit = createAuditRepository(world.made.database.sql);
  const entries = await audit.list(world.alpha.scope, { limit: 50 });
  return entries.filter((entry) => entry.action === action);
}

describe("a pre-flight", () => {
  test(
    "is run by traders, followed by its stream, and shown by what it found",
    async () => {
      expect(await textOf(trader.get(world.path))).toContain("No pre-flight was made yet");
      let open = () => {};
      world.held.gate = new Promise((resolve) => {
        open = resolve;
      });
      expect((await trader.post(`${world.path}/preflight`)).status).toBe(303);
      const busy = await textOf(owner.get(world.path));
      expect(busy).toContain("<progress");
      expect(busy).not.toContain("Arm with real money");
      const again = tried(trader.post(`${world.path}/preflight`), "under way already");
      expect(await again).toEqual([422, true]);
      const stream = trader.get(`${world.path}/preflight/stream`);
      open();
      expect(await textOf(stream)).toContain("event: ended");
      const card = await textOf(trader.get(`${world.path}/live`));
      expect(card).toContain("Nothing failed; read the warnings.");
      expect(card).toContain("Passed (15)");
      expect(card).toContain("Warnings (2)");
      expect(card).toContain("Set up a way out for alarms.");
      expect(card).not.toContain("Arm with real money");
      expect(await textOf(owner.get(world.path))).toContain("Arm with real money");
    },
    LIMIT_MS,
  );

  test(
    "that fails shows its remedy and offers no arming",
    async () => {
      const permissions = { mayTrade: true, mayWithdraw: true, isAddressBound: null };
      world.held.broker = { permissions: async () => permissions };
      await run();
      const page = await textOf(owner.get(world.path));
      expect(page).toContain("At least one check failed");
      expect(page).toContain("The keys may move money out of the account. Make keys at");
      expect(page).not.toContain("Arm with real money");
      const armed = tried(owner.post(`${world.path}/arm`, ARM), "1 checks failed");
      expect(await armed).toEqual([422, true]);
      expect([await stateOf("account"), await stateOf("live")]).toEqual(["none", "frozen"]);
    },
    LIMIT_MS,
  );

  test(
    "is not there for an account without real money",
    async () => {
      const paper = { name: "Paper", exchange: "woox", mode: "paper", apiKey: "", apiSecret: "" };
      const made = await world.made.deps.tradingAccounts.create(world.actor, {
        ...paper,
        passphrase: "",
      });
      if (!made.ok) throw new Error(made.detail);
      const path = `/accounts/${made.account.id}`;
      const page = await textOf(owner.get(path));
      expect(page).toContain("How it stands");
      expect(page).not.toContain("Live trading");
      expect((await owner.get(`${path}/live`)).status).toBe(204);
      expect((await owner.post(`${path}/preflight`)).status).toBe(422);
      expect((await owner.post(`${path}/arm`, { ...ARM, typedName: "Paper" })).status).toBe(422);
      expect((await owner.post(`${path}/disarm`, { confirm: "DISARM" })).status).toBe(422);
    },
    LIMIT_MS,
  );
});

describe("arming", () => {
  test(
    "wants a run, the name and the word on the master key, and is undone by a trader",
    async () => {
      const arm = (change: Partial<typeof ARM> = {}) =>
        owner.post(`${world.path}/arm`, { ...ARM, ...change });
      expect(await tried(arm(), "Run the pre-flight first")).toEqual([422, true]);
      await run();
      expect(await tried(arm({ typedName: "main" }), 'value="main"')).toEqual([422, true]);
      const bare = tried(arm({ keyBackup: "" }), "Without a copy of the master key");
      expect(await bare).toEqual([422, true]);
      expect([await stateOf("account"), await stateOf("live")]).toEqual(["none", "frozen"]);
      expect((await arm()).headers.get("location")).toBe(`${world.path}?done=armed`);
      expect([await stateOf("account"), await stateOf("live")]).toEqual(["active", "active"]);
      expect(await noted("live_armed")).toHaveLength(1);
      expect(await textOf(owner.get(world.path))).toContain(
        "bots of this account trade real money",
      );

      const off = (confirm: string) => trader.post(`${world.path}/disarm`, { confirm });
      expect(await tried(off("disarm"), "in capital letters")).toEqual([422, true]);
      expect(await stateOf("account")).toBe("active");
      expect((await off("DISARM")).status).toBe(303);
      expect([await stateOf("account"), await stateOf("live")]).toEqual(["frozen", "frozen"]);
      expect(await noted("live_disarmed")).toHaveLength(1);
    },
    LIMIT_MS,
  );

  test(
    "is refused when the run is older than ten minutes",
    async () => {
      await run();
      world.made.advance(RUN_FRESH_MS + 1000);
      expect(await textOf(owner.get(world.path))).toContain("a pre-flight of the last ten minutes");
      const late = tried(owner.post(`${world.path}/arm`, ARM), "run it again");
      expect(await late).toEqual([422, true]);
      expect(await stateOf("live")).toBe("frozen");
    },
    LIMIT_MS,
  );

  test(
    "is the only way to release an account nobody armed, or somebody disarmed",
    async () => {
      const wish = { scope: `account:${world.id}`, confirm: "RESUME" };
      const release = () => tried(owner.post("/trading/resume", wish), "not a release");
      const killed = await trader.post("/trading/kill", { scope: wish.scope, level: "stop" });
      expect(killed.status).toBe(409);
      expect(await release()).toEqual([409, true]);
      expect(await stateOf("account")).toBe("none");
      await run();
      await owner.post(`${world.path}/arm`, ARM);
      await trader.post("/trading/kill", { scope: wish.scope, level: "stop" });
      expect((await owner.post("/trading/resume", wish)).status).toBe(303);
      expect(await stateOf("account")).toBe("active");
      await trader.post(`${world.path}/disarm`, { confirm: "DISARM" });
      expect(await release()).toEqual([409, true]);
      expect(await stateOf("account")).toBe("frozen");
    },
    LIMIT_MS,
  );

  test(
    "of another account keeps all live trading on when one is disarmed",
    async () => {
      const { settings, alpha, made } = world;
      const { clock, deps } = made;
      const keys = { apiKey: "aNoThErKeyThatIsLong", apiSecret: "aNoThErSecretThatIsLong" };
      const wish = { name: "Other", exchange: "woox", mode: "live", passphrase: "", ...keys };
      const other = await deps.tradingAccounts.create(world.actor, wish);
      if (!other.ok) throw new Error(other.detail);
      const value = { at: clock.now(), by: alpha.owner.email };
      const key = `live_armed.${other.account.id}`;
      await settings.write(alpha.scope, { key, value }, clock.now());
      await run();
      await owner.post(`${world.path}/arm`, ARM);
      await trader.post(`${world.path}/disarm`, { confirm: "DISARM" });
      expect([await stateOf("account"), await stateOf("live")]).toEqual(["frozen", "active"]);
    },
    LIMIT_MS,
  );
});

test(
  "viewers look, traders check and switch off, owners arm and reset; strangers find nothing",
  async () => {
    const viewer = await world.browser("viewer");
    const page = await textOf(viewer.get(world.path));
    expect(page).toContain("Live trading");
    expect(page).not.toContain(`action="${world.path}`);
    for (const [who, paths] of [
      [viewer, ["preflight", "arm", "disarm", "reset-limit"]],
      [trader, ["arm", "reset-limit"]],
    ] as const) {
      for (const path of paths) {
        const answer = await who.post(`${world.path}/${path}`, { ...ARM, confirm: "DISARM" });
        expect([path, answer.status]).toEqual([path, 403]);
      }
    }
    const stranger = await world.browser("owner", "beta");
    for (const path of ["preflight", "arm", "disarm", "reset-limit"]) {
      const answer = await stranger.post(`${world.path}/${path}`, { ...ARM, confirm: "DISARM" });
      expect([path, answer.status]).toEqual([path, 404]);
    }
    for (const path of ["live", "stream", "preflight/stream"]) {
      expect((await stranger.get(`${world.path}/${path}`)).status).toBe(404);
    }
    expect([await stateOf("account"), await stateOf("live")]).toEqual(["none", "frozen"]);
  },
  LIMIT_MS,
);

test(
  "a limit that was reached is shown to all and reset by an owner's word, audited",
  async () => {
    const { settings, alpha, bot, id, made } = world;
    const trip = (kind: string) => ({ kind, at: 1.75e12, sentence: `Loss beyond ${kind}` });
    const latch = (kind: string) => ({ peakProfit: "0", trips: [trip(kind)] });
    const bots = { [bot.id]: latch("drawdown"), 999999: latch("drawdown") };
    const value = { format: 1, account: latch("total_loss"), bots };
    const change = { key: `account_latch.${id}`, value };
    await settings.write(alpha.scope, change, made.clock.now());
    const seen = await textOf(trader.get(world.path));
    expect(seen).toContain("Total loss · the account");
    expect(seen).toContain("Drawdown · bot Eager");
    expect(seen).not.toContain("reset-limit");
    const reset = (limit: string, confirm: string) =>
      owner.post(`${world.path}/reset-limit?limit=${encodeURIComponent(limit)}`, { confirm });
    const ids = [...(await textOf(owner.get(world.path))).matchAll(/ id="(confirm-[^"]+)"/g)];
    expect(ids.length).toBeGreaterThan(2);
    expect(new Set(ids.map(([, found]) => found)).size).toBe(ids.length);
    expect(await tried(reset("account:total_loss", "yes"), "Type RESET")).toEqual([422, true]);
    expect((await reset("account:daily_loss", "RESET")).status).toBe(422);
    expect((await reset("999999:drawdown", "RESET")).status).toBe(422);
    expect(await noted("limit_reset")).toEqual([]);
    expect((await reset("account:total_loss", "RESET")).status).toBe(303);
    const left = await textOf(owner.get(world.path));
    expect(left).not.toContain("Total loss · the account");
    expect(left).toContain("Drawdown · bot Eager");
    expect((await reset(`${bot.id}:drawdown`, "RESET")).status).toBe(303);
    const entries = await noted("limit_reset");
    expect(entries.map(({ object }) => object).sort()).toEqual([`account:${id}`, `bot:${bot.id}`]);
  },
  LIMIT_MS,
);

test(
  "how the account stands is what its worker told last, and marked when that is old",
  async () => {
    const { bots, alpha, made, id } = world;
    expect(await textOf(owner.get(world.path))).toContain(
      "No worker has looked at the account yet",
    );
    const tell = (at: number, accountId: AccountId, sentence: string) => {
      const body = {
        ...{ format: 1, health: "warning", sentence, asset: "USDT", exchange: "ok" },
        ...{ walletBalance: "1000", freeBalance: null, unrealised: "5", equity: "1005" },
        ...{ grossExposure: "250", pnlToday: "-12.5", pnlTotal: "5", peakEquity: "1100" },
        ...{ openOrders: 2, clockOffsetMs: null, lastReconciledAt: at, isReconciled: true },
        ...{ findings: [], blocks: [sentence], worker: "worker-1", leaseUntil: at + 60_000 },
        ...{ lastTickAt: at, unprotectedMs: 0 },
      };
      const snapshot = { accountId, botId: null, worker: "worker-1", at, body };
      return bots.saveFigures(alpha.scope, [snapshot], []);
    };
    await tell(made.clock.now(), id, "<b>no room</b>");
    const page = await textOf(owner.get(world.path));
    for (const text of ["$1,005.00", "-$12.50", "$250.00", "$1,100.00", "worker-1", "answers"]) {
      expect([text, page.includes(text)]).toEqual([text, true]);
    }
    expect(page).toContain("&lt;b&gt;no room");
    expect(page).not.toContain("Nobody told anything");
    made.advance(60_000);
    expect(await textOf(owner.get(world.path))).toContain("Nobody told anything since");
  },
  LIMIT_MS,
);
