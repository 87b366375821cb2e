// A worker dies somewhere in the middle of a decision: between any two of its writes, before or after they were carried
// out. The next one carries on, once, and whatever the instant was the end is the same.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { FindingView } from "../../../src/model/live-figures.ts";
import { stopLabs } from "../../venue/lab.ts";
import {
  type CrashCase,
  type CrashWorker,
  type CrashWorld,
  type Death,
  openCrashWorld,
} from "./findings-crash-world.ts";

const TIMEOUT_MS = 240_000;
const WRITES_MAX = 30;

let world: CrashWorld;
beforeAll(async () => {
  world = await openCrashWorld();
});
afterAll(async () => {
  await stopLabs();
  await world.close();
});

type Choice = FindingView["choices"][number];

/** What a decision is about and what must be so in the end. */
type Story = {
  readonly choice: Choice;
  /** What the stranger does. @returns the order's id */
  readonly begin: (one: CrashCase, worker: CrashWorker) => Promise<string>;
  readonly isFound: (finding: FindingView) => boolean;
  readonly isOver: (one: CrashCase, worker: CrashWorker) => Promise<boolean>;
  readonly check: (one: CrashCase, orderId: string) => Promise<void>;
};

const isOwners = ({ sentence, choices }: FindingView) =>
  sentence.includes("its owners do not agree") && choices.includes("adopt");

/** Tells the story with a worker that dies, and ends it with another one. @returns the writes of the first */
async function tell(story: Story, death: Death | null): Promise<readonly string[]> {
  const one = await world.account();
  const first = await one.worker(death);
  const orderId = await story.begin(one, first);
  const find = () => first.found().find(story.isFound);
  await first.until("it is found", () => find() !== undefined);
  const command = await one.ask({
    ...{ kind: "settle_finding", findingKey: find()?.key ?? "", choice: story.choice },
  });
  first.arm();
  const died = await first.tick().then(
    () => false,
    () => true,
  );
  expect(died).toBe(death !== null);
  const next = await one.worker();
  await next.until("it is over", async () => {
    const isEnded = (await one.told(command))?.doneAt != null;
    return isEnded && (await story.isOver(one, next));
  });
  await story.check(one, orderId);
  const { isRefused, outcome } = (await one.told(command)) ?? {};
  // A closing order in doubt takes more than the minute after which the store gives a command up.
  const isGivenUp = story.choice === "flatten" && outcome?.includes("never told");
  expect([outcome, isRefused]).toEqual([outcome, isGivenUp === true]);
  // Once is once: nothing more happens.
  const before = [await one.held(), one.account.trades.length, (await one.intents()).length];
  for (let n = 0; n < 4; n++) await next.tick();
  expect([await one.held(), one.account.trades.length, (await one.intents()).length]).toEqual(
    before,
  );
  return first.writes;
}

/** A worker dies at every write of a decision, before and after it. */
function everyDeath(name: string, story: Story, writes: readonly string[]): void {
  test(
    name,
    async () => {
      // Nobody dies: these are the writes there are.
      const told = await tell(story, null);
      expect([...new Set(told)].sort()).toEqual([...writes].sort());
      expect(told.length).toBeLessThan(WRITES_MAX);
      for (let at = 1; at <= told.length; at++) {
        for (const isAfter of [false, true]) {
          await tell(story, { at, isAfter }).catch((error: unknown) => {
            const where = `${isAfter ? "after" : "before"} ${told[at - 1]}, write ${at}`;
            throw new Error(`the worker died ${where}: ${String(error)}`, { cause: error });
          });
        }
      }
    },
    TIMEOUT_MS,
  );
}

const isFlat = (one: CrashCase) => one.lots() === 0;

everyDeath(
  "a position is taken over once, wherever the worker dies",
  {
    choice: "adopt",
    async begin(one) {
      await one.stranger({ type: "MARKET", quantity: "0.2" });
      return await one.stranger({ type: "MARKET", quantity: "0.3" });
    },
    isFound: ({ sentence }) => sentence.includes("owners do not agree, by 0.5"),
    isOver: async (_one, worker) => worker.found().every(({ kind }) => kind === "known_position"),
    async check(one, orderId) {
      expect(await one.held()).toEqual({ account: "0.5", "group:0": "0.5" });
      const rows = await one.intents();
      expect(rows.map(({ status, filledQty }) => `${status} ${filledQty}`).sort()).toEqual([
        "filled 0.2",
        "filled 0.3",
      ]);
      expect(rows.map(({ exchangeOrderId }) => exchangeOrderId)).toContain(orderId);
      expect(one.sold()).toBe(0);
    },
  },
  ["waiting", "freshStamp", "commitIntents", "recordNews", "finish"],
);

everyDeath(
  "a working order is taken over once, wherever the worker dies",
  {
    choice: "adopt",
    begin: (one) => one.stranger({ type: "LIMIT", price: "95" }),
    isFound: ({ kind }) => kind === "stranger_order",
    isOver: async (_one, worker) => worker.found().every(({ kind }) => kind === "known_order"),
    async check(one, orderId) {
      const rows = await one.intents();
      expect(rows.map((row) => [row.status, row.exchangeOrderId, row.owner])).toEqual([
        ["open", orderId, "group:0"],
      ]);
      expect(one.account.orders.get(Number(orderId))?.status).toBe("NEW");
    },
  },
  ["waiting", "freshStamp", "commitIntents", "recordNews", "finish"],
);

