// Whether an account may begin to trade real money: one verdict per check, from facts that were gathered. Pure; called
// by services/live/preflight.ts. A fact nobody could find out is a failure, never a pass.
import { compare, type Decimal, subtract } from "../model/decimal.ts";
import type { EpochMs } from "../model/time.ts";
import { type LossLimits, shown } from "./account-limits.ts";
import type { ExposureLimits } from "./headroom.ts";
import { type BotFacts, botChecks } from "./preflight-bots.ts";
import { check, type Fact, type PreflightCheck, worst } from "./preflight-check.ts";

/** Everything the verdict rests on. */
export type PreflightFacts = {
  /** Known when the exchange answered a signed request. */
  readonly credentials: Fact<{ readonly mayTrade: boolean | null }>;
  /** Null when the exchange does not tell. */
  readonly mayWithdraw: Fact<boolean | null>;
  /** Time of the exchange minus time of this machine. */
  readonly clockOffsetMs: Fact<number>;
  readonly bots: readonly BotFacts[];
  readonly money: Fact<PreflightMoney>;
  /** One sentence per order or position nobody here knows of. */
  readonly unexplained: Fact<readonly string[]>;
  /** Working orders that another installation of Dragon placed. */
  readonly foreignInstanceOrders: Fact<number>;
  readonly hasTriggerOrders: boolean;
  readonly limits: LossLimits & Omit<ExposureLimits, "maxLeverage">;
  readonly freeBytes: Fact<number>;
  readonly schema: Fact<{ readonly current: number; readonly latest: number }>;
  /** When somebody said that the present master key is kept elsewhere too; null when nobody did. */
  readonly keyBackupAt: EpochMs | null;
  readonly hasAlarm: Fact<boolean>;
};

/** Money for the ladders of all bots. */
export type PreflightMoney = {
  readonly asset: string;
  readonly total: Decimal;
  /** Null when the exchange does not tell. */
  readonly free: Decimal | null;
  /** Margin of what the bots hold already. */
  readonly inUse: Decimal;
  /** Margin of every ladder to its last rung; null while one of them is not known. */
  readonly needed: Decimal | null;
  /** What the bots size by, together. */
  readonly allocated: Decimal;
};

/** A verdict; its level is that of its worst check. */
export type PreflightVerdict = {
  readonly level: PreflightCheck["level"];
  readonly checks: readonly PreflightCheck[];
};

const ZERO = "0" as Decimal;
const CLOCK_MAX_MS = 1000;
const MIB = 1024 * 1024;
const DISK_FAIL_BYTES = 200 * MIB;
const DISK_WARN_BYTES = 2048 * MIB;

/** Every check, in the order people read them. */
export function judgePreflight(facts: PreflightFacts): PreflightVerdict {
  const bots = botChecks(facts.bots);
  const checks = [
    credentials(facts),
    withdrawals(facts),
    clock(facts),
    bots.positionMode,
    bots.leverage,
    bots.symbolRules,
    bots.minimums,
    money(facts),
    unexplained(facts),
    protection(facts),
    lease(facts),
    bots.candles,
    limits(facts),
    disk(facts),
    migrations(facts),
    keyBackup(facts),
    alarm(facts),
  ];
  return { level: worst(checks), checks };
}

function credentials({ credentials: fact }: PreflightFacts): PreflightCheck {
  const said = check("credentials", "Check the keys on the page of the account and test them.");
  if (!fact.isKnown) return said.fail(`The exchange did not accept the keys: ${fact.why}`);
  if (fact.value.mayTrade === false) return said.fail("The keys may read, but not trade");
  return said.pass("The exchange accepts the keys");
}

function withdrawals({ mayWithdraw: fact }: PreflightFacts): PreflightCheck {
  const remedy =
    "Make keys at the exchange that may trade and may not withdraw, and replace these.";
  const said = check("withdraw_permission", remedy);
  if (!fact.isKnown) return said.fail(`What the keys may do is not known: ${fact.why}`);
  if (fact.value === true) return said.fail("The keys may move money out of the account");
  if (fact.value === null) {
    return said.warn("The exchange does not tell whether the keys may withdraw");
  }
  return said.pass("The keys may not withdraw");
}

function clock({ clockOffsetMs: fact }: PreflightFacts): PreflightCheck {
  const said = check("clock", "Synchronise the clock of this machine (NTP).");
  if (!fact.isKnown) return said.fail(`The time of the exchange is not known: ${fact.why}`);
  const sentence = `${Math.abs(Math.round(fact.value))} ms between this machine and the exchange`;
  return Math.abs(fact.value) > CLOCK_MAX_MS ? said.fail(sentence) : said.pass(sentence);
}

