// Databases for tests: one server per test process in a temporary folder, a fresh migrated database
// per call. Never touches the default data folder.
import {
  type ConnectTarget,
  connect,
  type Sql,
  withDatabase,
} from "../../src/adapters/postgres/connect.ts";
import { startEmbedded } from "../../src/adapters/postgres/embedded.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { createAccessRepository } from "../../src/adapters/postgres/access-repository.ts";
import type { Role, Scope } from "../../src/ports/access-store.ts";
import { startExternal } from "./external-postgres.ts";
import { silentLog } from "./silent-log.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export { silentLog } from "./silent-log.ts";

/** The bundled PostgreSQL, or the one installed on this machine. */
export type TestServer = "bundled" | "external";

/** A database of its own for one test file or test. */
export type TestDatabase = {
  readonly sql: Sql;
  /** Only of the external server. */
  readonly url?: string;
  readonly target: ConnectTarget;
  readonly name: string;
  /** Closes the connections and removes the database. */
  drop(): Promise<void>;
};

type Server = { readonly target: ConnectTarget; count: number };
type Shared = Map<TestServer, Promise<Server>>;

const TEMPLATE = "dragon_template";
const SHARED = Symbol.for("dragon.test.servers");

/** A fresh database with all migrations applied. */
export async function testDatabase(server: TestServer = "bundled"): Promise<TestDatabase> {
  return create(server, TEMPLATE);
}

/** A fresh database without any table. */
export async function emptyTestDatabase(server: TestServer = "bundled"): Promise<TestDatabase> {
  return create(server, "template1");
}

/** A new user in a new workspace, as the scope that repositories ask for. */
export async function testScope(
  sql: Sql,
  name: string,
  role: Role = "owner",
): Promise<Scope & { readonly userId: NonNullable<Scope["userId"]> }> {
  const access = createAccessRepository(sql);
  const at = Date.UTC(2024, 0, 1);
  const { id: workspaceId } = await access.createWorkspace(name, at);
  const user = {
    email: `${name}-${workspaceId}@example.org`,
    passwordHash: "not a hash",
    timeZone: "UTC",
    role,
  };
  const made = await access.createUser({ workspaceId, userId: null, role: "owner" }, user, at);
  if (!made.ok) throw new Error(made.detail);
  return { workspaceId, userId: made.value.id, role };
}

async function create(kind: TestServer, template: string): Promise<TestDatabase> {
  const server = await serverOf(kind);
  server.count += 1;
  const name = `test_${server.count}`;
  const admin = connect(withDatabase(server.target, "postgres"), { max: 1 });
  try {
    await admin`create database ${admin(name)} template ${admin(template)}`;
  } finally {
    await admin.end();
  }
  const target = withDatabase(server.target, name);
  const sql = connect(target, { max: 6 });
  return {
    sql,
    target,
    name,
    ...(target.kind === "url" ? { url: target.url } : {}),
    drop: async () => {
      await sql.end({ timeout: 1 });
      const closing = connect(withDatabase(server.target, "postgres"), { max: 1 });
      try {
        await closing`drop database if exists ${closing(name)} with (force)`;
      } finally {
        await closing.end();
      }
    },
  };
}

/** One server per process, also when the test runner loads this module again for every file. */
function serverOf(kind: TestServer): Promise<Server> {
  const globals = globalThis as unknown as Record<symbol, Shared | undefined>;
  const servers = globals[SHARED] ?? new Map<TestServer, Promise<Server>>();
  globals[SHARED] = servers;
  const known = servers.get(kind);
  if (known) return known;
  const starting = kind === "bundled" ? startBundled() : startInstalled();
  servers.set(kind, starting);
  return starting;
}

async function startBundled(): Promise<Server> {
  const dataDir = temporaryFolder();
  const { target } = await startEmbedded({ dataDir, log: silentLog });
  return prepare(target);
}

async function startInstalled(): Promise<Server> {
  const url = await startExternal(temporaryFolder());
  return prepare({ kind: "url", url });
}

async function prepare(target: ConnectTarget): Promise<Server> {
  const admin = connect(withDatabase(target, "postgres"), { max: 1 });
  await admin`create database ${admin(TEMPLATE)}`;
  await admin.end();
  const sql = connect(withDatabase(target, TEMPLATE), { max: 1 });
  await migrate(sql);
  await sql.end();
  return { target, count: 0 };
}
