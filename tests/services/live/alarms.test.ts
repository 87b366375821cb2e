// Alarms of a workspace on real PostgreSQL: where they go, what is told, and what is kept secret.
import { expect, test } from "bun:test";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { composeEmergency } from "../../../src/emergency.ts";
import { EVENT_KINDS } from "../../../src/model/event-kinds.ts";
import type { Alarm, AlarmTarget, Notifier } from "../../../src/ports/notifier.ts";
import { NAMED_ALARMS } from "../../../src/services/live/alarms.ts";
import { actorIn, emergencySide, tradingRows } from "../../support/emergency-case.ts";
import { silentLog } from "../../support/silent-log.ts";
import { testDatabase, testScope } from "../../support/test-database.ts";

const URL = "https://hooks.example.org/T0ken?x=1";
const SECRET = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;
const TYPED = { kind: "webhook", url: URL, signingSecret: "", mayBePrivate: "" };
const LOOKED_MS = 20_000;

async function opened() {
  const database = await testDatabase();
  const { sql } = database;
  const system = createClock();
  // Looks come at once instead of every few seconds.
  const clock = {
    ...system,
    sleep: (_ms: number, signal?: AbortSignal) => system.sleep(20, signal),
  };
  const scope = await testScope(sql, "ann");
  const sent: { readonly alarm: Alarm; readonly target: AlarmTarget }[] = [];
  const notifier: Notifier = {
    async deliver(target, alarm) {
      sent.push({ target, alarm });
      return { outcome: "delivered" };
    },
  };
  const side = emergencySide(sql, clock, { notifier });
  return {
    ...{ sql, scope, sent, clock, alarms: side.alarms, emergency: side.emergency },
    owner: actorIn(scope, "owner"),
    rows: tradingRows(sql, scope, clock),
    start: () => side.start(),
    async until(isTrue: () => boolean) {
      for (const end = Date.now() + LOOKED_MS; !isTrue(); await system.sleep(10)) {
        if (Date.now() > end) throw new Error("it was not told");
      }
    },
    settle: () => system.sleep(200),
    async close() {
      await side.stop();
      await database.drop();
    },
  };
}

type Opened = Awaited<ReturnType<typeof opened>>;

function alarmTest(name: string, body: (made: Opened) => Promise<void>): void {
  test(
    name,
    async () => {
      const made = await opened();
      try {
        await body(made);
      } finally {
        await made.close();
      }
    },
    60_000,
  );
}

alarmTest("the address and the secret are sealed, and shown by their host alone", async (made) => {
  const { alarms, owner, scope, sql } = made;
  const stored = await alarms.save(owner, { ...TYPED, signingSecret: SECRET });
  expect(stored).toEqual({ ok: true, madeSecret: null });
  expect(await alarms.target(scope)).toMatchObject({
    ...{ kind: "webhook", place: "https://hooks.example.org", mayBePrivate: false, last: null },
  });
  const [row] = await sql<{ all: string }[]>`select settings::text as all from settings
    where key = 'alarms'`;
  expect(row?.all).not.toContain("T0ken");
  expect(row?.all).not.toContain(SECRET);
  const audit = JSON.stringify(await createAuditRepository(sql).list(scope, { limit: 5 }));
  expect(audit).toContain("alarms_changed");
  expect(audit).not.toContain("T0ken");
});

alarmTest(
  "a secret is made once, kept while it is left empty, and gone when switched off",
  async (made) => {
    const { alarms, owner, scope, sent, sql } = made;
    const first = await alarms.save(owner, TYPED);
    const secret = first.ok ? first.madeSecret : null;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const again = await alarms.save(owner, { ...TYPED, url: "https://other.example/x" });
    expect(again).toEqual({ ok: true, madeSecret: null });
    expect(await alarms.test(owner)).toEqual({ outcome: "delivered" });
    expect(sent[0]?.target.signingSecret?.reveal()).toBe(secret ?? "");
    expect(sent[0]?.target.url.reveal()).toBe("https://other.example/x");
    expect((await alarms.target(scope))?.last).toMatchObject({
      delivery: { outcome: "delivered" },
    });
    await alarms.off(owner);
    expect(await alarms.target(scope)).toBe(null);
    expect(await alarms.test(owner)).toBe(null);
    const kept = await createSettingsRepository(sql).read(scope, "alarms");
    expect([kept?.value, kept?.previous]).toEqual([null, null]);
  },
);

alarmTest(
  "after a change of the master key the address has to be stored again, and it says so",
  async (made) => {
    const { alarms, owner, scope, sql, clock } = made;
    await alarms.save(owner, TYPED);
    const other = composeEmergency({
      ...{ sql, clock, log: silentLog, version: "9.9.9" },
      key: new Uint8Array(32).fill(8),
    });
    expect(await other.alarms.test(owner)).toMatchObject({
      ...{ outcome: "failed", isFinal: true },
      sentence: "the address was sealed under another master key: store it again",
    });
    expect(await other.alarms.target(scope)).toMatchObject({ place: "https://hooks.example.org" });
  },
);

alarmTest("what cannot be an address or a secret is refused by its field", async (made) => {
  const { alarms, owner, scope } = made;
  const field = async (change: Partial<typeof TYPED>) => {
    const saved = await alarms.save(owner, { ...TYPED, ...change });
    return saved.ok ? "ok" : saved.field;
  };
  expect(await field({ kind: "pigeon" })).toBe("kind");
  for (const url of ["", "example.org", "ftp://example.org", "https://a:b@example.org/"]) {
    expect([url, await field({ url })]).toEqual([url, "url"]);
  }
  expect(await field({ url: `https://example.org/${"x".repeat(2000)}` })).toBe("url");
  for (const signingSecret of ["secret", "whsec_short", "whsec_!!!!"]) {
    expect(await field({ signingSecret })).toBe("signingSecret");
  }
  expect(await alarms.target(scope)).toBe(null);
});

alarmTest("loud events and changed states are told, quiet and old ones are not", async (made) => {
  const { alarms, owner, rows, sent, emergency } = made;
  const bot = await rows.bot("One");
  await rows.tell(bot, "bot_error", "an old one");
  await alarms.save(owner, TYPED);
  made.start();
  await made.settle();
  await rows.tell(bot, "order_placed", "a quiet one");
  await rows.tell(bot, "bot_error", "it broke");
  await rows.tell(bot, "bot_error", "it broke again");
  await rows.tell(bot, "flatten_started", "all is closed");
  const wish = { scope: "global", level: "stop", reason: "news", confirm: "" };
  await emergency.kill(owner, wish);
  await made.until(() => sent.length >= 3);
  await made.settle();
  expect(sent.map(({ alarm }) => alarm.sentence).toSorted()).toEqual([
    "all is closed",
    "global is halted: news (owner@example.org).",
    "it broke",
  ]);
});

test("every named kind is one of the table and no error, which is told anyway", () => {
  for (const kind of NAMED_ALARMS) {
    expect([kind, EVENT_KINDS[kind].severity === "error"]).toEqual([kind, false]);
  }
});
