// Tries an account's keys without changing anything and says what is wrong in words. Used by the
// accounts page and by pre-flight. It throws for nothing the exchange answers, and no secret, address
// or raw answer gets into its sentences.
import { InputError } from "../../model/result.ts";
import type {
  AccountProbe,
  ProbeCheck,
  ProbeFault,
  ProbeReport,
  ProbeRequest,
} from "../../ports/account-probe.ts";
import type { Broker, CallOptions, KeyPermissions } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import { BrokerError } from "./error-types.ts";
import { normaliseMarket } from "./symbols.ts";

/** What probing needs. */
export type ProbeDeps = {
  readonly clock: Clock;
  /** Opens a broker for the request; an InputError is told as a failed check. */
  readonly open: (request: ProbeRequest) => Promise<Broker>;
};

type Name = ProbeCheck["name"];
type Verdict = Pick<ProbeCheck, "outcome" | "fault" | "sentence">;
type Check = () => Promise<Verdict>;

/** A clock this far off is told, and one off by more than the second is refused by exchanges. */
const CLOCK_WARN_MS = 1000;
const CLOCK_FAIL_MS = 30_000;
const ORDER: readonly Name[] = [
  "reachable",
  "clock",
  "key",
  "balances",
  "positions",
  "orders",
  "order_book",
  "position_mode",
  "withdraw_permission",
];
/** A check that failed makes these moot. */
const MOOT: Partial<Record<Name, readonly Name[]>> = {
  reachable: ORDER.slice(1),
  key: ["balances", "positions", "orders", "position_mode", "withdraw_permission"],
};

/** Probes accounts through the broker. */
export function createAccountProbe({ clock, open }: ProbeDeps): AccountProbe {
  return {
    async probe(request) {
      const state: ProbeState = { at: clock.now(), clockOffsetMs: null, mayWithdraw: null };
      const checks: ProbeCheck[] = [];
      let broker: Broker;
      try {
        broker = await open(request);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        const { message } = error;
        return { ...state, checks: withSkipped([told("reachable", failed("other", message))]) };
      }
      const list = checksOf(request, broker, clock, state);
      const moot = new Set<Name>();
      for (const name of ORDER) {
        request.signal.throwIfAborted();
        if (moot.has(name)) continue;
        const check = told(name, await settled(list[name]));
        checks.push(check);
        if (check.outcome === "fail") for (const other of MOOT[name] ?? []) moot.add(other);
      }
      return { ...state, checks: withSkipped(checks) };
    },
  };
}

type ProbeState = {
  readonly at: number;
  clockOffsetMs: ProbeReport["clockOffsetMs"];
  mayWithdraw: ProbeReport["mayWithdraw"];
};

function checksOf(
  request: ProbeRequest,
  broker: Broker,
  clock: Clock,
  state: ProbeState,
): Record<Name, Check> {
  const options: CallOptions = { signal: request.signal };
  const { symbol } = normaliseMarket(request.exchangeId, request.symbol);
  let permissions: KeyPermissions | null = null;
  return {
    async reachable() {
      try {
        await broker.serverTime(options);
      } catch (error) {
        const isMute = error instanceof BrokerError && error.kind === "not_supported";
        if (!isMute) throw error;
        await broker.topOfBook(symbol, options);
      }
      return passed("the exchange answers");
    },
    async clock() {
      const before = clock.now();
      const theirs = await broker.serverTime(options);
      const offsetMs = Math.round(theirs - (before + clock.now()) / 2);
      state.clockOffsetMs = offsetMs;
      return clockVerdict(offsetMs);
    },
    async key() {
      permissions = await broker.permissions(options);
      if (permissions.mayTrade === false) {
        return failed("permission", "the key may not trade; allow trading for it at the exchange");
      }
      await broker.balances(options);
      const isOpen = permissions.isAddressBound === false;
      return isOpen
        ? warned("the key works from every address; bind it to yours at the exchange")
        : passed("the key is accepted");
    },
    async balances() {
      const count = (await broker.balances(options)).length;
      return passed(`balances can be read (${count} currencies)`);
    },
    async positions() {
      const count = (await broker.positions(null, options)).length;
      return passed(`positions can be read (${count} open)`);
    },
    async orders() {
      const count = (await broker.openOrders(symbol, options)).length;
      return passed(`orders of ${symbol} can be read (${count} open)`);
    },
    async order_book() {
      const { bid, ask } = await broker.topOfBook(symbol, options);
      return Number(bid) < Number(ask)
        ? passed(`the book of ${symbol} can be read`)
        : warned(`the book of ${symbol} is crossed: bid ${bid}, ask ${ask}`);
    },
    async position_mode() {
      const mode = await broker.positionMode(symbol, options);
      return mode === "hedge"
        ? passed("the account is in hedge mode")
        : warned(
            "the account is in one-way mode: a long and a short of one symbol cannot be held " +
              "together; the mode is never changed without your word",
            "mode",
          );
    },
    async withdraw_permission() {
      permissions ??= await broker.permissions(options);
      const { mayWithdraw } = permissions;
      state.mayWithdraw = mayWithdraw;
      if (mayWithdraw === true) {
        return failed("withdraw", "the key may withdraw; use a key without that permission");
      }
      return mayWithdraw === false
        ? passed("the key may not withdraw")
        : warned("the exchange does not tell whether the key may withdraw; make sure it may not");
    },
  };
}

function clockVerdict(offsetMs: number): Verdict {
  const seconds = `${(Math.abs(offsetMs) / 1000).toFixed(1)} s`;
  const word = offsetMs > 0 ? "behind" : "ahead of";
  if (Math.abs(offsetMs) < CLOCK_WARN_MS) return passed("this machine's clock is right");
  const sentence = `this machine's clock is ${seconds} ${word} the exchange's; synchronise it`;
  return Math.abs(offsetMs) < CLOCK_FAIL_MS ? warned(sentence, "clock") : failed("clock", sentence);
}

/** Runs a check; what the broker throws becomes its verdict. */
async function settled(check: Check): Promise<Verdict> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof InputError) return failed("other", error.message);
    if (!(error instanceof BrokerError)) throw error;
    if (error.kind === "not_supported") {
      return { outcome: "skipped", fault: null, sentence: error.message };
    }
    return failed(faultOf(error), error.message);
  }
}

function faultOf({ kind }: BrokerError): ProbeFault {
  switch (kind) {
    case "auth":
      return "key";
    case "permission":
    case "address":
    case "clock":
      return kind;
    case "transport":
    case "rate_limit":
    case "maintenance":
    case "queue_full":
    case "breaker_open":
      return "unreachable";
    default:
      return "other";
  }
}

/** Every check has its line; those that were not made say so. */
function withSkipped(checks: readonly ProbeCheck[]): ProbeCheck[] {
  return ORDER.map(
    (name) =>
      checks.find((check) => check.name === name) ??
      told(name, {
        outcome: "skipped",
        fault: null,
        sentence: "not tried after what failed above",
      }),
  );
}

function told(name: Name, verdict: Verdict): ProbeCheck {
  return { name, ...verdict };
}

function passed(sentence: string): Verdict {
  return { outcome: "pass", fault: null, sentence };
}

function warned(sentence: string, fault: ProbeFault | null = null): Verdict {
  return { outcome: "warn", fault, sentence };
}

function failed(fault: ProbeFault, sentence: string): Verdict {
  return { outcome: "fail", fault, sentence };
}
