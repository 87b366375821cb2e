// `preflight`, `arm` and `disarm` as a person types them: who is acted for, which account is meant, what has to be
// typed, what is printed and with which exit code it ends. The exchange is the simulated one over loopback; the
// composition of the real program is tried once on a database of its own.
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createAuditRepository } from "../../src/adapters/postgres/audit-repository.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { settleMasterKey } from "../../src/adapters/vault/master-key.ts";
import { createVault } from "../../src/adapters/vault/vault.ts";
import type { Chosen } from "../../src/cli/arguments.ts";
import type { OpenArming } from "../../src/cli/arming.ts";
import type { CommandContext, Program } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { parseMasterKey, readConfig } from "../../src/config.ts";
import { RUN_FRESH_MS } from "../../src/services/live/preflight.ts";
import { sealCredentials } from "../../src/services/desk/credential-seal.ts";
import { createStorage, deskStores } from "../../src/storage.ts";
import { dataFolder, dragon } from "../support/dragon.ts";
import { silentLog } from "../support/silent-log.ts";
import { ACCOUNT_NAME, type LiveAccountCase, liveAccountCase } from "../web/live-account-case.ts";

const LIMIT_MS = 60_000;
const OWNER = ["--email", "owner@alpha.example"];
const ARM = ["arm", ACCOUNT_NAME, "--confirm", ACCOUNT_NAME, "--key-backup", ...OWNER];
const DISARM = ["disarm", ACCOUNT_NAME, "--confirm", "DISARM"];

let world: LiveAccountCase;
let closed: number;

beforeEach(async () => {
  world = await liveAccountCase();
  closed = 0;
}, LIMIT_MS);
afterEach(() => world.close());

/** Runs a command line over the world's own services. */
async function run(argv: readonly string[]) {
  const [lines, errors]: [string[], string[]] = [[], []];
  const { made } = world;
  const openArming = async (): Promise<OpenArming> => ({
    live: made.deps.accountLive,
    accounts: createAccountRepository(made.database.sql),
    access: made.access,
    async close() {
      closed += 1;
    },
  });
  const contextOf = ({ args, values }: Chosen): Partial<CommandContext> => ({
    ...{ args, values, json: values.json === true },
    out: (line) => void lines.push(line),
    err: (line) => void errors.push(line),
    program: { openArming } as Partial<Program> as Program,
  });
  const code = await dispatch(
    {
      commands: COMMANDS,
      out: (line) => void lines.push(line),
      err: (line) => void errors.push(line),
      isForPeople: () => false,
      createContext: (chosen) => contextOf(chosen) as CommandContext,
    },
    argv,
  );
  return { code, out: lines.join("\n"), err: errors.join("\n") };
}

async function states() {
  const { states: rows } = await world.control.read(world.alpha.scope);
  return Object.fromEntries(rows.map(({ scope, state }) => [scope.kind, state]));
}

async function noted(action: string) {
  const audit = createAuditRepository(world.made.database.sql);
  const entries = await audit.list(world.alpha.scope, { limit: 50 });
  return entries.filter((entry) => entry.action === action);
}

describe("a pre-flight by command", () => {
  test(
    "prints every check with its remedy and ends with 0 while nothing failed",
    async () => {
      const { code, out } = await run(["preflight", ACCOUNT_NAME, ...OWNER]);
      expect(out).toContain("Set up a way out for alarms.");
      expect(out).toMatch(/^pass {2}credentials +\S/m);
      expect(out).toContain(`nothing failed: ${ACCOUNT_NAME} may be armed within ten minutes`);
      expect([code, closed]).toEqual([0, 1]);
      const json = await run(["preflight", String(world.id), "--json", ...OWNER]);
      const answer = JSON.parse(json.out) as Record<string, unknown>;
      expect(answer).toMatchObject({ account: { id: world.id }, isPassed: true, level: "warn" });
    },
    LIMIT_MS,
  );

  test(
    "ends with 1 when a check failed, and then nothing is armed",
    async () => {
      const permissions = { mayTrade: true, mayWithdraw: true, isAddressBound: null };
      world.held.broker = { permissions: async () => permissions };
      const { code, out } = await run(["preflight", ACCOUNT_NAME, ...OWNER]);
      expect([code, out.includes("1 check failed: Main account cannot be armed")]).toEqual([
        1,
        true,
      ]);
      expect(out).toMatch(/^fail {2}withdraw_permission/m);
      const armed = await run(ARM);
      expect([armed.code, armed.err.includes("1 checks failed")]).toEqual([1, true]);
      expect(await states()).toEqual({ live: "frozen" });
    },
    LIMIT_MS,
  );

  test(
    "is kept where the page of the account shows it",
    async () => {
      await run(["preflight", ACCOUNT_NAME, ...OWNER]);
      const page = await (await world.browser("owner")).get(world.path);
      expect(await page.text()).toContain("Arm with real money");
    },
    LIMIT_MS,
  );
});

