// `dragon admin …`: users and the master key from the machine's own command line, for set-up without a
// browser and for rescue. Secrets come from stdin or a file; a token is printed once.
import { InputError } from "../model/result.ts";
import type { Role } from "../ports/access-store.ts";
import { createSetup } from "../services/desk/setup.ts";
import { createUsers, ROLES, TOKEN_DAYS_MAX } from "../services/desk/users.ts";
import { rotateKeyCommand } from "./admin-keys.ts";
import {
  type Command,
  type CommandContext,
  commandGroup,
  EXIT,
  type OpenStores,
  optionInteger,
  optionText,
  requiredText,
} from "./command.ts";
import { PASSWORD_HELP, PASSWORD_OPTIONS, readPassword } from "./secret-input.ts";

const EMAIL = { email: { type: "string" } } as const;
const ZONE = { "time-zone": { type: "string" } } as const;
const ZONE_HELP = "IANA name such as Europe/Vienna; UTC when absent.";

async function withStores<T>(
  context: CommandContext,
  use: (stores: OpenStores) => Promise<T>,
): Promise<T> {
  const stores = await context.openDatabase();
  try {
    return await use(stores);
  } finally {
    await stores.close();
  }
}

function report(context: CommandContext, data: Record<string, unknown>, sentence: string): number {
  context.out(context.json ? JSON.stringify(data) : sentence);
  return EXIT.ok;
}

const createOwner: Command = {
  name: "create-owner",
  summary: "Creates the owner of a fresh Dragon.",
  usage: "--email ADDRESS [--time-zone ZONE] [--password-file FILE] < password",
  options: { ...EMAIL, ...ZONE, ...PASSWORD_OPTIONS },
  optionHelp: { email: "Name for signing in.", "time-zone": ZONE_HELP, ...PASSWORD_HELP },
  async run(context) {
    const email = requiredText(context, "email");
    const timeZone = optionText(context, "time-zone") ?? "UTC";
    const password = await readPassword(context);
    return withStores(context, async ({ access, audit }) => {
      const setup = createSetup({ access, audit, clock: context.clock });
      const outcome = await setup.createOwnerLocally({ email, password, timeZone });
      if (outcome.ok) {
        return report(
          context,
          { email: outcome.email, role: "owner" },
          `owner ${outcome.email} created`,
        );
      }
      if (outcome.reason === "refused") throw new InputError(outcome.detail);
      context.err("dragon: this Dragon already has an owner; dragon admin create-user adds users");
      return EXIT.failed;
    });
  },
};

const createUser: Command = {
  name: "create-user",
  summary: "Adds a user.",
  usage: "--email ADDRESS [--role ROLE] [--time-zone ZONE] [--password-file FILE] < password",
  options: { ...EMAIL, role: { type: "string" }, ...ZONE, ...PASSWORD_OPTIONS },
  optionHelp: {
    email: "Name for signing in.",
    role: "owner, trader or viewer; viewer when absent.",
    "time-zone": ZONE_HELP,
    ...PASSWORD_HELP,
  },
  async run(context) {
    const email = requiredText(context, "email");
    const role = readRole(optionText(context, "role") ?? "viewer");
    const timeZone = optionText(context, "time-zone") ?? "UTC";
    const password = await readPassword(context);
    return withStores(context, async ({ access, audit }) => {
      const users = createUsers({ access, audit, clock: context.clock });
      const user = await users.createUser({ email, password, role, timeZone });
      return report(context, { email: user.email, role }, `${role} ${user.email} created`);
    });
  },
};

function readRole(text: string): Role {
  const role = ROLES.find((each) => each === text);
  if (!role) throw new InputError(`--role: "${text}" must be one of ${ROLES.join(", ")}`);
  return role;
}

const resetPassword: Command = {
  name: "reset-password",
  summary: "Sets a new password and ends the user's sessions.",
  usage: "--email ADDRESS [--password-file FILE] < password",
  options: { ...EMAIL, ...PASSWORD_OPTIONS },
  optionHelp: { email: "Whose password.", ...PASSWORD_HELP },
  async run(context) {
    const email = requiredText(context, "email");
    const password = await readPassword(context);
    return withStores(context, async ({ access, audit }) => {
      const users = createUsers({ access, audit, clock: context.clock });
      const user = await users.resetPassword(email, password);
      return report(context, { email: user.email }, `new password set for ${user.email}`);
    });
  },
};

const token: Command = {
  name: "token",
  summary: "Makes an API token and prints it once.",
  usage: "--email ADDRESS --name NAME [--scopes read,trade,admin] [--days N]",
  options: {
    ...EMAIL,
    name: { type: "string" },
    scopes: { type: "string" },
    days: { type: "string" },
  },
  optionHelp: {
    email: "The user it acts for.",
    name: "What it is for.",
    scopes: "What it may do, separated by commas; read when absent.",
    days: `Days until it expires, 1 to ${TOKEN_DAYS_MAX}; 90 when absent.`,
  },
  async run(context) {
    const email = requiredText(context, "email");
    const name = requiredText(context, "name");
    const scopes = (optionText(context, "scopes") ?? "read")
      .split(",")
      .map((scope) => scope.trim());
    const days = optionInteger(context, "days", { min: 1, max: TOKEN_DAYS_MAX }) ?? 90;
    return withStores(context, async ({ access, audit }) => {
      const users = createUsers({ access, audit, clock: context.clock });
      const made = await users.createToken({ email, name, scopes, days });
      if (!context.json) context.err("This token is shown once; keep it like a password.");
      return report(context, { ...made, name, scopes }, made.token);
    });
  },
};

/** The rescue commands. */
export const adminCommand: Command = commandGroup(
  "admin",
  "Creates users, passwords and tokens; changes the master key.",
  [
    createOwner,
    createUser,
    resetPassword,
    token,
    rotateKeyCommand((context, typed) => context.program.rotateKey(typed)),
  ],
);
