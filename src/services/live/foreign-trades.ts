// Who was behind trades that belong to nobody here: the exchange, a person, another Dragon, or an order of
// ours after all. Called by reconciler.ts when such trades changed what owners hold. It asks for their
// orders and puts the finding into words; without an answer the louder word is taken.
import type { Finding } from "../../execution/reconcile-view.ts";
import { formatClientOrderId, parseClientOrderId } from "../../model/client-order-id.ts";
import type { Leg } from "../../model/trade-record.ts";
import type { OrderReport } from "../../ports/broker.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import type { LiveDeps } from "./live-types.ts";
import { tellReport } from "./order-news.ts";
import { type Note, noteOf } from "./reconcile-events.ts";
import { failure } from "./reconcile-reads.ts";

/** Foreign orders of a leg that are asked about. */
const ASKED_MAX = 5;

/**
 * Gives trades that were taken for nobody's to the order of ours they belong to: one that had been given
 * up and was executed after all.
 * @returns how many orders were found
 */
export async function adoptForeign(
  deps: LiveDeps & { readonly onBooked: (symbol: string) => void },
  findings: readonly Finding[],
  signal: AbortSignal,
): Promise<number> {
  let adopted = 0;
  for (const finding of findings) {
    if (!isAboutForeign(finding)) continue;
    for (const order of await foreignOrders(deps, finding, signal)) {
      const intent = await intentOf(deps, order);
      if (intent === null || intent.exchangeOrderId !== null) continue;
      await tellReport(deps, intent, order);
      deps.onBooked(intent.symbol);
      adopted += 1;
    }
  }
  return adopted;
}

/** The notes of a pass's findings, in their order. */
export async function foreignNotes(
  deps: LiveDeps,
  { findings, own }: Found,
  signal: AbortSignal,
): Promise<Note[]> {
  const notes: Note[] = [];
  for (const finding of findings) {
    const orders = isAboutForeign(finding) ? await foreignOrders(deps, finding, signal) : [];
    for (const order of orders) {
      // What was taken away shows as a difference too: one of the two names the rival.
      const rival = finding.kind === "position_drift" ? await rivalOf(deps, order) : null;
      if (rival) notes.push(noteOf(rival, own.intents));
    }
    notes.push(worded(noteOf(finding, own.intents), finding, orders[0]));
  }
  return notes;
}

type Found = {
  readonly findings: readonly Finding[];
  readonly own: { readonly intents: ReadonlyMap<string, StoredIntent> };
};

type OnLeg = Finding & { readonly symbol: string; readonly leg: Leg };

function isAboutForeign(finding: Finding): finding is OnLeg {
  return (
    finding.kind === "taken_away" ||
    (finding.kind === "position_drift" && finding.between === "owners")
  );
}

/** A person's order may enlarge; only an exchange's own closing order is bound to reduce. */
function worded(note: Note, finding: Finding, order: OrderReport | undefined): Note {
  const isByHand = finding.kind === "taken_away" && order?.isReduceOnly === false;
  if (!isByHand) return note;
  return { ...note, kind: "position_drift", sentence: `${note.sentence}, placed by hand` };
}

/** Another Dragon's order: in our writing, and not in our rows. */
async function rivalOf(deps: LiveDeps, order: OrderReport): Promise<Finding | null> {
  const { symbol, exchangeOrderId, clientOrderId } = order;
  const parts = clientOrderId === null ? null : parseClientOrderId(clientOrderId);
  if (clientOrderId === null || parts === null || parts.bot === 0) return null;
  if (await intentOf(deps, order)) return null;
  const { instance } = parts;
  return { kind: "second_instance", symbol, exchangeOrderId, clientOrderId, instance };
}

async function intentOf(
  { store, account }: LiveDeps,
  { clientOrderId }: OrderReport,
): Promise<StoredIntent | null> {
  const parts = clientOrderId === null ? null : parseClientOrderId(clientOrderId);
  if (parts === null) return null;
  return await store.findIntent(account.scope, account.accountId, formatClientOrderId(parts));
}

/** The orders of the newest trades of nobody on the leg, newest first; those that were answered. */
async function foreignOrders(
  { store, account, broker, log }: LiveDeps,
  { symbol, leg }: OnLeg,
  signal: AbortSignal,
): Promise<OrderReport[]> {
  const fills = await store.fills(account.scope, account.accountId, symbol);
  const foreign = fills.filter((fill) => fill.owner === "foreign" && fill.leg === leg).reverse();
  const ids = [...new Set(foreign.map(({ exchangeOrderId }) => exchangeOrderId))];
  const orders: OrderReport[] = [];
  for (const id of ids.slice(0, ASKED_MAX)) {
    try {
      const ref = { symbol, by: "exchange", id, isTrigger: false } as const;
      const order = await broker.order(ref, { signal });
      if (order !== null) orders.push(order);
    } catch (error) {
      log.warn(failure(`order ${id} of ${symbol}`, error, signal));
    }
  }
  return orders;
}
