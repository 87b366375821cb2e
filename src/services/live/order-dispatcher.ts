// The one door every order of an account passes: cancels first, then one write-ahead commit, then the wire,
// one order after the other. Built once per account by whoever holds its lease. It never sends what was
// not committed, never sends anything twice, and never guesses what became of a write.
import { assert } from "../../model/result.ts";
import type { IntentId, StoredIntent } from "../../ports/trading-store.ts";
import { createClientIds } from "./client-ids.ts";
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

type Waiting = {
  readonly batch: DispatchBatch;
  readonly settle: (report: Promise<DispatchReport>) => void;
};

/** Batches that may wait at once. */
const BATCHES_MAX = 1000;
const STOPPING: DispatchReport = {
  ok: false,
  reason: "stopping",
  detail: "the account is not traded here any more",
};

/** The door of one account. */
export function createOrderDispatcher(deps: DispatcherDeps): OrderDispatcher {
  const door = createDoor(deps);
  const waiting: Waiting[] = [];
  let isStopping = false;
  let present: Promise<void> | null = null;

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const done = door.run(next.batch);
      next.settle(done);
      await done.catch(() => "it was handed to who asked");
    }
    present = null;
  }

  return {
    dispatch(batch) {
      if (isStopping) return Promise.resolve(STOPPING);
      assert(waiting.length < BATCHES_MAX, `at most ${BATCHES_MAX} batches wait`);
      return new Promise((settle) => {
        const isFirst = ({ batch: other }: Waiting) => batch.isFlatten && !other.isFlatten;
        const place = waiting.findIndex(isFirst);
        waiting.splice(place < 0 ? waiting.length : place, 0, { batch, settle });
        present ??= work();
      });
    },
    inFlight: () => door.inFlight,
    async stop() {
      isStopping = true;
      for (const { settle } of waiting.splice(0)) settle(Promise.resolve(STOPPING));
      await present;
    },
  };
}

type Door = {
  readonly inFlight: ReadonlySet<IntentId>;
  run(batch: DispatchBatch): Promise<DispatchReport>;
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
  };
  const ids = createClientIds(live);
  const inFlight = new Set<IntentId>();

  return {
    inFlight,
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
