// The operator's log on stderr: readable lines on a terminal, JSON lines otherwise. Called by
// main.ts once. Secrets never pass: known values and telling field names become a placeholder.
import { configureSync, getLogger, type Logger, type LogRecord } from "@logtape/logtape";
import type { Log, LogFields } from "../../ports/log.ts";

/** How and where to log. */
export type LogOptions = {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly isTerminal: boolean;
  /** Receives one line without its line end. */
  write(line: string): void;
};

const PLACEHOLDER = "[hidden]";
const SECRET_FIELD = /pass(word|wd|phrase)|secret|token|master.?key|api.?key|authorization|cookie/i;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@]+@/gi;
const SETUP_LINK = /(\/setup\/)[A-Za-z0-9_-]{16,}/g;
const DEPTH_MAX = 4;

/** Replaces passwords in addresses and one-time links inside a text. */
export function redactText(text: string): string {
  return text.replace(URL_PASSWORD, `$1${PLACEHOLDER}@`).replace(SETUP_LINK, `$1${PLACEHOLDER}`);
}

/** Copies a field value with secrets replaced; errors become their message and stack. */
export function redactValue(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return redactError(value, depth);
  if (typeof value !== "object" || value === null) return value;
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return redactValue(value.toJSON(), depth + 1);
  }
  if (depth >= DEPTH_MAX) return "…";
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  return redactFields(value, depth + 1);
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    SECRET_FIELD.test(name) ? PLACEHOLDER : redactValue(value, depth),
  ]);
  return Object.fromEntries(entries);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const plain: Record<string, unknown> = {
    name: error.name,
    message: redactText(error.message),
    stack: redactText(error.stack ?? ""),
  };
  if (error.cause !== undefined && depth < DEPTH_MAX) {
    plain.cause = redactValue(error.cause, depth + 1);
  }
  return plain;
}

/** Builds the log; the latest call wins for the whole process. */
export function createLog(options: LogOptions): Log {
  const format = options.isTerminal ? formatLine : formatJson;
  configureSync({
    reset: true,
    sinks: { operator: (record) => options.write(format(record)) },
    loggers: [
      { category: ["dragon"], sinks: ["operator"], lowestLevel: options.level },
      { category: ["logtape", "meta"], sinks: ["operator"], lowestLevel: "error" },
    ],
  });
  return wrap(getLogger(["dragon"]));
}

function wrap(logger: Logger): Log {
  return {
    debug: (sentence, fields) => logger.debug("{sentence}", record(sentence, fields)),
    info: (sentence, fields) => logger.info("{sentence}", record(sentence, fields)),
    warn: (sentence, fields) => logger.warn("{sentence}", record(sentence, fields)),
    error: (sentence, fields) => logger.error("{sentence}", record(sentence, fields)),
    child: (name) => wrap(logger.getChild(name)),
  };
}

// The sentence travels as a property because braces in it would be read as a template.
function record(sentence: string, fields: LogFields = {}): Record<string, unknown> {
  return { fields: redactFields(fields, 0), sentence: redactText(sentence) };
}

function sentenceOf(entry: LogRecord): string {
  const sentence = entry.properties.sentence;
  return typeof sentence === "string" ? sentence : entry.message.map(String).join("");
}

function fieldsOf(entry: LogRecord): Record<string, unknown> {
  const fields = entry.properties.fields;
  return typeof fields === "object" && fields !== null ? { ...fields } : {};
}

function formatJson(entry: LogRecord): string {
  return JSON.stringify({
    at: new Date(entry.timestamp).toISOString(),
    level: entry.level,
    from: entry.category.slice(1).join(".") || undefined,
    message: sentenceOf(entry),
    ...fieldsOf(entry),
  });
}

const COLOURS: Record<string, string> = { debug: "90", info: "36", warning: "33", error: "31" };

function formatLine(entry: LogRecord): string {
  const time = new Date(entry.timestamp).toISOString().slice(11, 19);
  const from = entry.category.slice(1).join(".");
  const fields = Object.entries(fieldsOf(entry)).map(([name, value]) => describe(name, value));
  const level = `\x1b[${COLOURS[entry.level] ?? "0"}m${entry.level.padEnd(7)}\x1b[0m`;
  const head = `\x1b[90m${time}\x1b[0m ${level} ${from ? `${from}: ` : ""}${sentenceOf(entry)}`;
  return fields.length > 0 ? `${head} \x1b[90m${fields.join(" ")}\x1b[0m` : head;
}

function describe(name: string, value: unknown): string {
  if (typeof value !== "object" || value === null) return `${name}=${String(value)}`;
  const stack = "stack" in value && typeof value.stack === "string" ? value.stack : undefined;
  return stack === undefined ? `${name}=${JSON.stringify(value)}` : `${name}=\n${stack}`;
}
