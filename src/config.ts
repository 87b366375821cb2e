// The environment as one frozen Config; the only reader of process.env. Called by main.ts when a
// command first needs it, so that `dragon version` works with a broken environment. It never
// writes a file and never prints a value that may be secret.
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { InputError } from "./model/result.ts";

/** Lines an operator may see, quietest last. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** Everything the environment decides. */
export type Config = {
  /** External PostgreSQL; undefined means the bundled one. */
  readonly databaseUrl: string | undefined;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly hookPort: number | undefined;
  readonly publicUrl: string | undefined;
  readonly trustedProxies: readonly string[];
  readonly authHeader: string | undefined;
  readonly dataDir: string;
  /** The 32 bytes of DRAGON_MASTER_KEY; a function, so that no dump of the Config shows them. */
  readonly masterKey: () => Uint8Array | undefined;
  readonly jobLeaseMs: number;
  readonly jobLeaseRenewEveryMs: number;
  readonly logLevel: LogLevel;
};

/** Variables by name, e.g. `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One variable of the table that `dragon help configuration` prints. */
export type Variable = { readonly name: string; readonly standard: string };

/** Every variable Dragon reads, with its default as the help page words it. */
export const VARIABLES: readonly Variable[] = [
  { name: "DRAGON_DATABASE_URL", standard: "the bundled PostgreSQL" },
  { name: "DRAGON_HOST", standard: "127.0.0.1" },
  { name: "DRAGON_PORT", standard: "8400" },
  { name: "DRAGON_HOOK_PORT", standard: "off" },
  { name: "DRAGON_PUBLIC_URL", standard: "none" },
  { name: "DRAGON_TRUSTED_PROXIES", standard: "none" },
  { name: "DRAGON_AUTH_HEADER", standard: "off" },
  { name: "DRAGON_DATA_DIR", standard: "see below" },
  { name: "DRAGON_MASTER_KEY", standard: "master.key in the data folder" },
  { name: "DRAGON_JOB_LEASE_S", standard: "30" },
  { name: "DRAGON_JOB_LEASE_RENEW_EVERY_S", standard: "10" },
  { name: "DRAGON_LOG_LEVEL", standard: "info" },
];

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/** Names that start with DRAGON_ but mean nothing to Dragon: usually a typing mistake. */
export function unknownVariables(env: Environment): string[] {
  const known = new Set(VARIABLES.flatMap(({ name }) => [name, `${name}_FILE`]));
  return Object.keys(env)
    .filter((name) => name.startsWith("DRAGON_") && !known.has(name))
    .sort();
}

/** The folder used without DRAGON_DATA_DIR: root /var/lib/dragon, else the user's data folder. */
export function defaultDataDir(env: Environment, isRoot = process.getuid?.() === 0): string {
  if (isRoot) return "/var/lib/dragon";
  const xdg = env.XDG_DATA_HOME;
  if (xdg && isAbsolute(xdg)) return join(xdg, "dragon");
  return join(env.HOME || homedir(), ".local/share/dragon");
}

/**
 * Reads and checks the whole environment.
 * @throws InputError one line naming variable, value and allowed range; secret values are not shown
 */
export function readConfig(env: Environment): Config {
  const read = (name: string) => readVariable(env, name);
  const leaseS = wholeNumber("DRAGON_JOB_LEASE_S", read, 30, 5, 600);
  const renewS = wholeNumber(
    "DRAGON_JOB_LEASE_RENEW_EVERY_S",
    read,
    Math.min(10, leaseS - 1),
    1,
    300,
  );
  if (renewS >= leaseS) {
    throw new InputError(
      `DRAGON_JOB_LEASE_RENEW_EVERY_S: ${renewS} must be below DRAGON_JOB_LEASE_S (${leaseS})`,
    );
  }
  const hookText = read("DRAGON_HOOK_PORT");
  const port = wholeNumber("DRAGON_PORT", read, 8400, 0, 65535);
  const hookPort =
    hookText && hookText !== "off" ? wholeNumber("DRAGON_HOOK_PORT", read, 0, 1, 65535) : undefined;
  if (hookPort !== undefined && hookPort === port) {
    throw new InputError(`DRAGON_HOOK_PORT: ${hookPort} must differ from DRAGON_PORT`);
  }
  const trustedProxies = proxies(read("DRAGON_TRUSTED_PROXIES"));
  const authHeader = headerName(read("DRAGON_AUTH_HEADER"));
  if (authHeader && trustedProxies.length === 0) {
    throw new InputError(
      `DRAGON_AUTH_HEADER: "${authHeader}" needs DRAGON_TRUSTED_PROXIES, or anyone could send it`,
    );
  }
  const key = masterKey(read("DRAGON_MASTER_KEY"));
  return Object.freeze({
    databaseUrl: databaseUrl(read("DRAGON_DATABASE_URL")),
    host: hostName(read("DRAGON_HOST")),
    port,
    hookPort,
    publicUrl: publicUrl(read("DRAGON_PUBLIC_URL")),
    trustedProxies: Object.freeze(trustedProxies),
    authHeader,
    dataDir: dataDir(read("DRAGON_DATA_DIR"), env),
    masterKey: () => key,
    jobLeaseMs: leaseS * 1000,
    jobLeaseRenewEveryMs: renewS * 1000,
    logLevel: logLevel(read("DRAGON_LOG_LEVEL")),
  });
}

