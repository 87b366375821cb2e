// The one place that opens connections to PostgreSQL. Called by database.ts, embedded.ts and tests;
// everything above receives a Sql and never knows whose server it is.
import postgres from "postgres";
import { OID, parseInt8, parseTimestamptz, serializeTimestamptz } from "./rows.ts";

/** A pool of connections: tagged templates, transactions, listen. */
export type Sql = postgres.Sql<Record<never, never>>;

/** A transaction in progress. */
export type Transaction = postgres.TransactionSql<Record<never, never>>;

/** Anything that runs a query: the pool or a transaction. */
export type Query = Sql | Transaction;

/** Where a database is. */
export type ConnectTarget =
  | {
      readonly kind: "socket";
      /** The folder that holds `.s.PGSQL.<port>`. */
      readonly folder: string;
      readonly port: number;
      readonly user: string;
      readonly database: string;
    }
  | { readonly kind: "url"; readonly url: string };

/** Limits of a pool. */
export type ConnectOptions = {
  /** Connections at once; 10 when absent. */
  readonly max?: number;
  /** A statement running longer is cancelled; 30 s when absent, 0 means never. */
  readonly statementTimeoutMs?: number;
  /** A transaction waiting longer for its client is ended; 30 s when absent, 0 means never. */
  readonly idleInTransactionTimeoutMs?: number;
  readonly connectTimeoutS?: number;
};

const TIMEOUT_MS = 30_000;
const IDLE_CONNECTION_S = 60;

/**
 * Opens a pool; connections are made when first needed and closed when idle.
 * `int8` arrives as number, `numeric` as text, `timestamptz` as epoch milliseconds, column names in
 * camelCase; keys inside JSON stay as they are.
 */
export function connect(target: ConnectTarget, options: ConnectOptions = {}): Sql {
  const settings: postgres.Options<Record<string, postgres.PostgresType>> = {
    max: options.max ?? 10,
    idle_timeout: IDLE_CONNECTION_S,
    connect_timeout: options.connectTimeoutS ?? 10,
    onnotice: () => undefined,
    types: {
      bigint: { to: OID.int8, from: [OID.int8], serialize: String, parse: parseInt8 },
      date: {
        to: OID.timestamptz,
        from: [OID.timestamptz],
        serialize: serializeTimestamptz,
        parse: parseTimestamptz,
      },
      calendarDate: { to: OID.date, from: [OID.date], serialize: String, parse: String },
    },
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
    connection: {
      application_name: "dragon",
      // Instants in the form parseTimestamptz reads, whatever the server's settings are.
      DateStyle: "ISO",
      TimeZone: "UTC",
      // Floats as the shortest text that reads back as the same float.
      extra_float_digits: 1,
      statement_timeout: options.statementTimeoutMs ?? TIMEOUT_MS,
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? TIMEOUT_MS,
    },
  };
  if (target.kind === "url") return postgres(target.url, settings);
  return postgres({
    ...settings,
    host: target.folder,
    port: target.port,
    path: `${target.folder}/.s.PGSQL.${target.port}`,
    user: target.user,
    pass: "",
    database: target.database,
    ssl: false,
  });
}

/** The same server, another database. */
export function withDatabase(target: ConnectTarget, database: string): ConnectTarget {
  if (target.kind === "socket") return { ...target, database };
  const url = new URL(target.url);
  url.pathname = `/${encodeURIComponent(database)}`;
  return { kind: "url", url: url.href };
}

/** A target for people: no password in it. */
export function describeTarget(target: ConnectTarget): string {
  if (target.kind === "socket") return `${target.database} at ${target.folder}`;
  const url = new URL(target.url);
  const name = decodeURIComponent(url.pathname.slice(1));
  return `${name || "the default database"} at ${url.hostname}:${url.port || "5432"}`;
}