describe("arming by command", () => {
  test(
    "wants a fresh run, the name and the word on the master key; disarming wants its word",
    async () => {
      const early = await run(ARM);
      expect([early.code, early.err]).toEqual([
        1,
        `dragon: run the pre-flight first (dragon preflight ${world.id})`,
      ]);
      await run(["preflight", ACCOUNT_NAME, ...OWNER]);
      const wrong = await run(["arm", ACCOUNT_NAME, "--confirm", "main", "--key-backup", ...OWNER]);
      expect([wrong.code, wrong.err.includes("--confirm: type the name")]).toEqual([2, true]);
      const bare = await run(["arm", ACCOUNT_NAME, "--confirm", ACCOUNT_NAME, ...OWNER]);
      expect([bare.code, bare.err.includes("--key-backup is missing")]).toEqual([2, true]);
      expect(await states()).toEqual({ live: "frozen" });
      const armed = await run(ARM);
      expect([armed.code, armed.out]).toEqual([
        0,
        "Main account is armed: its bots trade real money now",
      ]);
      expect(await states()).toEqual({ live: "active", account: "active" });
      expect(await noted("live_armed")).toMatchObject([{ actor: "owner@alpha.example" }]);
      const small = await run(["disarm", ACCOUNT_NAME, "--confirm", "disarm", ...OWNER]);
      expect([small.code, small.err.includes("--confirm: type DISARM")]).toEqual([2, true]);
      const off = await run([...DISARM, "--email", "trader@alpha.example", "--json"]);
      expect(JSON.parse(off.out)).toMatchObject({ isArmed: false, account: { id: world.id } });
      expect(await states()).toEqual({ live: "frozen", account: "frozen" });
      expect(await noted("live_disarmed")).toMatchObject([{ actor: "trader@alpha.example" }]);
    },
    LIMIT_MS,
  );

  test(
    "is refused when the run is old",
    async () => {
      await run(["preflight", ACCOUNT_NAME, ...OWNER]);
      world.made.advance(RUN_FRESH_MS + 1000);
      const late = await run(ARM);
      expect([late.code, late.err.includes("run it again")]).toEqual([1, true]);
    },
    LIMIT_MS,
  );

  test(
    "needs the rights it needs on the page",
    async () => {
      const trader = await run([...ARM.slice(0, -1), "trader@alpha.example"]);
      expect([trader.code, trader.err.includes("only an owner")]).toEqual([1, true]);
      for (const command of [["preflight", ACCOUNT_NAME], DISARM]) {
        const viewer = await run([...command, "--email", "viewer@alpha.example"]);
        expect([viewer.code, viewer.err.includes("rights of a trader")]).toEqual([1, true]);
      }
    },
    LIMIT_MS,
  );
});

test(
  "who acts and which account is meant is said, or refused with what there is",
  async () => {
    const { made, actor } = world;
    const paper = { exchange: "woox", mode: "paper", apiKey: "", apiSecret: "", passphrase: "" };
    await made.deps.tradingAccounts.create(actor, { ...paper, name: "Paper" });
    const REFUSED: [argv: string[], code: number, says: string][] = [
      [["preflight"], 2, "needs an argument"],
      [["preflight", "Paper", "Main"], 2, "does not take the argument"],
      [["preflight", "Other", ...OWNER], 2, `there is ${world.id} ${ACCOUNT_NAME}`],
      [["preflight", ACCOUNT_NAME, "--email", "x@y.z"], 2, "nobody who may sign in"],
      [["preflight", ACCOUNT_NAME, "--email", "owner@beta.example"], 2, "there is none"],
      [["preflight", "Paper", ...OWNER], 1, "trades no real money"],
      [["arm", ACCOUNT_NAME, ...OWNER], 2, "--confirm is missing"],
      [["disarm", "Paper", "--confirm", "DISARM", ...OWNER], 1, "is never armed"],
    ];
    for (const [argv, code, says] of REFUSED) {
      const { code: ended, out, err } = await run(argv);
      expect([argv, ended, err.includes(says), out]).toEqual([argv, code, true, ""]);
    }
    for (const name of ["preflight", "arm", "disarm"]) {
      const { out } = await run([name, "--help"]);
      expect(out).toMatch(/exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /);
    }
  },
  LIMIT_MS,
);

describe("the real program", () => {
  const folder = dataFolder();
  const env = { DRAGON_DATA_DIR: folder.path };
  afterAll(() => folder.remove());

  test(
    "acts as the only owner, on the account's stored keys",
    async () => {
      const stdin = "plum-harbour-nine-otters";
      const email = "ann@example.org";
      expect((await dragon(["admin", "create-owner", "--email", email], { env, stdin })).code).toBe(
        0,
      );
      await addAccount(folder.path, email);
      const off = await dragon(["disarm", "Main", "--confirm", "DISARM"], { env });
      expect(off).toEqual({
        ...{ code: 0, stderr: "" },
        stdout: "Main is frozen until a pre-flight arms it again\n",
      });
      const early = await dragon(["arm", "1", "--confirm", "Main", "--key-backup"], { env });
      expect([early.code, early.stderr]).toEqual([
        1,
        "dragon: run the pre-flight first (dragon preflight 1)\n",
      ]);
    },
    LIMIT_MS * 2,
  );
});

async function addAccount(dataDir: string, email: string): Promise<void> {
  const clock = createClock();
  const config = readConfig({ DRAGON_DATA_DIR: dataDir });
  const database = await createStorage({ config, log: silentLog, clock }).openRaw("command");
  try {
    const { access, settings } = deskStores(database);
    const deps = { dataDir, fromEnvironment: undefined, parse: parseMasterKey };
    const { bytes } = await settleMasterKey(deps, settings, clock.now());
    const vault = createVault(bytes);
    const user = (await access.findLogin(email))?.user;
    const [workspace] = user ? await access.membershipsOf(user.id) : [];
    if (!user || !workspace) throw new Error("the owner was not created");
    const scope = { workspaceId: workspace.id, userId: user.id, role: workspace.role };
    const secret = vault.conceal("a-secret-of-an-exchange");
    const clear = { apiKey: secret, apiSecret: secret, passphrase: null, uid: null };
    const made = await createAccountRepository(database.sql).create(
      scope,
      { name: "Main", exchangeId: "woox", mode: "live" },
      { keyId: vault.keyId, maskedKey: "•••", seal: (row) => sealCredentials(vault, row, clear) },
      clock.now(),
    );
    if (!made.ok) throw new Error(made.detail);
  } finally {
    await database.close();
  }
}
