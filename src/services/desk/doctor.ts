// Turns facts about the installation into findings with a cure. The facts come from probes the
// composition hands in; a probe that throws becomes a failed finding. Used by `dragon doctor`.

/** How a check ended. */
export type Verdict = "ok" | "warn" | "fail";

/** One finding; `cure` says what to do when it is not ok. */
export type Finding = {
  readonly name: string;
  readonly verdict: Verdict;
  readonly sentence: string;
  readonly cure?: string;
};

/** What is known about the database. */
export type DatabaseFacts = {
  readonly kind: "embedded" | "external";
  readonly version: string;
  readonly schema: { readonly current: number; readonly latest: number };
  /** Time of the database minus time of this machine. */
  readonly clockOffsetMs: number;
  readonly key: "absent" | "matches" | "differs" | "no-check";
};

/** Ways to learn facts; each may throw with a sentence. */
export type DoctorProbes = {
  config(): Promise<{ unknown: readonly string[] }>;
  folder(): Promise<{ path: string; exists: boolean; isWritable: boolean; freeBytes: number }>;
  /** undefined when there is no database yet. */
  database(): Promise<DatabaseFacts | undefined>;
  key(): Promise<{ from: "environment" | "file"; path: string } | undefined>;
  port(): Promise<{ address: string; state: "free" | "dragon" | "taken" }>;
  memory(): Promise<{ availableBytes: number }>;
  libraries(): Promise<{ needed: boolean; glibc: string | undefined; hasLibstdcxx: boolean }>;
};

const MIB = 1024 * 1024;
const DISK_FAIL_BYTES = 200 * MIB;
const DISK_WARN_BYTES = 2048 * MIB;
const MEMORY_WARN_BYTES = 256 * MIB;
const CLOCK_WARN_MS = 1000;

/** Runs every check; the order is the order of the report. */
export async function examine(probes: DoctorProbes): Promise<Finding[]> {
  const config = await attempt("configuration", () => configFinding(probes));
  // A broken environment says nothing about folder, database or port.
  if (config.some((finding) => finding.verdict === "fail")) return config;
  const folder = await attempt("data folder", () => folderFinding(probes));
  const database = await attempt("database", () => databaseFindings(probes));
  const rest = await Promise.all([
    attempt("master key", () => keyFinding(probes)),
    attempt("port", () => portFinding(probes)),
    attempt("memory", () => memoryFinding(probes)),
    attempt("libraries", () => libraryFinding(probes)),
  ]);
  return [...config, ...folder, ...database, ...rest.flat()];
}

async function attempt(name: string, run: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    return [await run()].flat();
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    return [{ name, verdict: "fail", sentence }];
  }
}

async function configFinding(probes: DoctorProbes): Promise<Finding> {
  const { unknown } = await probes.config();
  if (unknown.length === 0) return ok("configuration", "every variable is understood");
  return {
    name: "configuration",
    verdict: "warn",
    sentence: `unknown: ${unknown.join(", ")}`,
    cure: "correct the name or remove it; dragon help configuration lists all",
  };
}

async function folderFinding(probes: DoctorProbes): Promise<Finding> {
  const name = "data folder";
  const { path, exists, isWritable, freeBytes } = await probes.folder();
  if (!isWritable) {
    const cure = `give it to this user (chown), or set DRAGON_DATA_DIR to a folder that is writable`;
    return { name, verdict: "fail", sentence: `${path} cannot be written`, cure };
  }
  const state = exists ? "writable" : "does not exist yet, the first start makes it";
  const sentence = `${path}: ${state}, ${bytes(freeBytes)} free`;
  const cure = "free some disk space, or move the folder with DRAGON_DATA_DIR";
  if (freeBytes < DISK_FAIL_BYTES) return { name, verdict: "fail", sentence, cure };
  if (freeBytes < DISK_WARN_BYTES) return { name, verdict: "warn", sentence, cure };
  return ok(name, sentence);
}

