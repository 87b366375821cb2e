// `dragon preflight`, `dragon arm` and `dragon disarm`: what the page of an account does before and after real money,
// from the machine's own command line. The same checks, the same typed words, the same audit entries; nothing here
// decides. Whoever may start these commands acts as the person they name.
import { InputError } from "../model/result.ts";
import type { AccessStore, Member, User } from "../ports/access-store.ts";
import type { AccountStore, TradingAccount } from "../ports/account-store.ts";
import type { Actor } from "../services/desk/actor.ts";
import type { AccountLive } from "../services/live/account-live.ts";
import type { PreflightRun } from "../services/live/preflight.ts";
import {
  type Command,
  type CommandContext,
  EXIT,
  optionFlag,
  optionText,
  requiredText,
} from "./command.ts";

/** What the commands work with; `close` must be called, also after a failure. */
export type OpenArming = {
  readonly live: Pick<AccountLive, "begin" | "whenEnded" | "live" | "arm" | "disarm">;
  readonly accounts: Pick<AccountStore, "list">;
  readonly access: Pick<
    AccessStore,
    "hasOwner" | "defaultWorkspace" | "listMembers" | "findLogin" | "membershipsOf"
  >;
  close(): Promise<void>;
};

const EMAIL = { email: { type: "string" } } as const;
const EMAIL_HELP = "Who does it; may be left out while there is one owner.";
const ONE_ACCOUNT = { min: 1, max: 1 } as const;
const REFUSED: readonly [code: number, meaning: string] = [
  EXIT.refused,
  "the command line is wrong, or the typed word is; nothing is changed",
];

/** Checks an account before it trades real money. */
export const preflightCommand: Command = {
  name: "preflight",
  summary: "Checks an account before it trades real money, and keeps the result.",
  usage: "ACCOUNT [--email ADDRESS] [--json]",
  options: EMAIL,
  optionHelp: { email: EMAIL_HELP },
  positionals: ONE_ACCOUNT,
  exitCodes: [
    [EXIT.ok, "no check failed; there may be warnings"],
    [EXIT.failed, "a check failed, or the pre-flight could not be made"],
    REFUSED,
  ],
  run: (context) =>
    withAccount(context, async ({ live }, { actor: { scope }, account }) => {
      const begun = await live.begin(scope, account.id);
      if (!begun.ok) return refuse(context, begun.detail);
      await new Promise<void>((resolve) => {
        live.whenEnded(account.id, resolve);
      });
      const { run, making } = await live.live(scope, account.id);
      if (run === null || making !== null)
        return refuse(context, "the pre-flight was not finished");
      if (context.json) context.out(JSON.stringify({ ...named(account), ...shown(run) }));
      else for (const line of report(account, run)) context.out(line);
      return run.level === "fail" ? EXIT.failed : EXIT.ok;
    }),
};

/** Lets an account trade real money. */
export const armCommand: Command = {
  name: "arm",
  summary: "Lets an account trade real money, after its pre-flight.",
  usage: "ACCOUNT --confirm NAME --key-backup [--email ADDRESS] [--json]",
  options: { confirm: { type: "string" }, "key-backup": { type: "boolean" }, ...EMAIL },
  optionHelp: {
    confirm: "The name of the account once more, to the letter.",
    "key-backup": "Says that the master key is kept away from this machine too.",
    email: EMAIL_HELP,
  },
  positionals: ONE_ACCOUNT,
  exitCodes: [
    [EXIT.ok, "the account trades real money"],
    [EXIT.failed, "refused: no fresh pre-flight without a failure, or not the rights of an owner"],
    REFUSED,
  ],
  async run(context) {
    const typedName = requiredText(context, "confirm");
    const hasKeyBackup = optionFlag(context, "key-backup");
    return withAccount(context, async ({ live }, { actor, account }) => {
      const armed = await live.arm(actor, { accountId: account.id, typedName, hasKeyBackup });
      if (armed.ok) {
        const sentence = `${account.name} is armed: its bots trade real money now`;
        return told(context, account, { isArmed: true }, sentence);
      }
      if (armed.reason === "wrong_name") throw new InputError(`--confirm: ${armed.detail}`);
      if (armed.reason === "key_backup_missing") {
        throw new InputError(`--key-backup is missing: ${armed.detail}`);
      }
      const hint = armed.reason === "never_checked" ? ` (dragon preflight ${account.id})` : "";
      return refuse(context, `${armed.detail}${hint}`);
    });
  },
};

