// The first owner: the one-time link, its states, and the creation. Used by the set-up page and by
// `dragon admin create-owner`. Only the hash of a link is stored; passwords are hashed here.
import { createHash, randomBytes } from "node:crypto";
import type { AccessStore, OwnerRefusal, SetupLinkState } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { Clock } from "../../ports/clock.ts";
import { hashPassword, passwordProblem } from "./passwords.ts";

export const SETUP_LINK_MS = 24 * 3_600_000;

/** What a set-up link answers. */
export type LinkState = SetupLinkState;

/** The owner as typed by a person. */
export type OwnerRequest = {
  readonly email: string;
  readonly password: string;
  readonly timeZone: string;
};

/** Created, or why not: a field that was refused, or a link that is closed. */
export type OwnerOutcome =
  | { readonly ok: true; readonly email: string }
  | {
      readonly ok: false;
      readonly reason: "refused";
      readonly field: "email" | "password" | "timeZone";
      readonly detail: string;
    }
  | { readonly ok: false; readonly reason: Exclude<LinkState, "open"> };

/** What set-up needs. */
export type SetupDeps = {
  readonly access: Pick<
    AccessStore,
    "hasOwner" | "createSetupLink" | "setupLinkState" | "createOwner"
  >;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
};

/** The set-up of a fresh Dragon. */
export type Setup = {
  hasOwner(): Promise<boolean>;
  /** A new link word; every earlier one stops working. */
  issueLink(): Promise<string>;
  linkState(token: string): Promise<LinkState>;
  createOwner(token: string, request: OwnerRequest): Promise<OwnerOutcome>;
  /** Without a link, for the command line of the machine itself. */
  createOwnerLocally(request: OwnerRequest): Promise<OwnerOutcome>;
};

/** SHA-256 of a token as lower-case hex. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** 256 random bits as a word for addresses and headers. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Why an e-mail is refused, as a sentence; undefined when it is good. */
export function emailProblem(email: string): string | undefined {
  if (email.length <= 254 && /^[^\s@<>",;:\\]+@[^\s@<>",;:\\]+$/.test(email)) return undefined;
  return `email: "${email.slice(0, 100)}" must be an address such as name@example.org`;
}

/** Why a time zone is refused, as a sentence; undefined when it is good. */
export function timeZoneProblem(zone: string): string | undefined {
  if (zone === "UTC" || Intl.supportedValuesOf("timeZone").includes(zone)) return undefined;
  return `time zone: "${zone.slice(0, 60)}" must be an IANA name such as UTC or Europe/Vienna`;
}

/** Builds the set-up service. */
export function createSetup(deps: SetupDeps): Setup {
  const { access, clock } = deps;
  return {
    hasOwner: () => access.hasOwner(),
    async issueLink() {
      const token = newToken();
      const at = clock.now();
      const link = { tokenHash: hashToken(token), expiresAt: at + SETUP_LINK_MS };
      await access.createSetupLink(link, at);
      return token;
    },
    async linkState(token) {
      if (await access.hasOwner()) return "used";
      return access.setupLinkState(hashToken(token), clock.now());
    },
    createOwner: (token, request) => create(deps, hashToken(token), request),
    createOwnerLocally: (request) => create(deps, null, request),
  };
}

async function create(
  deps: SetupDeps,
  setupTokenHash: string | null,
  request: OwnerRequest,
): Promise<OwnerOutcome> {
  const email = request.email.trim();
  const refused = firstProblem(email, request);
  if (refused) return { ok: false, reason: "refused", ...refused };
  const passwordHash = await hashPassword(request.password, email);
  const at = deps.clock.now();
  const created = await deps.access.createOwner(
    { email, passwordHash, timeZone: request.timeZone, setupTokenHash },
    at,
  );
  if (!created.ok) return refusal(created.reason, email);
  const { user, workspace } = created.value;
  await deps.audit.append(
    { workspaceId: workspace.id, userId: user.id, role: "owner" },
    {
      actorId: setupTokenHash === null ? null : user.id,
      actor: setupTokenHash === null ? "command line" : email,
      action: "owner_created",
      object: `user:${user.id}`,
      before: null,
      after: { email, timeZone: request.timeZone },
    },
    at,
  );
  return { ok: true, email };
}

function firstProblem(email: string, { password, timeZone }: OwnerRequest) {
  const problems = [
    { field: "email", detail: emailProblem(email) },
    { field: "password", detail: passwordProblem(password, email) },
    { field: "timeZone", detail: timeZoneProblem(timeZone) },
  ] as const;
  for (const { field, detail } of problems) if (detail !== undefined) return { field, detail };
  return undefined;
}

function refusal(reason: OwnerRefusal, email: string): OwnerOutcome {
  switch (reason) {
    case "email_taken":
      return {
        ok: false,
        reason: "refused",
        field: "email",
        detail: `email: "${email}" already belongs to a user`,
      };
    case "owner_exists":
    case "setup_link_used":
      return { ok: false, reason: "used" };
    case "setup_link_expired":
      return { ok: false, reason: "expired" };
    case "setup_link_unknown":
      return { ok: false, reason: "unknown" };
  }
}
