// Stopping and releasing by its rows: who may do what, in which order it is written, what a crash in between leaves,
// and how a closing ends in a stop.
import { expect, test } from "bun:test";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { Role } from "../../../src/ports/access-store.ts";
import type { KillWish } from "../../../src/services/live/emergency-types.ts";
import { followRounds } from "../../../src/services/live/emergency-rounds.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { actorIn, emergencySide, tradingRows } from "../../support/emergency-case.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const clock = createClock();

async function open(database: TestDatabase) {
  const { sql } = database;
  const scope = await testScope(sql, "ann");
  const rows = tradingRows(sql, scope, clock);
  const { emergency } = emergencySide(sql, clock);
  const settings = createSettingsRepository(sql);
  const { bots, control } = rows;
  return {
    ...{ scope, rows, emergency, sql },
    kill: (wish: Partial<KillWish>, role: Role = "trader") =>
      emergency.kill(actorIn(scope, role), {
        ...{ scope: "global", level: "stop", reason: "", confirm: "" },
        ...wish,
      }),
    resume: (key: string, role: Role = "owner", confirm = "RESUME") =>
      emergency.resume(actorIn(scope, role), { scope: key, reason: "", confirm }),
    /** One look of whoever follows closings. */
    follow: () => followRounds({ settings, bots, control, clock }, scope),
    stateOf: async (key: string) =>
      (await emergency.view(scope)).states.find((each) => each.key === key)?.state ?? "active",
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

function emergencyTest(name: string, body: (opened: Opened) => Promise<void>): void {
  test(
    name,
    async () => {
      const database = await testDatabase();
      try {
        await body(await open(database));
      } finally {
        await database.drop();
      }
    },
    30_000,
  );
}

emergencyTest("each level sets its state, names who and why, and is audited", async (opened) => {
  const { rows, kill, stateOf, scope, sql } = opened;
  const bot = await rows.bot("First");
  expect(await kill({ scope: `bot:${bot.id}`, level: "block" })).toMatchObject({ ok: true });
  expect(await stateOf(`bot:${bot.id}`)).toBe("reducing");
  const account = `account:${bot.accountId}`;
  expect(await kill({ scope: account, level: "stop", reason: "news" })).toMatchObject({ ok: true });
  expect(await stateOf(account)).toBe("halted");
  const frozen = await kill({ level: "freeze", confirm: "FREEZE" });
  expect(frozen).toMatchObject({ ok: true, sentence: "Everything is frozen." });
  const view = await opened.emergency.view(scope);
  const row = view.states.find(({ key }) => key === account);
  expect(row).toMatchObject({ reason: "news", actor: "trader@example.org" });
  const audit = await createAuditRepository(sql).list(scope, { limit: 10 });
  const changed = audit.filter(({ action }) => action === "trading_state_changed");
  expect(changed.map(({ object }) => object)).toEqual([
    "trading_state:global",
    `trading_state:${account}`,
    `trading_state:bot:${bot.id}`,
  ]);
});

emergencyTest("a kill never makes a scope laxer", async ({ kill, stateOf }) => {
  await kill({ level: "stop" });
  expect(await kill({ level: "block" })).toMatchObject({ ok: false, reason: "no_effect" });
  expect(await kill({ level: "stop" })).toMatchObject({ ok: false, reason: "no_effect" });
  expect(await stateOf("global")).toBe("halted");
});

emergencyTest("of two kills at once the stricter one stands", async ({ kill, stateOf }) => {
  await Promise.all([kill({ level: "stop" }), kill({ level: "block" })]);
  expect(await stateOf("global")).toBe("halted");
});

emergencyTest("words, levels, scopes and reasons are checked first", async (opened) => {
  const { kill, resume, stateOf } = opened;
  const field = async (wish: Partial<KillWish>) => {
    const outcome = await kill(wish);
    return "field" in outcome ? outcome.field : outcome;
  };
  expect(await field({ level: "flatten", confirm: "flatten" })).toBe("confirm");
  expect(await field({ level: "freeze", confirm: "" })).toBe("confirm");
  expect(await field({ level: "nuke" })).toBe("level");
  for (const scope of ["", "bot:999", "account:999", "bot:1e3", "worlds"]) {
    expect([scope, await field({ scope })]).toEqual([scope, "scope"]);
  }
  expect(await field({ reason: "x".repeat(301) })).toBe("reason");
  expect(await stateOf("global")).toBe("active");
  await kill({});
  expect(await resume("global", "owner", "resume")).toMatchObject({ field: "confirm" });
  expect(await stateOf("global")).toBe("halted");
});

emergencyTest("traders stop, owners release, viewers look", async ({ kill, resume, stateOf }) => {
  expect(await kill({}, "viewer")).toMatchObject({ ok: false, reason: "not_allowed" });
  expect(await kill({}, "trader")).toMatchObject({ ok: true });
  expect(await resume("global", "trader")).toMatchObject({ ok: false, reason: "not_allowed" });
  expect(await resume("global")).toMatchObject({ ok: true, sentence: "Everything is active." });
  expect(await stateOf("global")).toBe("active");
  expect(await resume("global")).toMatchObject({ ok: false, reason: "no_effect" });
});

emergencyTest("live trading that was never on is not released here", async (opened) => {
  expect(await opened.resume("live")).toMatchObject({ ok: false, reason: "no_effect" });
  expect(await opened.stateOf("live")).toBe("frozen");
  expect((await opened.emergency.stopped(opened.scope)).states).toEqual([]);
});

emergencyTest("closing everything wishes, waits for every bot, then halts", async (opened) => {
  const { rows, kill, follow, stateOf, scope, emergency } = opened;
  const [one, two] = [await rows.bot("One"), await rows.bot("Two")];
  await rows.holds(one, "2");
  const outcome = await kill({ level: "flatten", confirm: "FLATTEN" });
  expect(outcome).toMatchObject({
    ok: true,
    sentence: "Everything opens nothing; 2 bots are being closed.",
  });
  expect(await stateOf("global")).toBe("reducing");
  expect((await rows.bots.find(scope, one.id))?.desiredAction).toBe("flatten");
  expect(await follow()).toBe(1);
  await rows.flattened(one, "flatten_completed", "Nothing is held.");
  expect(await follow()).toBe(1);
  expect(await stateOf("global")).toBe("reducing");
  await rows.flattened(two, "flatten_completed", "Nothing is held.");
  expect(await follow()).toBe(0);
  expect(await stateOf("global")).toBe("halted");
  const [round] = (await emergency.view(scope)).rounds;
  expect(round?.rows.map(({ name, outcome: end }) => `${name} ${end}`)).toEqual([
    "One closed",
    "Two closed",
  ]);
});

emergencyTest("what could not be closed keeps the scope reducing and is told", async (opened) => {
  const { rows, kill, follow, stateOf, scope, emergency } = opened;
  const bot = await rows.bot("One");
  await kill({ level: "flatten", confirm: "FLATTEN" });
  await rows.flattened(bot, "flatten_incomplete", "Still held: 2 BTC.");
  expect(await follow()).toBe(1);
  expect(await stateOf("global")).toBe("reducing");
  const row = (await emergency.view(scope)).rounds[0]?.rows[0];
  expect(row).toMatchObject({ outcome: "incomplete", sentence: "Still held: 2 BTC." });
  // A second try begins anew.
  await kill({ level: "flatten", confirm: "FLATTEN" });
  await rows.flattened(bot, "flatten_completed", "Nothing is held.");
  expect(await follow()).toBe(0);
  expect(await stateOf("global")).toBe("halted");
});

emergencyTest("a wish that a crash swallowed is wished again", async (opened) => {
  const { rows, kill, follow, scope } = opened;
  const bot = await rows.bot("One");
  await kill({ level: "flatten", confirm: "FLATTEN" });
  await rows.bots.wish(scope, bot.id, { action: null }, clock.now());
  await follow();
  expect((await rows.bots.find(scope, bot.id))?.desiredAction).toBe("flatten");
});

emergencyTest("a closing that was released is not halted afterwards", async (opened) => {
  const { rows, kill, resume, follow, stateOf } = opened;
  const bot = await rows.bot("One");
  await kill({ level: "flatten", confirm: "FLATTEN" });
  await resume("global");
  await rows.flattened(bot, "flatten_completed", "Nothing is held.");
  expect(await follow()).toBe(0);
  expect(await stateOf("global")).toBe("active");
});

emergencyTest(
  "closing keeps a stop that is stricter, and is refused while frozen",
  async (opened) => {
    const { rows, kill, stateOf, scope } = opened;
    const bot = await rows.bot("One");
    await kill({ level: "stop" });
    expect(await kill({ level: "flatten", confirm: "FLATTEN" })).toMatchObject({ ok: true });
    expect(await stateOf("global")).toBe("halted");
    await rows.bots.wish(scope, bot.id, { action: null }, clock.now());
    await kill({ level: "freeze", confirm: "FREEZE" });
    const refused = await kill({ scope: `bot:${bot.id}`, level: "flatten", confirm: "FLATTEN" });
    expect(refused).toMatchObject({ ok: false, reason: "no_effect" });
    expect("detail" in refused && refused.detail).toContain("Everything is frozen");
    expect((await rows.bots.find(scope, bot.id))?.desiredAction).toBe(null);
  },
);

emergencyTest(
  "the preview names what goes, what stays and what may still be executed",
  async (o) => {
    const { rows, emergency, scope } = o;
    const bot = await rows.bot("One");
    await rows.holds(bot, "2");
    await rows.order(bot, { targetKey: "dca:1", purpose: "rung", reason: "DCA_1" });
    await rows.order(bot, { targetKey: "dca:2", purpose: "rung", status: "parked" });
    const stop = { kind: "trigger", triggerPrice: decimal("90"), direction: "falling" } as const;
    const terms = { ...stop, price: null };
    const side = { side: "sell", isReduceOnly: true } as const;
    const see = async (level: string) => {
      const shown = await emergency.preview(scope, { scope: "global", level });
      if (!shown) throw new Error("there is no preview");
      const { cancelled, canStillFill, positions, notional } = shown;
      const words = (list: typeof cancelled) => list.map(({ purpose }) => purpose);
      return { gone: words(cancelled), stays: words(canStillFill), positions, notional };
    };
    expect(await see("stop")).toMatchObject({
      ...{ gone: ["rung", "rung"], stays: [], notional: "200" },
      positions: [{ bot: "One", side: "long", qty: "2", averageEntry: "100", isProtected: false }],
    });
    await rows.order(bot, { ...side, targetKey: "stop", purpose: "protective_stop", terms });
    expect(await see("stop")).toMatchObject({
      ...{ gone: ["rung", "rung"], stays: ["protective_stop"] },
      positions: [{ isProtected: true }],
    });
    expect(await see("flatten")).toMatchObject({ gone: ["rung", "rung", "protective_stop"] });
    expect(await see("freeze")).toMatchObject({ gone: [], stays: ["rung", "protective_stop"] });
    expect(await emergency.preview(scope, { scope: "bot:77", level: "stop" })).toBe(null);
  },
);

emergencyTest("a finding is handed to the worker by who may settle it so", async (opened) => {
  const { rows, emergency, scope, sql } = opened;
  const bot = await rows.bot("One");
  const choices = ["adopt", "ignore", "flatten"] as const;
  const finding = { key: "drift BTC", kind: "position_drift", symbol: "BTC" } as const;
  await rows.finds(bot, [{ ...finding, sentence: "0.5 more than known.", since: 5, choices }]);
  const { accountId } = bot;
  const settle = (choice: string, role: Role, confirm = "", findingKey = "drift BTC") =>
    emergency.settle(actorIn(scope, role), { accountId, findingKey, choice, confirm });
  expect((await emergency.view(scope)).findings).toMatchObject([{ account: "Account of One" }]);
  expect(await settle("adopt", "trader")).toMatchObject({ ok: false, reason: "not_allowed" });
  expect(await settle("flatten", "trader")).toMatchObject({ field: "confirm" });
  expect(await settle("cancel", "owner")).toMatchObject({ field: "choice" });
  expect(await settle("adopt", "owner", "", "gone")).toMatchObject({ reason: "no_effect" });
  expect(await settle("adopt", "viewer")).toMatchObject({ reason: "not_allowed" });
  expect(await settle("flatten", "trader", "FLATTEN")).toMatchObject({ ok: true });
  const asked = await sql<{ n: number }[]>`select count(*)::int as n from commands`;
  expect(asked[0]?.n).toBe(1);
});

emergencyTest("nobody else's accounts and bots are reached", async (opened) => {
  const { rows, sql } = opened;
  const bot = await rows.bot("One");
  const other = await testScope(sql, "bob");
  const { emergency } = emergencySide(sql, clock);
  const wish = { scope: `bot:${bot.id}`, level: "stop", reason: "", confirm: "" };
  expect(await emergency.kill(actorIn(other, "owner"), wish)).toMatchObject({ field: "scope" });
  expect(await emergency.preview(other, { scope: `bot:${bot.id}`, level: "stop" })).toBe(null);
  await emergency.kill(actorIn(other, "owner"), { ...wish, scope: "global" });
  expect(await opened.stateOf("global")).toBe("active");
});
