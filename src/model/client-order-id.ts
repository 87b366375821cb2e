// The one layout of client order ids, made when an intent is committed and read again from exchange
// reports. Pure: the stamp comes in with the account lease, nothing here asks a clock or chance.
// An id is text everywhere: it lies above 2^53 and below 2^63.
import { assert, refuse, type Result, ok } from "./result.ts";
import type { EpochMs } from "./time.ts";

declare const clientOrderIdBrand: unique symbol;

/** 19 decimal digits: stamp (9) · instance (2) · bot (4) · sequence (4). */
export type ClientOrderId = string & { readonly [clientOrderIdBrand]: true };

/** What an id is made of. */
export type ClientOrderIdParts = {
  /** Seconds since 2020-01-01 UTC when the account lease was taken. */
  readonly stampS: number;
  /** 0..99: this installation. */
  readonly instance: number;
  /** 0..9999: the bot's number within the installation. */
  readonly bot: number;
  /** 0..9999, counted per stamp and bot. */
  readonly sequence: number;
};

/** Where the next id of one bot comes from; plain JSON, replaced by every issue. */
export type ClientOrderIdSource = ClientOrderIdParts;

const STAMP_EPOCH = Date.UTC(2020, 0, 1);
/** The last stamp whose ids stay below 2^63; it is reached in 2049. */
const STAMP_MAX = 922_337_202;
const INSTANCE_MAX = 99;
const BOT_MAX = 9999;
const SEQUENCE_MAX = 9999;
const SHAPE = /^(\d{9})(\d{2})(\d{4})(\d{4})$/;

/**
 * The stamp of a lease taken at `at`: the seconds since 2020-01-01, or one more than the last stamp
 * where the clock has not passed it (leases taken within one second, a clock set back).
 * @param lastStampS the stored stamp of the account; null when it never had one
 */
export function nextStamp(at: EpochMs, lastStampS: number | null): number {
  const byClock = Math.max(0, Math.floor((at - STAMP_EPOCH) / 1000));
  const stampS = lastStampS === null ? byClock : Math.max(byClock, lastStampS + 1);
  assert(stampS <= STAMP_MAX, `the stamp ${stampS} leaves no room below 2^63`);
  return stampS;
}

/** The first source of a bot under a stamp. @throws InvariantError when a part is out of range */
export function clientOrderIdSource(
  stampS: number,
  instance: number,
  bot: number,
): ClientOrderIdSource {
  const source = { stampS, instance, bot, sequence: 0 };
  formatClientOrderId(source);
  return source;
}

/**
 * Issues the next id. When the sequence is used up, the caller takes a fresh stamp (`nextStamp`) and
 * begins a new source; numbers of one bot only ever rise.
 */
export function issueClientOrderId(
  source: ClientOrderIdSource,
): Result<{ id: ClientOrderId; next: ClientOrderIdSource }, "SEQUENCE_USED_UP"> {
  if (source.sequence > SEQUENCE_MAX) {
    const detail = `sequence: bot ${source.bot} used all ${SEQUENCE_MAX + 1} ids of its stamp`;
    return refuse("SEQUENCE_USED_UP", detail);
  }
  const next = { ...source, sequence: source.sequence + 1 };
  return ok({ id: formatClientOrderId(source), next });
}

/** The parts of an id; null for a text of another shape, which is not ours. */
export function parseClientOrderId(text: string): ClientOrderIdParts | null {
  const match = SHAPE.exec(text);
  if (!match) return null;
  const [, stampS, instance, bot, sequence] = match.map(Number);
  assert(
    stampS !== undefined && instance !== undefined && bot !== undefined && sequence !== undefined,
    "the shape has four groups",
  );
  return stampS > STAMP_MAX ? null : { stampS, instance, bot, sequence };
}

/** Writes an id from its parts. @throws InvariantError when a part is out of range */
export function formatClientOrderId(parts: ClientOrderIdParts): ClientOrderId {
  const digits =
    field("stamp", parts.stampS, STAMP_MAX, 9) +
    field("instance", parts.instance, INSTANCE_MAX, 2) +
    field("bot", parts.bot, BOT_MAX, 4) +
    field("sequence", parts.sequence, SEQUENCE_MAX, 4);
  return digits as ClientOrderId;
}

function field(name: string, value: number, max: number, width: number): string {
  const fits = Number.isInteger(value) && value >= 0 && value <= max;
  assert(fits, `${name}: ${value} must be a whole number from 0 to ${max}`);
  return String(value).padStart(width, "0");
}