function money({ money: fact }: PreflightFacts): PreflightCheck {
  const remedy = "Add money, take smaller allocations or shorter ladders, or stop a bot.";
  const said = check("balance", remedy);
  if (!fact.isKnown) return said.fail(`The balance is not known: ${fact.why}`);
  const { asset, total, needed, allocated } = fact.value;
  if (needed === null) {
    return said.fail("The margin of the ladders is not known, so it is not known to be there");
  }
  const left = leftOf(fact.value, needed);
  const sentence = `Every ladder to its last rung needs ${shown(needed)} ${asset} of margin`;
  if (compare(left, ZERO) < 0) {
    return said.fail(`${sentence}, ${shown(left).slice(1)} more than there is`);
  }
  if (compare(allocated, total) > 0) {
    const sizes = `the bots size by ${shown(allocated)} together, the account has ${shown(total)}`;
    return said.warn(`${sentence}, but ${sizes}`);
  }
  return said.pass(`${sentence}; ${shown(left)} would be left`);
}

/** What every ladder leaves: of all there is, and of what is free for what they do not use yet. */
function leftOf({ total, free, inUse }: PreflightMoney, needed: Decimal): Decimal {
  const ofTotal = subtract(total, needed);
  if (free === null) return ofTotal;
  const toCome = compare(needed, inUse) > 0 ? subtract(needed, inUse) : ZERO;
  const ofFree = subtract(free, toCome);
  return compare(ofFree, ofTotal) < 0 ? ofFree : ofTotal;
}

function unexplained({ unexplained: fact }: PreflightFacts): PreflightCheck {
  const remedy = "Close or cancel them at the exchange, or let the account page adopt them.";
  const said = check("unexplained", remedy);
  if (!fact.isKnown) return said.fail(`Orders and positions are not known: ${fact.why}`);
  const [first] = fact.value;
  if (first === undefined) return said.pass("Every order and position of the account is ours");
  const more = fact.value.length > 1 ? ` and ${fact.value.length - 1} more` : "";
  return said.fail(`${first}${more}`);
}

function protection({ hasTriggerOrders, bots }: PreflightFacts): PreflightCheck {
  const said = check("protective_orders", "Trade these bots at another exchange.");
  if (hasTriggerOrders) return said.pass("The exchange keeps protective stops");
  const names = bots.filter(({ wantsStop }) => wantsStop).map(({ name }) => name);
  if (names.length === 0) return said.pass("No bot uses a stop; the exchange would keep none");
  return said.fail(`The exchange keeps no protective stops, and ${names.join(", ")} need them`);
}

function lease({ foreignInstanceOrders: fact }: PreflightFacts): PreflightCheck {
  const remedy = "Stop the other Dragon, or give this one keys of another sub-account.";
  const said = check("lease", remedy);
  if (!fact.isKnown) return said.fail(`Whether another Dragon trades here: ${fact.why}`);
  if (fact.value === 0) return said.pass("No other Dragon trades on the account");
  return said.fail(`Another Dragon has ${fact.value} working orders on the account`);
}

function limits({ limits: set }: PreflightFacts): PreflightCheck {
  const said = check("limits", "Set limits on the page of the account.");
  const { maxDailyLossUsd, maxTotalLossUsd, maxDrawdownPct, maxGrossExposureUsd } = set;
  if (maxDailyLossUsd === null && maxTotalLossUsd === null && maxDrawdownPct === null) {
    return said.fail("No limit ends a series of losses");
  }
  const missing = [
    ...(maxDailyLossUsd === null ? ["the daily loss"] : []),
    ...(maxTotalLossUsd === null && maxDrawdownPct === null ? ["the loss over time"] : []),
    ...(maxGrossExposureUsd === null ? ["the gross exposure"] : []),
  ];
  if (missing.length > 0) return said.warn(`Nothing limits ${missing.join(" and ")}`);
  return said.pass("Losses and exposure are limited");
}

function disk({ freeBytes: fact }: PreflightFacts): PreflightCheck {
  const said = check("disk", "Free some space: without it nothing can be written down.");
  if (!fact.isKnown) return said.fail(`The free space is not known: ${fact.why}`);
  const sentence = `${Math.floor(fact.value / MIB)} MB are free`;
  if (fact.value < DISK_FAIL_BYTES) return said.fail(sentence);
  return fact.value < DISK_WARN_BYTES ? said.warn(sentence) : said.pass(sentence);
}

function migrations({ schema: fact }: PreflightFacts): PreflightCheck {
  const said = check("migrations", "Run dragon migrate, or start the newest version of Dragon.");
  if (!fact.isKnown) return said.fail(`The version of the database is not known: ${fact.why}`);
  const { current, latest } = fact.value;
  if (current !== latest) return said.fail(`The database has version ${current} of ${latest}`);
  return said.pass(`The database has version ${current}`);
}

/** A warning, because arming asks for it in any case. */
function keyBackup({ keyBackupAt }: PreflightFacts): PreflightCheck {
  const said = check("master_key_backup", "Copy the master key away from this machine.");
  if (keyBackupAt !== null) return said.pass("The master key is kept elsewhere too");
  return said.warn("Nobody said yet that the master key is kept elsewhere too");
}

function alarm({ hasAlarm: fact }: PreflightFacts): PreflightCheck {
  const said = check("alarm", "Set up a way out for alarms.");
  if (fact.isKnown && fact.value) return said.pass("Alarms go out");
  return said.warn("Nobody will be told when something goes wrong");
}
