// The one door every order of an account passes: cancels first, then one write-ahead commit, then the wire,
// one order after the other. Built once per account by whoever holds its lease. It never sends what was
// not committed, never sends anything twice, and never guesses what became of a write.
import { assert } from "../../model/result.ts";
import type { OrderRef } from "../../ports/broker.ts";
import type { IntentId, StoredIntent } from "../../ports/trading-store.ts";
import { createClientIds } from "./client-ids.ts";
import { cancelStranger, type StrangerCancelled } from "./findings-cancel.ts";
import type {
  Cancelled,
  DispatchBatch,
  DispatchReport,
  LiveDeps,
  OrderDispatcher,
} from "./live-types.ts";
import { planBatch, writeAhead } from "./order-batch.ts";
import { cancelOrders } from "./order-cancelling.ts";
import { fly } from "./order-flight.ts";
import type { DoorDeps, Doubts } from "./order-sending.ts";
import { createStopRoom } from "./stop-room.ts";

/** What the dispatcher needs; the doubts are the unverified resolver's. */
export type DispatcherDeps = LiveDeps & { readonly resolver: Doubts };

/** The door with what a person may do to orders of others. */
export type AccountDispatcher = OrderDispatcher & {
  /** Cancels an order nobody here placed, by its exchange id, in its turn among the batches. */
  cancelStranger(ref: OrderRef): Promise<StrangerCancelled>;
};

type Waiting = {
  /** Goes before everything that is not. */
  readonly isFlatten: boolean;
  /** Carries it out and answers who asked. */
  readonly begin: () => Promise<unknown>;
  readonly refuse: () => void;
};

/** Batches that may wait at once. */
const BATCHES_MAX = 1000;
const NOT_TRADED = "the account is not traded here any more";
const STOPPING: DispatchReport = { ok: false, reason: "stopping", detail: NOT_TRADED };

/** The door of one account. */
export function createOrderDispatcher(deps: DispatcherDeps): AccountDispatcher {
  const door = createDoor(deps);
  const waiting: Waiting[] = [];
  let isStopping = false;
  let present: Promise<void> | null = null;

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await next.begin().catch(() => "it was handed to who asked");
    }
    present = null;
  }

  function inTurn<T>(isFlatten: boolean, run: () => Promise<T>, stopping: T): Promise<T> {
    if (isStopping) return Promise.resolve(stopping);
    assert(waiting.length < BATCHES_MAX, `at most ${BATCHES_MAX} batches wait`);
    return new Promise((settle) => {
      const begin = () => {
        const done = run();
        settle(done);
        return done;
      };
      const place = waiting.findIndex((other) => isFlatten && !other.isFlatten);
      const one = { isFlatten, begin, refuse: () => settle(stopping) };
      waiting.splice(place < 0 ? waiting.length : place, 0, one);
      present ??= work();
    });
  }

  return {
    dispatch: (batch) => inTurn(batch.isFlatten, () => door.run(batch), STOPPING),
    cancelStranger: (ref) =>
      inTurn(false, () => door.cancelStranger(ref), { outcome: "withheld", sentence: NOT_TRADED }),
    inFlight: () => door.inFlight,
    async stop() {
      isStopping = true;
      for (const { refuse } of waiting.splice(0)) refuse();
      await present;
    },
  };
}

type Door = {
  readonly inFlight: ReadonlySet<IntentId>;
  run(batch: DispatchBatch): Promise<DispatchReport>;
  cancelStranger(ref: OrderRef): Promise<StrangerCancelled>;
};

function createDoor({ resolver, ...live }: DispatcherDeps): Door {
  const { broker } = live;
  const deps: DoorDeps = {
    ...live,
    place: (order, options) => broker.place(order, options),
    cancel: (ref, options) => broker.cancel(ref, options),
    stopRoom: createStopRoom(live),
    doubts: resolver,
    withheld: new Map(),
    refused: new Map(),
  };
  const ids = createClientIds(live);
  const inFlight = new Set<IntentId>();

  return {
    inFlight,
    cancelStranger: (ref) => cancelStranger(deps, ref),
    async run(batch) {
      const { isFlatten, step } = batch;
      const { cancelled, local, closedSlots } = await cancelOrders(deps, batch);
      const planned = await planBatch(deps, batch, closedSlots);
      const made = await writeAhead(deps, ids, planned, { step, local }).catch((error: unknown) => {
        // The rows may be there without anybody having sent them.
        for (const { order } of planned.plan.place) resolver.suspect(order.market.rules.symbol);
        for (const { intent } of planned.plan.send) resolver.suspect(intent.symbol);
        throw error;
      });
      if (!made.ok) return { ok: false, reason: made.reason, detail: made.detail };
      const flown = await fly({ deps, ids, inFlight }, made.value, isFlatten);
      return {
        ok: true,
        cancelled: [...cancelled, ...local.map(withdrawn)],
        dispatched: [...flown, ...planned.plan.withheld],
      };
    },
  };
}

function withdrawn(intent: StoredIntent): Cancelled {
  return { intentId: intent.id, outcome: "gone", intent: { ...intent, status: "cancelled" } };
}
