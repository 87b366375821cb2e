// `admin rotate-key` over a bundled database of its own and real key files: where the new key comes from,
// what is printed, what is refused, and that stored keys still open afterwards.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { settleMasterKey } from "../../src/adapters/vault/master-key.ts";
import { createVault, keyIdOf } from "../../src/adapters/vault/vault.ts";
import { rotateKeyCommand } from "../../src/cli/admin-keys.ts";
import type { CommandContext } from "../../src/cli/command.ts";
import { parseMasterKey, readConfig } from "../../src/config.ts";
import { rotateKey } from "../../src/key-rotation.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import { createStorage, deskStores } from "../../src/storage.ts";
import { openCredentials, sealCredentials } from "../../src/services/desk/credential-seal.ts";
import { dataFolder } from "../support/dragon.ts";
import { silentLog, testScope } from "../support/test-database.ts";

const folder = dataFolder();
const clock = createClock();
const config = readConfig({ DRAGON_DATA_DIR: folder.path });
const storage = createStorage({ config, log: silentLog, clock });
const newKey = () => randomBytes(32).toString("base64");
let scope: Scope;
let id: AccountId;

/** The key this data folder and its database belong to. */
async function settled() {
  const database = await storage.openRaw("command");
  const deps = { dataDir: folder.path, fromEnvironment: undefined, parse: parseMasterKey };
  const { bytes } = await settleMasterKey(deps, deskStores(database).settings, clock.now());
  return { database, bytes, vault: createVault(bytes) };
}

beforeAll(async () => {
  await storage.migrateOnly();
  const { database, vault } = await settled();
  scope = await testScope(database.sql, "one");
  const secret = vault.conceal("a-secret-of-an-exchange");
  const clear = { apiKey: secret, apiSecret: secret, passphrase: null, uid: null };
  const made = await createAccountRepository(database.sql).create(
    scope,
    { name: "Main", exchangeId: "woox", mode: "live" },
    { keyId: vault.keyId, maskedKey: "•••", seal: (row) => sealCredentials(vault, row, clear) },
    clock.now(),
  );
  if (!made.ok) throw new Error(made.detail);
  id = made.value.id;
  await database.close();
}, 60_000);
afterAll(() => folder.remove());

/** Runs the command as main.ts does. */
async function run(stdin: string, options: { file?: string; json?: boolean } = {}) {
  const lines: string[] = [];
  const values = options.file === undefined ? {} : { "new-key-file": options.file };
  const context: Partial<CommandContext> = {
    values,
    json: options.json ?? false,
    out: (line) => void lines.push(line),
    readStdin: async () => stdin,
  };
  const command = rotateKeyCommand((_context, typed) =>
    rotateKey({ config, storage, clock }, typed),
  );
  const code = await command.run(context as CommandContext);
  return { code, printed: lines.join("\n") };
}

async function openedNow(): Promise<string> {
  const { database, vault } = await settled();
  try {
    const sealed = await createAccountRepository(database.sql).useCredential(
      scope,
      id,
      clock.now(),
    );
    return sealed ? openCredentials(vault, sealed).apiSecret.reveal() : "";
  } finally {
    await database.close();
  }
}

test("the new key comes from stdin, is never printed, and everything opens with it", async () => {
  const before = readFileSync(join(folder.path, "master.key"), "utf8").trim();
  const key = newKey();
  const { code, printed } = await run(`${key}\n`);
  expect(code).toBe(0);
  expect(printed).toContain("1 set of keys sealed anew");
  expect(printed).toContain("restart Dragon");
  for (const secret of [key, before]) expect(printed).not.toContain(secret);
  expect(readFileSync(join(folder.path, "master.key"), "utf8").trim()).toBe(key);
  const kept = join(folder.path, `master.key.${keyIdOf(parseMasterKey(before, "x"))}`);
  expect(printed).toContain(kept);
  expect(readFileSync(kept, "utf8").trim()).toBe(before);
  expect(await openedNow()).toBe("a-secret-of-an-exchange");
}, 60_000);

test("the new key comes from a file, the answer is JSON, and the instance's audit log knows", async () => {
  const file = join(folder.path, "next.txt");
  const key = newKey();
  writeFileSync(file, key, { mode: 0o600 });
  const { printed } = await run("", { file, json: true });
  const answer = JSON.parse(printed) as Record<string, unknown>;
  expect(answer).toMatchObject({ toKeyId: keyIdOf(parseMasterKey(key, "x")), credentials: 1 });
  expect(await openedNow()).toBe("a-secret-of-an-exchange");
  const { database } = await settled();
  const [entry] = await deskStores(database).audit.listInstance({ limit: 1 });
  await database.close();
  expect(entry).toMatchObject({
    ...{ action: "master_key_changed", actor: "command line" },
    ...{ before: { keyId: answer.fromKeyId }, after: { keyId: answer.toKeyId, credentials: 1 } },
  });
  expect(JSON.stringify(entry)).not.toContain(key);
}, 60_000);

const REFUSED: [what: string, stdin: string, file: string | undefined, says: string][] = [
  ["nothing", " \n", undefined, "nothing came from stdin; make one with: openssl rand -base64 32"],
  ["a word", "hunter2", undefined, "the new master key: the value (7 characters, not shown)"],
  ["a placeholder", "A".repeat(43), undefined, "must be 32 random bytes"],
  ["an absent file", "", "/nonexistent", '--new-key-file: "/nonexistent" cannot be read (ENOENT)'],
];
for (const [what, stdin, file, says] of REFUSED) {
  test(`${what} is refused with a sentence and nothing is changed`, async () => {
    const before = readdirSync(folder.path).sort();
    await expect(run(stdin, file === undefined ? {} : { file })).rejects.toThrow(says);
    expect(readdirSync(folder.path).sort()).toEqual(before);
  });
}

test("the present key is refused as the new one", async () => {
  const present = readFileSync(join(folder.path, "master.key"), "utf8");
  await expect(run(present)).rejects.toThrow("the new master key is the present one");
}, 60_000);