everyDeath(
  "a position is closed once, wherever the worker dies",
  {
    choice: "flatten",
    begin: (one) => one.stranger({ type: "MARKET" }),
    isFound: ({ choices }) => choices.includes("flatten"),
    isOver: async (one, worker) => isFlat(one) && worker.found().length === 0,
    async check(one) {
      expect([one.lots(), one.sold()]).toEqual([0, 50]);
      expect(await one.held()).toEqual({});
    },
  },
  [...["waiting", "freshStamp", "commitIntents", "recordNews", "place", "recordFill"], "finish"],
);

everyDeath(
  "a stranger's order is cancelled, wherever the worker dies",
  {
    choice: "cancel",
    begin: (one) => one.stranger({ type: "LIMIT", price: "95" }),
    isFound: ({ kind }) => kind === "stranger_order",
    isOver: async (_one, worker) => worker.found().length === 0,
    async check(one, orderId) {
      expect(one.account.orders.get(Number(orderId))?.status).toBe("CANCELLED");
      expect(await one.intents()).toEqual([]);
    },
  },
  ["waiting", "cancel", "finish"],
);

everyDeath(
  "what a person held before is closed once, wherever the worker dies",
  {
    choice: "flatten",
    async begin(one, worker) {
      const orderId = await one.stranger({ type: "MARKET" });
      const find = () => worker.found().find(isOwners);
      await worker.until("it is found", () => find() !== undefined);
      const findingKey = find()?.key ?? "";
      await one.ask({ kind: "settle_finding", findingKey, choice: "adopt" });
      return orderId;
    },
    isFound: ({ kind }) => kind === "known_position",
    isOver: async (one, worker) => isFlat(one) && worker.found().length === 0,
    async check(one) {
      expect([one.lots(), one.sold()]).toEqual([0, 50]);
      expect(await one.held()).toEqual({});
    },
  },
  ["waiting", "commitIntents", "place", "recordNews", "recordFill", "finish"],
);

test("a decision nobody took in time is not carried out by a later worker", async () => {
  const one = await world.account();
  const first = await one.worker();
  await one.stranger({ type: "MARKET" });
  await first.until("it is found", () => first.found().some(isOwners));
  const findingKey = first.found().find(isOwners)?.key ?? "";
  const command = await one.ask({ kind: "settle_finding", findingKey, choice: "adopt" });
  await world.lab.step(61_000);
  const next = await one.worker();
  for (let n = 0; n < 4; n++) await next.look();
  expect(await one.held()).toEqual({ account: "0.5", foreign: "0.5" });
  await next.until("it is over", async () => (await one.told(command))?.doneAt != null);
  expect(await one.told(command)).toMatchObject({ isRefused: true });
  expect(await one.held()).toEqual({ account: "0.5", foreign: "0.5" });
});

test("a decision that waited for its worker is taken the ordinary way, and only once", async () => {
  const one = await world.account();
  const first = await one.worker();
  await one.stranger({ type: "MARKET" });
  await first.until("it is found", () => first.found().some(isOwners));
  const findingKey = first.found().find(isOwners)?.key ?? "";
  const command = await one.ask({ kind: "settle_finding", findingKey, choice: "ignore" });
  const next = await one.worker();
  for (let n = 0; n < 4; n++) await next.tick();
  expect(await one.told(command)).toMatchObject({ isRefused: false });
  expect(next.events.filter(({ kind }) => kind.startsWith("command_"))).toEqual([]);
});

test("what was begun long ago is booked, and its closing is left to a person", async () => {
  const one = await world.account();
  const first = await one.worker({ at: 3, isAfter: true });
  await one.stranger({ type: "MARKET" });
  await first.until("it is found", () => first.found().some(isOwners));
  const findingKey = first.found().find(isOwners)?.key ?? "";
  const command = await one.ask({ kind: "settle_finding", findingKey, choice: "flatten" });
  first.arm();
  await expect(first.tick()).rejects.toThrow();
  expect((await one.intents()).map(({ status }) => status)).toEqual(["sending"]);
  await world.lab.step(11 * 60_000);
  const next = await one.worker();
  await next.until("it is booked", async () => (await one.held())["group:0"] === "0.5");
  for (let n = 0; n < 6; n++) await next.tick();
  expect([one.sold(), (await one.told(command))?.isRefused]).toEqual([0, true]);
  expect(next.found()).toMatchObject([{ kind: "known_position", choices: ["flatten"] }]);
});

test("a database that is away for a moment leaves nothing half done", async () => {
  const one = await world.account();
  const worker = await one.worker({ at: 4, isAfter: false, isMoment: true });
  const orderId = await one.stranger({ type: "MARKET" });
  await worker.until("it is found", () => worker.found().some(isOwners));
  const findingKey = worker.found().find(isOwners)?.key ?? "";
  const command = await one.ask({ kind: "settle_finding", findingKey, choice: "adopt" });
  worker.arm();
  await worker.tick();
  expect(worker.writes[3]).toBe("recordNews");
  expect(await one.told(command)).toMatchObject({ isRefused: true });
  expect((await one.intents()).map(({ status }) => status)).toEqual(["sending"]);
  await worker.tick();
  expect(await one.held()).toEqual({ account: "0.5", "group:0": "0.5" });
  expect((await one.intents()).map(({ exchangeOrderId }) => exchangeOrderId)).toEqual([orderId]);
  expect(worker.events.map(({ kind }) => kind)).toContain("command_done");
});
