// The change of the master key, stopped at every step over a real database and real files: whatever
// happens, the next start has a key that opens every credential.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { connect } from "../../../src/adapters/postgres/connect.ts";
import { createKeyRotationRepository } from "../../../src/adapters/postgres/key-rotation-repository.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { keyFilePath, settleMasterKey } from "../../../src/adapters/vault/master-key.ts";
import {
  type RotationDeps,
  type RotationStep,
  rotateMasterKey,
} from "../../../src/adapters/vault/rotate-key.ts";
import { createVault, keyIdIn, keyIdOf } from "../../../src/adapters/vault/vault.ts";
import { parseMasterKey } from "../../../src/config.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import {
  openCredentials,
  resealCredentials,
  sealCredentials,
} from "../../../src/services/desk/credential-seal.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const NOW = Date.UTC(2026, 0, 5, 12);
const ACCOUNTS = 5;
/** Sealed by the first version under the key 00 01 02 … 1f. */
const FIRST_CHECK =
  "v1.X0DaF-pJuGLAk7XRi8wxA_JmECnXbP6cqe-IKXve7BJapRC-16VsGUPyPq2RFRcLVtMFbaXrctK-";
let database: TestDatabase;
let dataDir: string;
let owned: { scope: Scope; id: AccountId; word: string }[];

const newKey = () => new Uint8Array(randomBytes(32));
const keyDeps = (fromEnvironment?: Uint8Array) => ({
  dataDir,
  fromEnvironment,
  parse: parseMasterKey,
});
const settings = () => createSettingsRepository(database.sql);
const start = (fromEnvironment?: Uint8Array) =>
  settleMasterKey(keyDeps(fromEnvironment), settings(), NOW);

/** Accounts of two workspaces, sealed under the key of the first start. */
async function fill(fromEnvironment?: Uint8Array) {
  const vault = createVault((await start(fromEnvironment)).bytes);
  const accounts = createAccountRepository(database.sql);
  const scopes = [await testScope(database.sql, "one"), await testScope(database.sql, "two")];
  owned = [];
  for (let n = 0; n < ACCOUNTS; n++) {
    const scope = scopes[n % 2];
    if (!scope) throw new Error("no scope");
    const word = `word-${n}`;
    const clear = {
      apiKey: vault.conceal(word),
      apiSecret: vault.conceal(`${word}-secret`),
      passphrase: n === 0 ? vault.conceal(`${word}-phrase`) : null,
      uid: null,
    };
    const made = await accounts.create(
      scope,
      { name: word, exchangeId: "woox", mode: "live" },
      { keyId: vault.keyId, maskedKey: "•••", seal: (row) => sealCredentials(vault, row, clear) },
      NOW,
    );
    if (!made.ok) throw new Error(made.detail);
    owned.push({ scope, id: made.value.id, word });
  }
}

/** Opens everything with one key alone, as a start does. */
async function opensAll(key: Uint8Array) {
  const accounts = createAccountRepository(database.sql);
  const vault = createVault(key);
  for (const { scope, id, word } of owned) {
    const sealed = await accounts.useCredential(scope, id, NOW);
    if (!sealed) throw new Error(`no credentials of ${word}`);
    expect(sealed.keyId).toBe(vault.keyId);
    expect(openCredentials(vault, sealed).apiKey.reveal()).toBe(word);
    expect(openCredentials(vault, sealed).apiSecret.reveal()).toBe(`${word}-secret`);
  }
}

function rotate(next: Uint8Array, parts: Partial<RotationDeps> = {}) {
  const deps: RotationDeps = {
    ...keyDeps(),
    settings: settings(),
    store: createKeyRotationRepository(database.sql),
    reseal: resealCredentials,
    ...parts,
  };
  return rotateMasterKey(deps, next, NOW);
}

beforeEach(async () => {
  database = await testDatabase();
  dataDir = temporaryFolder();
  await fill();
}, 30_000);
afterEach(() => database.drop());

test("a new key seals everything anew, and the old one is kept beside it", async () => {
  const old = await start();
  const next = newKey();
  const rotated = await rotate(next);
  const formerPath = `${old.path}.${keyIdOf(old.bytes)}`;
  expect(rotated).toEqual({
    fromKeyId: keyIdOf(old.bytes),
    toKeyId: keyIdOf(next),
    credentials: ACCOUNTS,
    path: old.path,
    formerPath,
  });
  expect((await start()).bytes).toEqual(next);
  await opensAll(next);
  expect(parseMasterKey(readFileSync(formerPath, "utf8").trim(), "x")).toEqual(old.bytes);
  expect(readdirSync(dataDir).sort()).toEqual(["master.key", `master.key.${keyIdOf(old.bytes)}`]);
  for (const path of [old.path, formerPath]) expect(statSync(path).mode & 0o777).toBe(0o600);
  const rows = JSON.stringify(await database.sql`select * from credentials, settings`);
  expect(rows).not.toContain(keyIdOf(old.bytes));
});

