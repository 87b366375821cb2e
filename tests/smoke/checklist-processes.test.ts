// The smoke list, 8, 10 and 11: a worker that dies with an account or with an order on its way, keys of the exchange
// that are replaced, and another master key. Processes are killed and started again; the exchange lives on.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import type { Bot } from "../../src/ports/bot-store.ts";
import { dragon } from "../support/dragon.ts";
import { opening, stops } from "./smoke-exchange.ts";
import { type SmokeAccount, typedKeys, until } from "./smoke-steps.ts";
import { openSmokeWorld, type SmokeWorld } from "./smoke-world.ts";

const TEST_MS = 120_000;
/** Replies of the exchange to orders come so much later, in real time: longer than a kill takes. */
const LATE_MS = 4000;
/** By the exchange's time: so long it does not know of what was just done there. */
const UNSEEN_MS = 25_000;
/** Real time in which a worker takes up what was changed: many of its looks. */
const TAKEN_UP_MS = 12_000;

let world: SmokeWorld;
let leased: SmokeAccount;
let busy: Bot;
let keyed: SmokeAccount;
let holder: Bot;

beforeAll(async () => {
  world = await openSmokeWorld({ seed: 13, markets: 2, accounts: ["Leased", "Keyed"] });
  leased = await world.addAccount("Leased");
  keyed = await world.addAccount("Keyed");
  busy = await world.addBot(leased, 0);
  holder = await world.addBot(keyed, 1);
  for (const account of [leased, keyed]) await world.arm(account);
}, TEST_MS);

afterAll(() => world.close());

async function leaseOf({ id }: SmokeAccount) {
  const [row] = await world.database.sql<{ token: number; holder: string | null }[]>`
    select token, holder from account_leases where account_id = ${id}`;
  return row ?? { token: 0, holder: null };
}

/** What our row of an order says. */
async function statusOf(clientOrderId: string): Promise<string | undefined> {
  const [row] = await world.database.sql<{ status: string }[]>`
    select status from order_intents where client_order_id = ${clientOrderId}`;
  return row?.status;
}

/** Client ids under which the exchange accepted more than one order. */
async function twice(account: SmokeAccount): Promise<string[]> {
  const ids = (await world.exchange.book(account)).orders.map(({ clientId }) => clientId);
  return ids.filter((id, n) => ids.indexOf(id) < n);
}

/** Closes what a bot holds, waits until its account is at rest, and compares both books. */
async function booksAgree(account: SmokeAccount, bot: Bot): Promise<void> {
  await world.flatten(bot);
  await until(`${bot.name} is closed and paused`, async () => {
    const found = await world.bots.find(world.scope, bot.id);
    return found?.status === "paused" && found.desiredAction === null;
  });
  expect(await world.differences(account)).toEqual([]);
  expect((await world.exchange.book(account)).held).toEqual({});
}

test(
  "smoke 8: a killed worker's account goes on in the other one, taken over once",
  async () => {
    const first = await world.startWorker();
    await world.holds(leased, busy);
    const before = await leaseOf(leased);
    const second = await world.startWorker();
    const name = /^ {2}Name {5}(\S+)$/m.exec(second.output())?.[1];
    expect(before.holder).not.toBe(name ?? "");
    const killedAt = world.exchange.now();
    await world.killWorker(first);
    await until(
      "the other one has the account",
      async () => (await leaseOf(leased)).holder === name,
    );
    await world.takeProfit(leased, busy);
    await until("the other one enters", async () => {
      return opening(await world.exchange.book(leased)).some(({ at }) => at > killedAt);
    });
    expect((await leaseOf(leased)).token).toBe(before.token + 1);
    expect(await twice(leased)).toEqual([]);
    const shown = `${busy.name} running ${name?.replace(/-\d+$/, "")}`;
    expect(await world.person.read("/jobs")).toContain(shown);
  },
  TEST_MS,
);

test(
  "smoke 8: an event says that the account was taken over",
  async () => {
    expect(await world.events(leased, "job_lease_reclaimed")).toHaveLength(1);
  },
  TEST_MS,
);

test(
  "smoke 10: an order whose answer nobody heard is there once, and is followed after the restart",
  async () => {
    const { sql } = world.database;
    await world.holds(leased, busy);
    await world.takeProfit(leased, busy);
    const flatAt = world.exchange.now();
    await world.exchange.fault("slow", {
      match: { endpoint: "POST trade/order" },
      params: { ms: LATE_MS },
    });
    let sent = "";
    await until("an entry is accepted and its answer is on its way", async () => {
      const [row] = await sql<{ clientOrderId: string }[]>`
      select client_order_id from order_intents
      where account_id = ${leased.id} and purpose = 'entry' and status = 'sending'`;
      sent = row?.clientOrderId ?? "";
      return (await world.exchange.book(leased)).orders.some(({ clientId }) => clientId === sent);
    });
    await world.exchange.clearFaults();
    await world.killWorkers();
    expect(await statusOf(sent)).toBe("sending");
    await world.exchange.fault("visibility_delay", { params: { ms: UNSEEN_MS } });
    await world.startWorker();
    await world.holds(leased, busy);
    await world.exchange.clearFaults();
    const entries = opening(await world.exchange.book(leased)).filter((order) => {
      return !order.isTrigger && order.at > flatAt;
    });
    expect(entries.map(({ clientId }) => clientId)).toEqual([sent]);
    expect(await statusOf(sent)).toBe("filled");
    expect(await twice(leased)).toEqual([]);
    await booksAgree(leased, busy);
  },
  TEST_MS,
);

test(
  "smoke 11: keys that ended are refused, and new ones take their place once they work",
  async () => {
    const { person } = world;
    await world.holds(keyed, holder);
    const refusals = await world.exchange.refusedKeys();
    const keys = await world.exchange.renewKeys(keyed);
    await until("the exchange refuses the former keys", async () => {
      return (await world.exchange.refusedKeys()) > refusals;
    });
    const path = `/accounts/${keyed.id}/keys`;
    const wrong = { ...typedKeys(keys), apiSecret: "an-invented-secret" };
    expect(await person.send(path, wrong)).toHaveProperty("refused");
    expect(await person.send(path, typedKeys(keys))).toHaveProperty("leadsTo");
    expect(await person.read(`/accounts/${keyed.id}`)).toContain("Former keys");
  },
  TEST_MS,
);

test(
  "smoke 11: new keys are used while bots run, without a restart",
  async () => {
    const since = world.exchange.now();
    await until(
      "the account is compared with the exchange",
      async () => ((await world.accountFigures(keyed))?.lastReconciledAt ?? 0) > since,
      TAKEN_UP_MS,
    );
  },
  TEST_MS,
);

test(
  "smoke 11: new keys are used after a restart, and nothing is lost meanwhile",
  async () => {
    const book = await world.exchange.book(keyed);
    expect(Object.keys(book.held)).toEqual([holder.symbol]);
    expect(stops(book)).toHaveLength(1);
    await world.killWorkers();
    await world.startWorker();
    await world.closePart(keyed, holder, "50");
  },
  TEST_MS,
);

test(
  "smoke 11: another master key opens everything after a restart, and trading goes on",
  async () => {
    const { dataDir } = world;
    const env = { DRAGON_DATA_DIR: dataDir };
    const key = randomBytes(32).toString("base64");
    const rotated = await dragon(["admin", "rotate-key"], { env, stdin: key });
    expect(rotated).toMatchObject({ code: 0, stderr: "" });
    expect(rotated.stdout).toContain("2 sets of keys sealed anew");
    await world.restartAll();
    await booksAgree(keyed, holder);
  },
  TEST_MS,
);