async function databaseFindings(probes: DoctorProbes): Promise<Finding[]> {
  const facts = await probes.database();
  if (!facts) return [ok("database", "none yet, the first start makes it")];
  const { schema, clockOffsetMs, key } = facts;
  const kind = facts.kind === "embedded" ? "bundled" : "external";
  const findings = [ok("database", `${kind} PostgreSQL ${facts.version} answers`)];
  if (schema.current === schema.latest) findings.push(ok("schema", `version ${schema.current}`));
  else {
    findings.push({
      name: "schema",
      verdict: "warn",
      sentence: `version ${schema.current} of ${schema.latest}`,
      cure: "run dragon migrate; dragon serve does it too",
    });
  }
  findings.push(clockFinding(clockOffsetMs));
  if (key === "differs") {
    findings.push({
      name: "key check",
      verdict: "fail",
      sentence: "the master key is not the one this database was set up with",
      cure: "put the right key back (DRAGON_MASTER_KEY or master.key in the data folder)",
    });
  } else if (key === "absent") {
    findings.push({
      name: "key check",
      verdict: "fail",
      sentence: "this database was set up with a master key, and there is none here",
      cure: "put the key back (DRAGON_MASTER_KEY or master.key in the data folder)",
    });
  } else if (key === "matches")
    findings.push(ok("key check", "the master key matches the database"));
  return findings;
}

function clockFinding(offsetMs: number): Finding {
  const sentence = `${Math.round(Math.abs(offsetMs))} ms between this machine and the database`;
  if (Math.abs(offsetMs) <= CLOCK_WARN_MS) return ok("clock", sentence);
  const cure = "synchronise both clocks (NTP): exchanges refuse orders with a wrong time";
  return { name: "clock", verdict: "warn", sentence, cure };
}

async function keyFinding(probes: DoctorProbes): Promise<Finding> {
  const key = await probes.key();
  if (!key) return ok("master key", "none yet, the first start makes it");
  if (key.from === "environment") return ok("master key", "from the environment");
  return ok("master key", `${key.path}; keep a copy outside this machine`);
}

async function portFinding(probes: DoctorProbes): Promise<Finding> {
  const { address, state } = await probes.port();
  if (state === "free") return ok("port", `${address} is free`);
  if (state === "dragon") return ok("port", `Dragon answers on ${address}`);
  return {
    name: "port",
    verdict: "fail",
    sentence: `another program uses ${address}`,
    cure: "stop it, or set DRAGON_PORT to a free port",
  };
}

async function memoryFinding(probes: DoctorProbes): Promise<Finding> {
  const { availableBytes } = await probes.memory();
  const sentence = `${bytes(availableBytes)} available`;
  if (availableBytes >= MEMORY_WARN_BYTES) return ok("memory", sentence);
  const cure = "close other programs; long backtests need some hundred MB";
  return { name: "memory", verdict: "warn", sentence, cure };
}

async function libraryFinding(probes: DoctorProbes): Promise<Finding> {
  const name = "libraries";
  const { needed, glibc, hasLibstdcxx } = await probes.libraries();
  if (!needed) return ok(name, "not needed, the database is external");
  const [major = 0, minor = 0] = (glibc ?? "").split(".").map(Number);
  if (glibc === undefined || major < 2 || (major === 2 && minor < 27)) {
    const sentence = `glibc ${glibc ?? "not found"}, the bundled PostgreSQL needs 2.27`;
    const cure = "use a newer system, or an external database with DRAGON_DATABASE_URL";
    return { name, verdict: "fail", sentence, cure };
  }
  if (!hasLibstdcxx) {
    const sentence = "libstdc++6 is missing, the bundled PostgreSQL needs it";
    return { name, verdict: "fail", sentence, cure: "install it, e.g. apt-get install libstdc++6" };
  }
  return ok(name, `glibc ${glibc} and libstdc++ are there`);
}

function ok(name: string, sentence: string): Finding {
  return { name, verdict: "ok", sentence };
}

function bytes(count: number): string {
  const gib = count / (1024 * MIB);
  return gib >= 1 ? `${gib.toFixed(1)} GB` : `${Math.round(count / MIB)} MB`;
}