test("a key can be changed again and back", async () => {
  const first = await start();
  const second = newKey();
  await rotate(second);
  await rotate(first.bytes);
  expect((await start()).bytes).toEqual(first.bytes);
  await opensAll(first.bytes);
  await rotate(second);
  await opensAll((await start()).bytes);
});

test("the present key is refused as the new one, and nothing is changed", async () => {
  const { bytes } = await start();
  await expect(rotate(bytes)).rejects.toThrow("is the present one");
  expect(readdirSync(dataDir)).toEqual(["master.key"]);
});

const STEPS: RotationStep[] = ["keep_old", "put_new_aside", "reseal", "replace_file"];

describe("a change that ends before a step", () => {
  for (const step of STEPS) {
    test(`${step}: the next start opens everything, and the change can be made again`, async () => {
      const old = await start();
      const next = newKey();
      const before = (reached: RotationStep) => {
        if (reached === step) throw new Error(`stopped before ${step}`);
      };
      await expect(rotate(next, { before })).rejects.toThrow(`stopped before ${step}`);
      const now = await start();
      expect(now.bytes).toEqual(step === "replace_file" ? next : old.bytes);
      expect(existsSync(keyFilePath(dataDir))).toBe(true);
      await opensAll(now.bytes);
      const again = newKey();
      await rotate(again);
      await opensAll((await start()).bytes);
      expect((await start()).bytes).toEqual(again);
    }, 20_000);
  }
});

describe("a change that fails inside the database", () => {
  const nothingChanged = async (old: Uint8Array) => {
    const now = await start();
    expect(now.bytes).toEqual(old);
    await opensAll(now.bytes);
  };

  for (let row = 1; row <= ACCOUNTS * 2; row++) {
    const where = row <= ACCOUNTS ? `sealing row ${row}` : `reading back row ${row - ACCOUNTS}`;
    test(`${where}: nothing is changed`, async () => {
      const { bytes } = await start();
      let count = 0;
      const reseal: RotationDeps["reseal"] = (vault, sealed) => {
        count += 1;
        if (count === row) throw new Error("the machine stopped");
        return resealCredentials(vault, sealed);
      };
      await expect(rotate(newKey(), { reseal })).rejects.toThrow("the machine stopped");
      await nothingChanged(bytes);
    });
  }

  test("the connection is cut before the commit: nothing is changed", async () => {
    const { bytes } = await start();
    const own = connect(database.target, { max: 1 });
    const [backend] = await own<{ pid: number }[]>`select pg_backend_pid() as pid`;
    let count = 0;
    let cut: Promise<unknown> | undefined;
    const reseal: RotationDeps["reseal"] = (vault, sealed) => {
      count += 1;
      if (count === 1) {
        const pid = backend?.pid ?? 0;
        cut = database.sql`select pg_terminate_backend(${pid})`.execute();
      }
      return resealCredentials(vault, sealed);
    };
    const store = createKeyRotationRepository(own);
    await expect(rotate(newKey(), { reseal, store })).rejects.toThrow();
    await cut;
    await own.end({ timeout: 1 });
    await nothingChanged(bytes);
  });

  test("one row that does not open stops the change for all", async () => {
    const { bytes } = await start();
    const [row] = await database.sql`
      update credentials set sealed_api_secret = sealed_api_key
      where id = (select max(id) from credentials) returning id`;
    await expect(rotate(newKey())).rejects.toThrow("does not open");
    expect((await start()).bytes).toEqual(bytes);
    const ids = await database.sql<{ sealedApiKey: string }[]>`
      select sealed_api_key from credentials where id <> ${row?.id}`;
    for (const { sealedApiKey } of ids) expect(keyIdIn(sealedApiKey)).toBe(keyIdOf(bytes));
  });
});

test("an answer that is lost after the commit is noticed, and the change ends well", async () => {
  const next = newKey();
  const real = createKeyRotationRepository(database.sql);
  const store: RotationDeps["store"] = {
    async rotate(change, at) {
      await real.rotate(change, at);
      throw new Error("the connection was lost");
    },
  };
  expect(await rotate(next, { store })).toMatchObject({ credentials: ACCOUNTS });
  expect((await start()).bytes).toEqual(next);
  await opensAll(next);
});

