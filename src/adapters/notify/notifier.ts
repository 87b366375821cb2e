// Messages to people over one outgoing request: a signed webhook (Standard Webhooks 1.0) or a topic of ntfy. Built by
// the composition root; called by services/live/alarms.ts. It keeps nothing and tries once.
import { createHmac } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import type { Alarm, AlarmTarget, Delivery, Notifier } from "../../ports/notifier.ts";
import { type Resolve, systemResolve } from "./address-guard.ts";
import { post } from "./http-post.ts";

/** What the notifier works with. */
export type NotifierDeps = {
  readonly clock: Pick<Clock, "now">;
  /** Names itself to receivers, e.g. `Dragon/1.2.0`. */
  readonly userAgent: string;
  /** The system's own when absent. */
  readonly resolve?: Resolve;
};

const SECRET_PREFIX = "whsec_";
const PRIORITY = { debug: "2", info: "3", warning: "4", error: "5" } as const;

/** The notifier of this process. */
export function createNotifier({ clock, userAgent, resolve }: NotifierDeps): Notifier {
  return {
    async deliver(target, alarm, signal) {
      const text = target.url.reveal();
      if (!URL.canParse(text)) {
        return { outcome: "failed", isFinal: true, sentence: "the address is no URL" };
      }
      const { headers, body } = messageOf(target, alarm, clock.now());
      const posted = await post(
        {
          ...{ url: new URL(text), body, mayBePrivate: target.mayBePrivate },
          headers: { ...headers, "user-agent": userAgent },
        },
        resolve ?? systemResolve,
        signal,
      );
      return "status" in posted
        ? deliveryOf(posted.status)
        : { outcome: "failed", isFinal: posted.isFinal, sentence: posted.problem };
    },
  };
}

/** Any 2xx is taken; what the receiver will never take is not tried again. */
function deliveryOf(status: number): Delivery {
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  const isFinal = status >= 300 && status < 500 && status !== 408 && status !== 429;
  return { outcome: "failed", isFinal, sentence: `the receiver answered ${status}` };
}

function messageOf(target: AlarmTarget, alarm: Alarm, now: number) {
  return target.kind === "ntfy" ? ntfyMessage(alarm) : webhookMessage(target, alarm, now);
}

/** ntfy takes the text as the body; headers are ASCII only. */
function ntfyMessage({ title, sentence, severity, kind }: Alarm) {
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    title: title.replace(/[^\x20-\x7e]/g, "?"),
    priority: PRIORITY[severity],
    tags: kind,
  };
  return { headers, body: sentence };
}

function webhookMessage({ signingSecret }: AlarmTarget, alarm: Alarm, now: number) {
  const { id, kind, subject, severity, at, title, sentence } = alarm;
  const timestamp = new Date(at).toISOString();
  const body = JSON.stringify({
    type: `dragon.${kind}`,
    timestamp,
    data: { subject, severity, title, sentence },
  });
  const sentS = String(Math.floor(now / 1000));
  const key = Buffer.from((signingSecret?.reveal() ?? "").replace(SECRET_PREFIX, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${sentS}.${body}`).digest("base64");
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": sentS,
    "webhook-signature": `v1,${signature}`,
  };
  return { headers, body };
}
