// Where a workspace's alarms go: checked, sealed and kept in its settings. Used by alarms.ts alone; the address and the
// signing secret leave this file sealed or wrapped only.
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AlarmTarget } from "../../ports/notifier.ts";
import type { Json, SettingsStore } from "../../ports/settings-store.ts";
import type { Sealed, Vault } from "../../ports/vault.ts";
import { type FieldRefusal, refuseField } from "../desk/actor.ts";

/** As typed. */
export type TypedTarget = {
  readonly kind: string;
  readonly url: string;
  /** Empty keeps the stored one, or makes a new one. */
  readonly signingSecret: string;
  readonly mayBePrivate: string;
};

/** What is shown of it. */
export type TargetView = {
  readonly kind: AlarmTarget["kind"];
  /** Scheme and host; the rest of an address is as good as a password. */
  readonly place: string;
  readonly mayBePrivate: boolean;
  readonly setAt: EpochMs;
};

type Stored = {
  readonly kind: AlarmTarget["kind"];
  readonly place: string;
  readonly url: Sealed;
  readonly signingSecret: Sealed | null;
  readonly mayBePrivate: boolean;
  readonly setAt: EpochMs;
};

/** What targets are kept with. */
export type TargetDeps = {
  readonly settings: Pick<SettingsStore, "read" | "write">;
  readonly vault: Vault;
};

const KEY = "alarms";
const URL_CHARS_MAX = 2000;
const SECRET = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;
const SECRET_BYTES = 32;

const purposeOf = ({ workspaceId }: Pick<Scope, "workspaceId">, part: string) =>
  `alarms/${workspaceId}/${part}`;

/** The stored target without its secrets; null while there is none. */
export async function targetView(
  { settings }: Pick<TargetDeps, "settings">,
  scope: Scope,
): Promise<TargetView | null> {
  const stored = await readStored(settings, scope);
  if (stored === null) return null;
  const { kind, place, mayBePrivate, setAt } = stored;
  return { kind, place, mayBePrivate, setAt };
}

/** The stored target; null while there is none, `locked` when it was sealed under another master key. */
export async function openTarget(
  { settings, vault }: TargetDeps,
  scope: Scope,
): Promise<AlarmTarget | "locked" | null> {
  const stored = await readStored(settings, scope);
  if (stored === null) return null;
  const { kind, url, signingSecret, mayBePrivate } = stored;
  const open = (sealed: Sealed, part: string) => vault.open(sealed, purposeOf(scope, part));
  try {
    return {
      ...{ kind, mayBePrivate, url: open(url, "url") },
      signingSecret: signingSecret === null ? null : open(signingSecret, "secret"),
    };
  } catch {
    // A vault says no more than that it does not open.
    return "locked";
  }
}

/** Only this file writes the value. */
async function readStored(
  settings: Pick<SettingsStore, "read">,
  scope: Scope,
): Promise<Stored | null> {
  const value = (await settings.read(scope, KEY))?.value ?? null;
  return value === null ? null : (value as unknown as Stored);
}

/** Keeps a target. @returns a signing secret that was made here, to be shown once */
export async function storeTarget(
  { settings, vault }: TargetDeps,
  scope: Scope,
  typed: TypedTarget,
  at: EpochMs,
): Promise<{ readonly ok: true; readonly madeSecret: string | null } | FieldRefusal> {
  const kind = typed.kind === "webhook" || typed.kind === "ntfy" ? typed.kind : null;
  if (kind === null) {
    return refuseField("kind", `kind: "${typed.kind.slice(0, 40)}" must be webhook or ntfy`);
  }
  const url = checkUrl(typed.url);
  if ("ok" in url) return url;
  const given = typed.signingSecret.trim();
  if (given !== "" && !SECRET.test(given)) {
    const detail = "signing secret: it must be whsec_ and 24 to 64 bytes as base64";
    return refuseField("signingSecret", detail);
  }
  const before = await readStored(settings, scope);
  const isKept = kind === "webhook" && given === "" && before?.kind === "webhook";
  const madeSecret = kind === "webhook" && given === "" && !isKept ? newSecret() : null;
  const clear = madeSecret ?? given;
  const secret =
    kind === "ntfy"
      ? null
      : isKept
        ? (before?.signingSecret ?? null)
        : vault.seal(clear, purposeOf(scope, "secret"));
  const value: Json = {
    kind,
    place: `${url.protocol}//${url.host}`,
    url: vault.seal(url.href, purposeOf(scope, "url")),
    signingSecret: secret,
    mayBePrivate: typed.mayBePrivate === "yes",
    setAt: at,
  };
  await settings.write(scope, { key: KEY, value }, at);
  return { ok: true, madeSecret };
}

/** Forgets the target and its secrets, also in the history of the setting. */
export async function dropTarget(
  { settings }: Pick<TargetDeps, "settings">,
  scope: Scope,
  at: EpochMs,
): Promise<void> {
  await settings.write(scope, { key: KEY, value: null }, at);
  await settings.write(scope, { key: KEY, value: null }, at);
}

function checkUrl(typed: string): URL | FieldRefusal {
  const text = typed.trim();
  if (text.length > URL_CHARS_MAX || !URL.canParse(text)) {
    return refuseField(
      "url",
      "address: it must be a complete address such as https://ntfy.sh/topic",
    );
  }
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return refuseField("url", `address: ${url.protocol} is not allowed; https is`);
  }
  if (url.username !== "" || url.password !== "") {
    return refuseField("url", "address: a name or password in it is not allowed");
  }
  return url;
}

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return `whsec_${Buffer.from(bytes).toString("base64")}`;
}