test("a database that is lost for good leaves both keys, and the next start finds the right one", async () => {
  const next = newKey();
  const real = createKeyRotationRepository(database.sql);
  let isLost = false;
  const store: RotationDeps["store"] = {
    async rotate(change, at) {
      await real.rotate(change, at);
      isLost = true;
      throw new Error("the connection was lost");
    },
  };
  const asked = settings();
  const lost: RotationDeps["settings"] = {
    ...asked,
    readInstance: async (key) => {
      if (isLost) throw new Error("the connection was lost");
      return asked.readInstance(key);
    },
  };
  await expect(rotate(next, { store, settings: lost })).rejects.toThrow("keep the old and the new");
  expect((await start()).bytes).toEqual(next);
  await opensAll(next);
});

for (const [what, isEmpty] of [
  ["many credentials", false],
  ["none", true],
] as const) {
  test(`three changes at once with ${what}: one wins, and the key file is the winner's`, async () => {
    if (isEmpty) {
      await database.sql`delete from credentials`;
      owned = [];
    }
    const real = createKeyRotationRepository(database.sql);
    let waiting = 0;
    const together = Promise.withResolvers<void>();
    const store: RotationDeps["store"] = {
      async rotate(change, at) {
        waiting += 1;
        if (waiting === 3) together.resolve();
        await together.promise;
        return real.rotate(change, at);
      },
    };
    const keys = [newKey(), newKey(), newKey()];
    const done = await Promise.allSettled(keys.map((key) => rotate(key, { store })));
    const winners = done.flatMap((each) =>
      each.status === "fulfilled" ? [each.value.toKeyId] : [],
    );
    expect(winners).toHaveLength(1);
    const { bytes } = await start();
    expect(keyIdOf(bytes)).toBe(winners[0] ?? "");
    await opensAll(bytes);
  });
}

test("a start between the database and the key file finishes the change for both", async () => {
  const next = newKey();
  const real = createKeyRotationRepository(database.sql);
  const store: RotationDeps["store"] = {
    async rotate(change, at) {
      const done = await real.rotate(change, at);
      expect((await start()).bytes).toEqual(next);
      return done;
    },
  };
  expect(await rotate(next, { store })).toMatchObject({ toKeyId: keyIdOf(next) });
  expect((await start()).bytes).toEqual(next);
  await opensAll(next);
});

test("a key of the environment is changed there by its owner: either key opens in time", async () => {
  await database.drop();
  database = await testDatabase();
  dataDir = temporaryFolder();
  const [old, next] = [newKey(), newKey()];
  await fill(old);
  const failing = () => {
    throw new Error("stopped");
  };
  await expect(rotate(next, { fromEnvironment: old, before: failing })).rejects.toThrow("stopped");
  await opensAll((await start(old)).bytes);
  const rotated = await rotate(next, { fromEnvironment: old });
  expect([rotated.path, rotated.formerPath]).toEqual([null, null]);
  expect(readdirSync(dataDir)).toEqual([]);
  await expect(start(old)).rejects.toThrow(
    "the master key (DRAGON_MASTER_KEY) is not the one this database was set up with",
  );
  await opensAll((await start(next)).bytes);
}, 20_000);

test("a lost or foreign key stops the start and says where a copy of the right one is kept", async () => {
  const { bytes, path } = await start();
  await rotate(newKey());
  const foreign = newKey();
  const shown = Buffer.from(foreign).toString("base64");
  writeFileSync(path, shown);
  const wrong = start();
  await expect(wrong).rejects.toThrow("is not the one this database was set up with");
  await expect(wrong).rejects.not.toThrow(shown);
  rmSync(path);
  await expect(start()).rejects.toThrow("and there is none");
  // The database goes back to a copy from before the change: its key lies beside.
  const id = keyIdOf(bytes);
  const check = createVault(bytes).seal("dragon master key", "key-check");
  await database.sql`
    update settings set value = to_jsonb(${check}::text) where key = 'vault.key_check'`;
  await expect(start()).rejects.toThrow(`(a copy is ${path}.${id})`);
});

test("a check value of the first version is taken over and names its key from then on", async () => {
  const { bytes } = await start();
  const value = async () =>
    ((await settings().readInstance("vault.key_check"))?.value ?? "") as string;
  expect(keyIdIn(await value())).toBe(keyIdOf(bytes));
  await rotate(new Uint8Array(32).map((_, n) => n));
  await database.sql`
    update settings set value = to_jsonb(${FIRST_CHECK}::text) where key = 'vault.key_check'`;
  await start();
  expect(keyIdIn(await value())).toBe(keyIdOf(new Uint8Array(32).map((_, n) => n)));
});
