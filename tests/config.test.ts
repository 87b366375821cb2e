// The environment: defaults, every bad value, files, unknown names, the default data folder.
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  defaultDataDir,
  parseMasterKey,
  readConfig,
  readLogLevel,
  unknownVariables,
  VARIABLES,
} from "../src/config.ts";
import { InputError } from "../src/model/result.ts";

const KEY = randomBytes(32);
const folder = mkdtempSync(join(tmpdir(), "dragon-config-"));

function refusal(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`);
}

test("an empty environment gives the defaults", () => {
  const config = readConfig({ HOME: "/home/ann" });
  expect(config).toMatchObject({ host: "127.0.0.1", port: 8400, logLevel: "info" });
  expect(config.databaseUrl).toBeUndefined();
  expect(config.hookPort).toBeUndefined();
  expect(config.masterKey()).toBeUndefined();
  expect(config.jobLeaseMs).toBe(30_000);
  expect(config.jobLeaseRenewEveryMs).toBe(10_000);
  expect(Object.isFrozen(config)).toBe(true);
});

test("every variable is read and changes the config", () => {
  const values: Record<string, string> = {
    DRAGON_DATABASE_URL: "postgres://ann:pw@db.example.org:5432/dragon",
    DRAGON_HOST: "0.0.0.0",
    DRAGON_PORT: "9000",
    DRAGON_HOOK_PORT: "9001",
    DRAGON_PUBLIC_URL: "https://dragon.example.org/",
    DRAGON_TRUSTED_PROXIES: "10.0.0.1, fd00::/8",
    DRAGON_AUTH_HEADER: "X-Forwarded-User",
    DRAGON_DATA_DIR: "/srv/dragon",
    DRAGON_MASTER_KEY: KEY.toString("base64"),
    DRAGON_JOB_LEASE_S: "60",
    DRAGON_JOB_LEASE_RENEW_EVERY_S: "20",
    DRAGON_LOG_LEVEL: "debug",
  };
  expect(Object.keys(values).sort()).toEqual(VARIABLES.map(({ name }) => name).sort());
  const config = readConfig(values);
  expect(config).toMatchObject({
    databaseUrl: values.DRAGON_DATABASE_URL,
    host: "0.0.0.0",
    port: 9000,
    hookPort: 9001,
    publicUrl: "https://dragon.example.org",
    trustedProxies: ["10.0.0.1", "fd00::/8"],
    authHeader: "X-Forwarded-User",
    dataDir: "/srv/dragon",
    jobLeaseMs: 60_000,
    jobLeaseRenewEveryMs: 20_000,
    logLevel: "debug",
  });
  expect(config.masterKey()).toEqual(new Uint8Array(KEY));
});

const BAD: [name: string, value: string, range: string][] = [
  ["DRAGON_PORT", "80a", "0 to 65535"],
  ["DRAGON_PORT", "-1", "0 to 65535"],
  ["DRAGON_PORT", "65536", "0 to 65535"],
  ["DRAGON_PORT", "8400.5", "0 to 65535"],
  ["DRAGON_HOOK_PORT", "0", "1 to 65535"],
  ["DRAGON_HOOK_PORT", "8400", "must differ"],
  ["DRAGON_HOST", "http://x", "IP address"],
  ["DRAGON_PUBLIC_URL", "dragon.example.org", "https://"],
  ["DRAGON_PUBLIC_URL", "ftp://dragon.example.org", "https://"],
  ["DRAGON_PUBLIC_URL", "https://dragon.example.org/?a=b", "https://"],
  ["DRAGON_TRUSTED_PROXIES", "10.0.0.0/33", "10.0.0.0/8"],
  ["DRAGON_TRUSTED_PROXIES", "proxy", "IP address"],
  ["DRAGON_AUTH_HEADER", "X-User", "DRAGON_TRUSTED_PROXIES"],
  ["DRAGON_JOB_LEASE_S", "4", "5 to 600"],
  ["DRAGON_JOB_LEASE_RENEW_EVERY_S", "30", "below DRAGON_JOB_LEASE_S"],
  ["DRAGON_LOG_LEVEL", "loud", "debug, info, warning, error"],
];

for (const [name, value, range] of BAD) {
  test(`${name}=${value} is refused in one line with variable, value and range`, () => {
    const message = refusal({ [name]: value });
    expect(message).toStartWith(`${name}: `);
    expect(message).toContain(value);
    expect(message).toContain(range);
    expect(message).not.toContain("\n");
  });
}

test("a refused database address or key does not show the secret", () => {
  const url = refusal({ DRAGON_DATABASE_URL: "mysql://ann:hunter2@db/dragon" });
  expect(url).toStartWith("DRAGON_DATABASE_URL: ");
  expect(url).not.toContain("hunter2");
  const key = refusal({ DRAGON_MASTER_KEY: "correct-horse-battery-staple" });
  expect(key).toStartWith("DRAGON_MASTER_KEY: ");
  expect(key).toContain("32 bytes");
  expect(key).not.toContain("horse");
});

test("placeholders are refused: a repeated byte as key, changeme as password", () => {
  expect(refusal({ DRAGON_MASTER_KEY: "00".repeat(32) })).toContain("placeholder");
  expect(refusal({ DRAGON_DATABASE_URL: "postgres://a:changeme@b/c" })).toContain("placeholder");
});

test("a master key reads the same as base64, base64url and hex", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      fc.pre(new Set(bytes).size >= 8);
      const buffer = Buffer.from(bytes);
      for (const form of ["base64", "base64url", "hex"] as const) {
        expect(parseMasterKey(buffer.toString(form), "key")).toEqual(bytes);
      }
    }),
  );
});

test("a key of 31 or 33 bytes is refused in every form", () => {
  for (const length of [31, 33]) {
    for (const form of ["base64", "base64url", "hex"] as const) {
      const text = randomBytes(length).toString(form);
      expect(() => parseMasterKey(text, "key")).toThrow(InputError);
    }
  }
});

test("each variable can come from a file, without its line end", () => {
  const path = join(folder, "port");
  writeFileSync(path, "9999\n");
  expect(readConfig({ DRAGON_PORT_FILE: path }).port).toBe(9999);
});

test("a file that cannot be read is refused by name, and so are value and file together", () => {
  const missing = refusal({ DRAGON_PORT_FILE: join(folder, "missing") });
  expect(missing).toStartWith("DRAGON_PORT_FILE: ");
  expect(missing).toContain("ENOENT");
  const both = refusal({ DRAGON_PORT_FILE: join(folder, "port"), DRAGON_PORT: "1" });
  expect(both).toContain("both set");
});

test("an empty variable counts as not set", () => {
  expect(readConfig({ DRAGON_PORT: "", DRAGON_DATABASE_URL: " " }).port).toBe(8400);
});

test("unknown DRAGON_ names are found, known ones and their files are not", () => {
  const env = { DRAGON_PROT: "1", DRAGON_PORT: "1", DRAGON_PORT_FILE: "x", PATH: "y" };
  expect(unknownVariables(env)).toEqual(["DRAGON_PROT"]);
});

test("the default data folder follows the user", () => {
  expect(defaultDataDir({ HOME: "/home/ann" }, true)).toBe("/var/lib/dragon");
  expect(defaultDataDir({ HOME: "/home/ann" }, false)).toBe("/home/ann/.local/share/dragon");
  expect(defaultDataDir({ HOME: "/h", XDG_DATA_HOME: "/data" }, false)).toBe("/data/dragon");
  // The base directory specification: a relative path is ignored.
  expect(defaultDataDir({ HOME: "/h", XDG_DATA_HOME: "data" }, false)).toBe(
    "/h/.local/share/dragon",
  );
});

test("the log level is known even when the environment is broken", () => {
  expect(readLogLevel({ DRAGON_LOG_LEVEL: "error", DRAGON_PORT: "x" })).toBe("error");
  expect(readLogLevel({ DRAGON_LOG_LEVEL: "loud" })).toBe("info");
});

test("printing the config shows no key", () => {
  const config = readConfig({ DRAGON_MASTER_KEY: KEY.toString("hex") });
  const shown = `${JSON.stringify(config)} ${Bun.inspect(config)}`;
  expect(shown).not.toContain(KEY.toString("hex"));
  expect(shown).not.toContain(`${KEY[0]},${KEY[1]}`);
});