/** Takes an account off real money. */
export const disarmCommand: Command = {
  name: "disarm",
  summary: "Freezes an account until a pre-flight arms it again.",
  usage: "ACCOUNT --confirm DISARM [--email ADDRESS] [--json]",
  options: { confirm: { type: "string" }, ...EMAIL },
  optionHelp: {
    confirm: "The word DISARM. Orders at the exchange stay and may still be executed.",
    email: EMAIL_HELP,
  },
  positionals: ONE_ACCOUNT,
  exitCodes: [
    [EXIT.ok, "the account is frozen"],
    [EXIT.failed, "refused: no live account, or not the rights of a trader"],
    REFUSED,
  ],
  async run(context) {
    const typedWord = requiredText(context, "confirm");
    return withAccount(context, async ({ live }, { actor, account }) => {
      const off = await live.disarm(actor, { accountId: account.id, typedWord });
      if (off.ok) {
        const sentence = `${account.name} is frozen until a pre-flight arms it again`;
        return told(context, account, { isArmed: false }, sentence);
      }
      if (off.reason === "wrong_word") throw new InputError(`--confirm: ${off.detail}`);
      return refuse(context, off.detail);
    });
  },
};

type Subject = { readonly actor: Actor; readonly account: TradingAccount };

async function withAccount(
  context: CommandContext,
  use: (opened: OpenArming, subject: Subject) => Promise<number>,
): Promise<number> {
  const opened = await context.program.openArming();
  try {
    return await use(opened, await subjectOf(context, opened));
  } finally {
    await opened.close();
  }
}

/** The account by its name or number, among those of the person's workspaces. */
async function subjectOf(
  context: CommandContext,
  { access, accounts }: OpenArming,
): Promise<Subject> {
  const [wanted = ""] = context.args;
  const user = await personOf(access, optionText(context, "email"));
  const all: Subject[] = [];
  for (const { id: workspaceId, role } of await access.membershipsOf(user.id)) {
    const scope = { workspaceId, userId: user.id, role };
    for (const account of await accounts.list(scope)) all.push({ actor: { scope, user }, account });
  }
  const byName = all.filter(({ account }) => account.name === wanted);
  const found =
    byName.length > 0 ? byName : all.filter(({ account }) => String(account.id) === wanted);
  const [subject, ...more] = found;
  if (subject !== undefined && more.length === 0) return subject;
  const known = (found.length > 0 ? found : all)
    .map(({ account }) => `${account.id} ${account.name}`)
    .join(", ");
  const what = subject === undefined ? "no account of" : "several accounts of";
  const choice = known === "" ? "there is none" : `there is ${known}`;
  throw new InputError(`account: "${wanted}" is ${what} ${user.email}; ${choice}`);
}

async function personOf(access: OpenArming["access"], email: string | undefined): Promise<User> {
  if (email !== undefined) {
    const user = (await access.findLogin(email))?.user;
    if (user?.disabledAt === null) return user;
    throw new InputError(`--email: "${email}" is nobody who may sign in here`);
  }
  const [owner, ...more] = await ownersOf(access);
  if (owner !== undefined && more.length === 0) return owner;
  if (owner === undefined) throw new InputError("--email is missing: there is no owner to act as");
  const names = [owner, ...more].map((each) => each.email).join(", ");
  throw new InputError(`--email is missing: there is more than one owner, ${names}`);
}

async function ownersOf(access: OpenArming["access"]): Promise<readonly Member[]> {
  // Asking for the first workspace would make one.
  if (!(await access.hasOwner())) return [];
  const { id: workspaceId } = await access.defaultWorkspace(0);
  const members = await access.listMembers({ workspaceId, userId: null, role: "owner" });
  return members.filter(({ role, disabledAt }) => role === "owner" && disabledAt === null);
}

const named = ({ id, name }: TradingAccount) => ({ account: { id, name } });

function shown({ level, at, checks }: PreflightRun) {
  return { isPassed: level !== "fail", level, at, checks };
}

function report({ name }: TradingAccount, { level, checks }: PreflightRun): string[] {
  const width = Math.max(...checks.map(({ key }) => key.length));
  const lines = checks.flatMap((check) => [
    `${check.level}  ${check.key.padEnd(width)}  ${check.sentence}`,
    ...(check.remedy === null ? [] : [`      ${"".padEnd(width)}→ ${check.remedy}`]),
  ]);
  const failed = checks.filter((check) => check.level === "fail").length;
  const verdict =
    level === "fail"
      ? `${failed} ${failed === 1 ? "check" : "checks"} failed: ${name} cannot be armed`
      : `nothing failed: ${name} may be armed within ten minutes`;
  return [...lines, "", verdict];
}

function told(
  context: CommandContext,
  account: TradingAccount,
  data: Record<string, unknown>,
  sentence: string,
): number {
  context.out(context.json ? JSON.stringify({ ...named(account), ...data }) : sentence);
  return EXIT.ok;
}

function refuse(context: CommandContext, detail: string): number {
  context.err(`dragon: ${detail}`);
  return EXIT.failed;
}
