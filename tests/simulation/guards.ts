// The protections whose loss the tests must notice: one line each, with what it looks like without it and
// who notices. Data for guard-run.ts; a protection that is rewritten in the source is rewritten here.
import type { Rewrite } from "./rewrite.ts";

/** Who notices: simulated seeds, or the tests of one file. */
export type Witness =
  { readonly seeds: readonly [from: number, to: number] } | { readonly test: string };

/** One protection and its absence. */
export type Guard = Rewrite & { readonly name: string; readonly witness: Witness };

const LIVE = "src/services/live";
const seeds = (from: number, to: number): Witness => ({ seeds: [from, to] });
const test = (file: string): Witness => ({ test: file });

/** Every guarded protection. */
export const GUARDS: readonly Guard[] = [
  {
    name: "a lost answer leaves the order in doubt",
    file: `${LIVE}/order-sending.ts`,
    find: 'answer.outcome === "refused" && answer.reason !== "DUPLICATE_CLIENT_ID"',
    replace: "true",
    witness: seeds(1, 20),
  },
  {
    name: "a duplicate id is looked for and not given up",
    file: `${LIVE}/order-sending.ts`,
    find: ' && answer.reason !== "DUPLICATE_CLIENT_ID"',
    replace: "",
    witness: seeds(1, 40),
  },
  {
    name: "the gates are read again right before the wire",
    file: `${LIVE}/order-sending.ts`,
    find: "if (closed !== null) return { result: await withhold(deps, intent, closed)",
    replace: "if (closed === undefined) return { result: await withhold(deps, intent, closed)",
    witness: test("tests/services/live/order-gates.test.ts"),
  },
  {
    name: "a state that forbids it stops an order at the gate",
    file: `${LIVE}/order-sending.ts`,
    find: "if (!permits(state, purpose)) {",
    replace: "if (purpose === undefined) {",
    witness: test("tests/services/live/order-gates.test.ts"),
  },
  {
    name: "a write needs enough of the lease",
    file: `${LIVE}/order-sending.ts`,
    find: "if (lease.remainingMs() >= LEASE_MIN_MS) return null;",
    replace: "return null;",
    witness: test("tests/services/live/order-gates.test.ts"),
  },
  {
    name: "a gate that closes stops a write that waits for its turn",
    file: `${LIVE}/order-sending.ts`,
    find: "if (!mayLeave()) stopped.abort",
    replace: "if (false) stopped.abort",
    witness: test("tests/services/live/order-gates.test.ts"),
  },
  {
    name: "nothing is placed into a slot whose order is not proven gone",
    file: `${LIVE}/order-batch.ts`,
    find: "closedSlots.has(slotOf(namesOf(order))) ? CLOSED_SLOT : null;",
    replace: "closedSlots.has(slotOf(namesOf(order))) && false ? CLOSED_SLOT : null;",
    witness: seeds(1, 40),
  },
  {
    name: "an order nobody knows at once is not given up at once",
    file: `${LIVE}/unverified-resolver.ts`,
    find: "const isLong = askedMs - doubt.sinceMs >= doubtMs && doubt.missed >= missed;",
    replace: "const isLong = true;",
    witness: seeds(1, 40),
  },
  {
    name: "a row left half sent is taken over",
    file: `${LIVE}/unverified-resolver.ts`,
    find: 'if (intent.status !== "unverified" && intent.status !== "sending") continue;',
    replace: 'if (intent.status !== "unverified") continue;',
    witness: seeds(1, 20),
  },
  {
    name: "what this process is sending is left alone",
    file: `${LIVE}/unverified-resolver.ts`,
    find: "&& !inFlight().has(intent.id))",
    replace: ")",
    witness: test("tests/services/live/unverified-resolver.test.ts"),
  },
  {
    name: "looks at trades overlap",
    file: `${LIVE}/fact-cursors.ts`,
    find: "Math.max(0, Math.min(cursor - OVERLAP_MS, wanted ?? cursor))",
    replace: "Math.max(0, wanted ?? cursor + 1)",
    witness: seeds(1, 60),
  },
  {
    name: "fills of a triggered stop belong to the bot that set it",
    file: `${LIVE}/trigger-fills.ts`,
    find: "const exchangeOrderId = memory.decided.get(keyOf(record)) ?? record.exchangeOrderId;",
    replace: "const { exchangeOrderId } = record;",
    witness: seeds(1, 20),
  },
  {
    name: "a list never ends an order: missing ones are asked about",
    file: "src/execution/reconcile.ts",
    find: 'draft.inquiries.push({ kind: "order", clientOrderId });\n      const struck',
    replace: 'tell(draft, order, "cancelled", null);\n      const struck',
    witness: seeds(1, 40),
  },
  {
    name: "one answer that there is no such order ends nothing",
    file: "src/execution/reconcile.ts",
    find: "const STRIKES = 3;",
    replace: "const STRIKES = 1;",
    witness: test("tests/execution/reconcile.test.ts"),
  },
  {
    name: "what the exchange says is filled is fetched",
    file: "src/execution/reconcile.ts",
    find: "if (reportedFilledQty === null || compare(reportedFilledQty, filledQty) <= 0) continue;",
    replace: "continue;",
    witness: test("tests/execution/reconcile.test.ts"),
  },
  {
    name: "an order that was given up and turns up is followed again",
    file: "src/execution/order-machine.ts",
    find: 'unverified: "abandoned",\n    listed: "open",\n    found_working: "open",',
    replace: 'unverified: "abandoned",\n    listed: "abandoned",\n    found_working: "abandoned",',
    witness: test("tests/execution/order-machine.test.ts"),
  },
  {
    name: "no answer is no refusal",
    file: "src/adapters/ccxt/broker-verdict.ts",
    find: 'return unverified(profile, isTimeout(error) ? "timeout" : "connection_lost");',
    replace: "return refused(profile, TOO_MANY, null);",
    witness: seeds(1, 20),
  },
  {
    name: "an unreadable answer is no refusal",
    file: "src/adapters/ccxt/broker-verdict.ts",
    find: 'if (sent.body === undefined) return unverified(profile, "unreadable_answer");',
    replace: "if (sent.body === undefined) return refused(profile, TOO_MANY, null);",
    witness: test("tests/adapters/ccxt/broker-answers.test.ts"),
  },
  {
    name: "a clock that is wrong is set right",
    file: "src/adapters/ccxt/broker-clock.ts",
    find: "client.offsetMs = offsetMs;",
    replace: "",
    witness: test("tests/adapters/ccxt/broker-answers.test.ts"),
  },
  {
    name: "tokens come back only after the window",
    file: "src/adapters/resilience/rate-limiter.ts",
    find: "bucket.returns.push(now + bucket.windowMs);",
    replace: "",
    witness: test("tests/adapters/resilience/rate-limiter.test.ts"),
  },
  {
    name: "a lease counts from before it was asked for",
    file: `${LIVE}/lease-keeper.ts`,
    find: "holding.provenMs = askedMs;",
    replace: "holding.provenMs = clock.monotonicMs();",
    witness: test("tests/services/live/lease-keeper.test.ts"),
  },
  {
    name: "states that were not read lately count as unread",
    file: `${LIVE}/control.ts`,
    find: "const isFresh = () => clock.monotonicMs() - askedMs <= FRESH_MS;",
    replace: "const isFresh = () => true;",
    witness: test("tests/services/live/control.test.ts"),
  },
  {
    name: "a worker without the lease writes nothing",
    file: "src/adapters/postgres/trading-leases.ts",
    find: "and l.token =",
    replace: "and 0 <>",
    witness: test("tests/contract/trading-store.test.ts"),
  },
  {
    name: "nothing commits under an old epoch",
    file: "src/adapters/postgres/trading-leases.ts",
    find: "and epoch =",
    replace: "and epoch >= 0 *",
    witness: test("tests/contract/control.test.ts"),
  },
  {
    name: "a free lock proves nothing where the holder never had it",
    file: "src/adapters/postgres/trading-leases.ts",
    find: "const isGone = wish.ownsLock && ownsLock;",
    replace: "const isGone = wish.ownsLock;",
    witness: test("tests/contract/trading-store.test.ts"),
  },
];
