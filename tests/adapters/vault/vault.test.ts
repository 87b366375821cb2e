// Secrets, the vault and the key file on a real disk.
import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  findMasterKey,
  findOrCreateMasterKey,
  keyFilePath,
} from "../../../src/adapters/vault/master-key.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import { createVault, keyIdIn, keyIdOf } from "../../../src/adapters/vault/vault.ts";
import { parseMasterKey } from "../../../src/config.ts";

const key = () => new Uint8Array(randomBytes(32));
const fresh = () => ({
  dataDir: mkdtempSync(join(tmpdir(), "dragon-key-")),
  fromEnvironment: undefined,
  parse: parseMasterKey,
});

describe("secret", () => {
  test("a secret shows itself to reveal alone", () => {
    const secret = createSecret("hunter2");
    const shown = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      Bun.inspect({ secret }),
      Bun.inspect(secret),
      JSON.stringify({ ...secret }),
    ];
    for (const text of shown) expect(text).not.toContain("hunter2");
    expect(secret.reveal()).toBe("hunter2");
  });
});

describe("vault", () => {
  test("what was sealed opens with the same key and purpose, and no two seals are equal", () => {
    const vault = createVault(key());
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (clear, purpose) => {
        const sealed = vault.seal(clear, purpose);
        expect(vault.open(sealed, purpose).reveal()).toBe(clear.toWellFormed());
        expect(vault.seal(clear, purpose)).not.toBe(sealed);
      }),
      { numRuns: 50 },
    );
  });

  test("another key, another purpose or a changed character does not open", () => {
    const vault = createVault(key());
    const sealed = vault.seal("secret", "exchange");
    expect(() => createVault(key()).open(sealed, "exchange")).toThrow(`${vault.keyId}, which is`);
    expect(() => vault.open(sealed, "telegram")).toThrow("does not open");
    const middle = Math.floor(sealed.length / 2);
    const other = sealed[middle] === "A" ? "B" : "A";
    const changed = sealed.slice(0, middle) + other + sealed.slice(middle + 1);
    expect(() => vault.open(changed, "exchange")).toThrow("does not open");
    expect(() => vault.open("v9.abc", "exchange")).toThrow("unknown version");
    expect(() => vault.open("v1.", "exchange")).toThrow("does not open");
    expect(() => vault.open(`v2.${vault.keyId}.`, "exchange")).toThrow("does not open");
  });

  test("a new key seals, and what the former ones sealed still opens", () => {
    const [first, second, third] = [key(), key(), key()];
    const old = createVault(first).seal("from the first", "exchange");
    const ring = createVault(third, [first, second]);
    expect(ring.open(old, "exchange").reveal()).toBe("from the first");
    const next = ring.seal("from the third", "exchange");
    expect(keyIdIn(next)).toBe(keyIdOf(third));
    expect(createVault(third).open(next, "exchange").reveal()).toBe("from the third");
    expect(() => createVault(first, [second]).open(next, "exchange")).toThrow("is not here");
  });

  test("a key id put on another key's text does not make it open", () => {
    const [first, second] = [key(), key()];
    const sealed = createVault(first).seal("secret", "exchange");
    const renamed = sealed.replace(keyIdOf(first), keyIdOf(second));
    const ring = createVault(second, [first]);
    expect(() => ring.open(renamed, "exchange")).toThrow("does not open");
  });

  test("a text of the first version, which named no key, opens with any key of the ring", () => {
    const old = new Uint8Array(32).map((_, n) => n);
    // Sealed by the first version under the key 00 01 02 … 1f for the purpose "exchange".
    const sealed = "v1.z4krJRLrgpZI-Woh53mCAEXvHHFIKG68BrI06ewP0GfOhDsuReXCx6wcWyo";
    expect(createVault(key(), [old]).open(sealed, "exchange").reveal()).toBe("kept");
    expect(() => createVault(key(), [old]).open(sealed, "other")).toThrow("does not open");
    expect(() => createVault(key()).open(sealed, "exchange")).toThrow("does not open");
  });

  test("a key id tells nothing of its key", () => {
    const some = key();
    const id = keyIdOf(some);
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(Buffer.from(some).toString("hex")).not.toContain(id);
    expect(keyIdOf(key())).not.toBe(id);
  });
});

describe("key file", () => {
  test("the first start makes a private file that the second start reads", () => {
    const deps = fresh();
    expect(findMasterKey(deps)).toBeUndefined();
    const made = findOrCreateMasterKey(deps);
    expect(made.from).toBe("created");
    expect(statSync(made.path).mode & 0o777).toBe(0o600);
    expect(readdirSync(deps.dataDir)).toEqual(["master.key"]);
    const again = findOrCreateMasterKey(deps);
    expect(again.from).toBe("file");
    expect(again.bytes).toEqual(made.bytes);
    expect(parseMasterKey(readFileSync(made.path, "utf8").trim(), "x")).toEqual(made.bytes);
  });

  test("a key of the environment wins and no file is made", () => {
    const deps = { ...fresh(), fromEnvironment: key() };
    expect(findOrCreateMasterKey(deps).from).toBe("environment");
    expect(readdirSync(deps.dataDir)).toEqual([]);
  });

  test("a file that others can read is refused with the cure", () => {
    const deps = fresh();
    findOrCreateMasterKey(deps);
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(keyFilePath(deps.dataDir), mode);
      expect(() => findMasterKey(deps)).toThrow("chmod 600");
    }
  });

  test("a damaged file is refused, not replaced", () => {
    const deps = fresh();
    writeFileSync(keyFilePath(deps.dataDir), "garbage\n", { mode: 0o600 });
    expect(() => findOrCreateMasterKey(deps)).toThrow("32 bytes");
    expect(readFileSync(keyFilePath(deps.dataDir), "utf8")).toBe("garbage\n");
  });
});