/** The log level alone; the default when the environment is broken (the error is told elsewhere). */
export function readLogLevel(env: Environment): LogLevel {
  try {
    return logLevel(readVariable(env, "DRAGON_LOG_LEVEL"));
  } catch (error) {
    if (error instanceof InputError) return "info";
    throw error;
  }
}

/** An empty variable counts as not set, as compose files leave them. */
function readVariable(env: Environment, name: string): string | undefined {
  const direct = env[name]?.trim() || undefined;
  const path = env[`${name}_FILE`]?.trim() || undefined;
  if (path === undefined) return direct;
  if (direct !== undefined) {
    throw new InputError(`${name}_FILE: "${path}" and ${name} are both set; keep one of them`);
  }
  try {
    return readFileSync(path, "utf8").trim() || undefined;
  } catch (error) {
    const reason = error instanceof Error ? ("code" in error ? error.code : error.message) : error;
    throw new InputError(
      `${name}_FILE: "${path}" cannot be read (${reason}); it must be a readable text file`,
    );
  }
}

type Reader = (name: string) => string | undefined;

function wholeNumber(
  name: string,
  read: Reader,
  standard: number,
  min: number,
  max: number,
): number {
  const text = read(name);
  if (text === undefined) return standard;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new InputError(`${name}: "${text}" must be a whole number from ${min} to ${max}`);
  }
  return value;
}

function hostName(text: string | undefined): string {
  if (text === undefined) return "127.0.0.1";
  if (isIP(text) === 0 && !/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?$/.test(text)) {
    throw new InputError(
      `DRAGON_HOST: "${text}" must be an IP address or host name, e.g. 127.0.0.1 or 0.0.0.0`,
    );
  }
  return text;
}

function databaseUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  // The value may hold a password, so the message shows its scheme alone.
  if (!URL.canParse(text) || !/^postgres(ql)?:$/.test(new URL(text).protocol)) {
    const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0] ?? "no scheme";
    throw new InputError(
      `DRAGON_DATABASE_URL: the value (${scheme}) must look like postgres://user:password@host:5432/name`,
    );
  }
  if (/^(changeme|change_me|%3C.*%3E|\$.*)$/i.test(new URL(text).password)) {
    throw new InputError(
      "DRAGON_DATABASE_URL: the password is a placeholder; put the real one there",
    );
  }
  return text;
}

function publicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
  if (!url || !isPlain) {
    throw new InputError(
      `DRAGON_PUBLIC_URL: "${text}" must be an address such as https://dragon.example.org`,
    );
  }
  return url.href.replace(/\/+$/, "");
}

function proxies(text: string | undefined): string[] {
  const entries = (text ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  for (const entry of entries) {
    const [address = "", bits, ...rest] = entry.split("/");
    const version = isIP(address);
    const max = version === 6 ? 128 : 32;
    const isMask = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= max);
    if (version === 0 || !isMask || rest.length > 0) {
      throw new InputError(
        `DRAGON_TRUSTED_PROXIES: "${entry}" must be an IP address or network such as 10.0.0.0/8`,
      );
    }
  }
  return entries;
}

function headerName(text: string | undefined): string | undefined {
  if (text === undefined || text === "off") return undefined;
  if (!/^[A-Za-z0-9-]{1,64}$/.test(text)) {
    throw new InputError(
      `DRAGON_AUTH_HEADER: "${text}" must be a header name of letters, digits and -, e.g. X-Forwarded-User`,
    );
  }
  return text;
}

function dataDir(text: string | undefined, env: Environment): string {
  if (text === undefined) return defaultDataDir(env);
  if (text.includes("\0"))
    throw new InputError("DRAGON_DATA_DIR: the path must not contain a NUL byte");
  return resolve(text);
}

/**
 * The 32 bytes of a master key written as base64, base64url or hex.
 * @throws InputError that never shows the value
 */
export function parseMasterKey(text: string, source: string): Uint8Array {
  const isHex = /^[0-9a-f]{64}$/i.test(text);
  const isBase64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(text);
  if (!isHex && !isBase64) {
    throw new InputError(
      `${source}: the value (${text.length} characters, not shown) must be 32 bytes as base64, base64url or hex`,
    );
  }
  const bytes = new Uint8Array(Buffer.from(text, isHex ? "hex" : "base64url"));
  if (bytes.length !== 32 || new Set(bytes).size < 8) {
    throw new InputError(
      `${source}: the value (not shown) must be 32 random bytes, not a placeholder`,
    );
  }
  return bytes;
}

function masterKey(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : parseMasterKey(text, "DRAGON_MASTER_KEY");
}

function logLevel(text: string | undefined): LogLevel {
  switch (text?.toLowerCase()) {
    case undefined:
    case "info":
      return "info";
    case "debug":
      return "debug";
    case "warn":
    case "warning":
      return "warning";
    case "error":
      return "error";
    default:
      throw new InputError(
        `DRAGON_LOG_LEVEL: "${text}" must be one of debug, info, warning, error`,
      );
  }
}
