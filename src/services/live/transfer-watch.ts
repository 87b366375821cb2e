// Money that came or went without a trade: the balance moved and the ledger did not. Called by the
// reconciler after a quiet, complete pass with nothing open. It books only what it saw twice, after
// funding was asked for, and never while figures are missing or estimated.
import { add, compare, type Decimal, subtract } from "../../model/decimal.ts";
import type { EpochMs } from "../../model/time.ts";
import type { FactMarket } from "./fact-records.ts";
import type { FactIngest, LiveDeps } from "./live-types.ts";
import { failure } from "./reconcile-reads.ts";

/** What the watch works with. */
export type TransferDeps = LiveDeps & {
  readonly ingest: FactIngest;
  readonly markets: ReadonlyMap<string, FactMarket>;
};

/** Compares balances with the ledger. */
export type TransferWatch = {
  look(signal: AbortSignal): Promise<TransferLook>;
};

/** What a look did. */
export type TransferLook = { readonly writes: number; readonly failures: readonly string[] };

/** Balances are asked for at most so often. */
const LOOK_EVERY_MS = 60_000;
/** Smaller differences are rounding of the exchange. */
const SMALLEST = "0.01" as Decimal;
const ZERO = "0" as Decimal;

/** What the balance is explained by. */
type Base = { readonly asset: string; readonly balance: Decimal; readonly ledger: Decimal };

type Suspicion = { readonly balance: Decimal; readonly amount: Decimal; readonly at: EpochMs };

/** The first look only takes notice. Accounts that settle in several currencies are not watched. */
export function createTransferWatch(deps: TransferDeps): TransferWatch {
  let base: Base | null = null;
  let suspicion: Suspicion | null = null;
  let lookedAt: number | null = null;

  async function compared(asset: string, signal: AbortSignal): Promise<TransferLook> {
    const balances = await deps.broker.balances({ signal });
    const balance = balances.find((one) => one.asset === asset)?.total ?? ZERO;
    const ledger = await ledgerSum(deps);
    if (ledger === null) {
      suspicion = null;
      return NOTHING;
    }
    const now: Base = { asset, balance, ledger };
    if (base?.asset !== asset) {
      base = now;
      return NOTHING;
    }
    const explained = subtract(ledger, base.ledger);
    const amount = subtract(subtract(balance, base.balance), explained);
    if (compare(magnitude(amount), SMALLEST) < 0) {
      base = now;
      suspicion = null;
      return NOTHING;
    }
    if (suspicion?.balance !== balance || suspicion.amount !== amount) {
      suspicion = { balance, amount, at: deps.clock.now() };
      return await askForFunding(deps, signal);
    }
    const booked = await book(deps, { asset, amount, at: suspicion.at, balance });
    base = { asset, balance, ledger: add(ledger, amount) };
    suspicion = null;
    return { writes: booked, failures: [] };
  }

  return {
    async look(signal) {
      const at = deps.clock.monotonicMs();
      const assets = new Set([...deps.markets.values()].map(({ settleAsset }) => settleAsset));
      const [asset, ...more] = assets;
      const isDue = lookedAt === null || suspicion !== null || at - lookedAt >= LOOK_EVERY_MS;
      if (asset === undefined || more.length > 0 || !isDue) return NOTHING;
      lookedAt = at;
      try {
        return await compared(asset, signal);
      } catch (error) {
        return { writes: 0, failures: [failure("balances", error, signal)] };
      }
    },
  };
}

const NOTHING: TransferLook = { writes: 0, failures: [] };

/** All that is booked, transfers included; null while some of it is missing or estimated. */
async function ledgerSum({ store, account }: TransferDeps): Promise<Decimal | null> {
  const everything = { sinceAt: 0, owner: null };
  const totals = await store.totals(account.scope, account.accountId, everything);
  if (totals.missing > 0 || totals.estimated > 0) return null;
  return add(totals.net, totals.transfers);
}

/** Funding explains most of what looks like a transfer. */
async function askForFunding(deps: TransferDeps, signal: AbortSignal): Promise<TransferLook> {
  let writes = 0;
  for (const symbol of deps.markets.keys()) {
    writes += (await deps.ingest.funding(symbol, signal)).booked;
  }
  return { writes, failures: [] };
}

type Found = {
  readonly asset: string;
  readonly amount: Decimal;
  readonly at: EpochMs;
  readonly balance: Decimal;
};

async function book(deps: TransferDeps, found: Found): Promise<number> {
  const { asset, amount, at, balance } = found;
  const ref = `balance-${at}-${balance}`;
  const { scope } = deps.account;
  const transfer = { ref, amount, asset, settleAmount: amount, at };
  const answer = await deps.store.recordTransfer(scope, deps.lease.guard, transfer);
  if (!answer.ok) throw new Error(`the transfer was not booked: ${answer.detail}`);
  if (answer.value !== "booked") return 0;
  const way = compare(amount, ZERO) > 0 ? "came in" : "left";
  deps.note({
    kind: "transfer_booked",
    botId: null,
    at: deps.clock.now(),
    sentence: `${magnitude(amount)} ${asset} ${way} without a trade`,
    fields: { asset, amount, balance },
  });
  return 1;
}

function magnitude(value: Decimal): Decimal {
  return compare(value, ZERO) < 0 ? subtract(ZERO, value) : value;
}
