// Slows down guessing: counts attempts per account and per address and asks for a wait that doubles.
// Used by sessions.ts before any password is compared. In memory and bounded; a restart forgets.
import { isIP } from "node:net";
import type { EpochMs } from "../../model/time.ts";

/** Attempts on one account before waiting starts. */
export const ACCOUNT_ATTEMPTS_FREE = 5;
/** Attempts from one address before waiting starts; a household shares an address. */
export const ADDRESS_ATTEMPTS_FREE = 15;
export const DELAY_FIRST_MS = 1000;
/** An account's wait stays short enough that a stranger cannot lock its owner out for long. */
export const ACCOUNT_DELAY_MAX_MS = 5 * 60_000;
export const ADDRESS_DELAY_MAX_MS = 15 * 60_000;
/** Attempts are forgotten this long after the last one. */
export const FORGET_MS = 60 * 60_000;
/** Accounts and addresses remembered at once, each; the one unused longest goes first. */
export const THROTTLE_KEYS_MAX = 10_000;

/** Who tries, from where. */
export type Attempt = { readonly account: string; readonly address: string };

/** Counts attempts. */
export type LoginThrottle = {
  /** Counts the attempt, or refuses it. @returns the wait in ms; 0 means go ahead */
  begin(attempt: Attempt, now: EpochMs): number;
  /** The attempt was right: the account starts afresh, the address gets this one back. */
  succeeded(attempt: Attempt): void;
};

type Entry = { attempts: number; lastAt: EpochMs; blockedUntil: EpochMs };

type Limits = { readonly free: number; readonly delayMaxMs: number };

const ACCOUNT: Limits = { free: ACCOUNT_ATTEMPTS_FREE, delayMaxMs: ACCOUNT_DELAY_MAX_MS };
const ADDRESS: Limits = { free: ADDRESS_ATTEMPTS_FREE, delayMaxMs: ADDRESS_DELAY_MAX_MS };
const ACCOUNT_CHARS_MAX = 254;

/** Builds the throttle. */
export function createLoginThrottle(): LoginThrottle {
  const accounts = new Map<string, Entry>();
  const addresses = new Map<string, Entry>();
  return {
    begin(attempt, now) {
      const { account, address } = keysOf(attempt);
      // Both are asked before either counts: a blocked address must not use up the account.
      const waitMs = Math.max(waitOf(addresses, address, now), waitOf(accounts, account, now));
      if (waitMs > 0) return waitMs;
      count(addresses, address, ADDRESS, now);
      count(accounts, account, ACCOUNT, now);
      return 0;
    },
    succeeded(attempt) {
      const { account, address } = keysOf(attempt);
      accounts.delete(account);
      const entry = addresses.get(address);
      if (entry) {
        entry.attempts -= 1;
        entry.blockedUntil = 0;
      }
    },
  };
}

function keysOf({ account, address }: Attempt): Attempt {
  return {
    account: account.trim().toLowerCase().slice(0, ACCOUNT_CHARS_MAX),
    address: network(address),
  };
}

/** One customer usually holds a whole /64 of IPv6, so that counts as one address. */
function network(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const left = head.split(":").filter(Boolean);
  const right = (tail ?? "").split(":").filter(Boolean);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right];
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(":")}::/64`;
}

function waitOf(entries: Map<string, Entry>, key: string, now: EpochMs): number {
  const entry = entries.get(key);
  return entry ? Math.max(0, entry.blockedUntil - now) : 0;
}

function count(entries: Map<string, Entry>, key: string, limits: Limits, now: EpochMs): void {
  const known = entries.get(key);
  const isFresh = known !== undefined && now - known.lastAt < FORGET_MS;
  const attempts = (isFresh ? known.attempts : 0) + 1;
  const doublings = attempts - limits.free;
  const delayMs =
    doublings < 0 ? 0 : Math.min(limits.delayMaxMs, DELAY_FIRST_MS * 2 ** Math.min(doublings, 30));
  // Taken out first, so that the order of the map is the order of use.
  entries.delete(key);
  entries.set(key, { attempts, lastAt: now, blockedUntil: now + delayMs });
  if (entries.size <= THROTTLE_KEYS_MAX) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}
