// The way out to people: one message to one address of theirs. Interfaces only; implemented by adapters/notify and
// called by services/live/alarms.ts, never by anything that trades.
import type { Severity } from "../model/bot.ts";
import type { EpochMs } from "../model/time.ts";
import type { Secret } from "./vault.ts";

/** One thing people want to be told of; no secrets. */
export type Alarm = {
  /** Unique; a message that is tried again keeps it. */
  readonly id: string;
  /** A kind of event, `trading_state_changed` or `test`. */
  readonly kind: string;
  /** What it is about, e.g. `bot:12`. */
  readonly subject: string;
  readonly severity: Severity;
  readonly at: EpochMs;
  /** A few words. */
  readonly title: string;
  readonly sentence: string;
};

/** Where messages go. Addresses are secrets too: whoever knows one may write there. */
export type AlarmTarget = {
  readonly kind: "webhook" | "ntfy";
  readonly url: Secret;
  /** Signs webhooks, `whsec_` and base64; null for ntfy. */
  readonly signingSecret: Secret | null;
  /** Whether the address may lie in a private network or on this machine. */
  readonly mayBePrivate: boolean;
};

/** What became of one try; sentences never hold the address. */
export type Delivery =
  | { readonly outcome: "delivered" }
  | {
      readonly outcome: "failed";
      /** Trying again cannot help. */
      readonly isFinal: boolean;
      readonly sentence: string;
    };

/** Sends messages. */
export type Notifier = {
  /** One try; never throws but with the signal's reason. */
  deliver(target: AlarmTarget, alarm: Alarm, signal: AbortSignal): Promise<Delivery>;
};
