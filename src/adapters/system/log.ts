// The operator's log on stderr: readable lines on a terminal, JSON lines otherwise, and JSON lines to a file
// once one is given. Called by main.ts once. Secrets never pass: known values, telling field names and whatever
// looks like one of our keys become a placeholder. Nothing that is logged can make a line of its own.
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
const CHARACTERS_MAX = 8000;
const ITEMS_MAX = 50;
/** 32 random bytes as they are written for a master key or a token: base64 of either alphabet. */
const KEY_BASE64 = /(?<![A-Za-z0-9+/_=-])(?:dragon_)?([A-Za-z0-9+/_-]{43})=?(?![A-Za-z0-9+/_=-])/g;
/** The same in hex; fingerprints have this shape too and stay readable by their first characters. */
const KEY_HEX = /(?<![0-9A-Za-z])([0-9a-f]{8})[0-9a-f]{56}(?![0-9A-Za-z])/gi;
/** Control signs, line ends and what changes the direction of text. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The log of the program. */
export type OperatorLog = Log & {
  /** Sends every further line also here, as JSON whatever the terminal gets; null ends it. */
  alsoTo(write: ((line: string) => void) | null): void;
};

/** Replaces passwords in addresses and one-time links inside a text, and cuts it to a bearable length. */
export function redactText(text: string): string {
  const cut = text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX)}…` : text;
  return cut.replace(URL_PASSWORD, `$1${PLACEHOLDER}@`).replace(SETUP_LINK, `$1${PLACEHOLDER}`);
}

/** The last look at a line: whatever has the shape of key material is not shown. */
export function hideKeys(line: string): string {
  return line
    .replace(KEY_BASE64, (whole: string, key: string) =>
      /[a-z]/.test(key) && /[A-Z]/.test(key) ? PLACEHOLDER : whole,
    )
    .replace(KEY_HEX, "$1…");
}

/** Writes what would move a terminal's cursor or end a line as visible text. */
function escapeControls(text: string): string {
  return text.replace(CONTROL, (sign) => (sign === "\n" ? "\\n" : codesOf(sign)));
}

function codesOf(sign: string): string {
  const units = sign.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return units.map((unit) => `\\u${unit}`).join("");
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
  if (Array.isArray(value)) {
    return value.slice(0, ITEMS_MAX).map((item) => redactValue(item, depth + 1));
  }
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  return redactFields(value, depth + 1);
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(fields)
    .slice(0, ITEMS_MAX)
    .map(([name, value]) => [
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
export function createLog(options: LogOptions): OperatorLog {
  const format = options.isTerminal ? formatLine : formatJson;
  let also: ((line: string) => void) | null = null;
  const sinks = {
    operator: (record: LogRecord) => options.write(hideKeys(format(record))),
    file: (record: LogRecord) => also?.(hideKeys(formatJson(record))),
  };
  const both: (keyof typeof sinks)[] = ["operator", "file"];
  configureSync({
    reset: true,
    sinks,
    loggers: [
      { category: ["dragon"], sinks: both, lowestLevel: options.level },
      { category: ["logtape", "meta"], sinks: ["operator"], lowestLevel: "error" },
    ],
  });
  return {
    ...wrap(getLogger(["dragon"])),
    alsoTo(write) {
      also = write;
    },
  };
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
  return { fields: safeFields(fields), sentence: redactText(sentence) };
}

/** Whoever logs must never fail because of what is logged. */
function safeFields(fields: LogFields): Record<string, unknown> {
  try {
    return redactFields(fields, 0);
  } catch (error) {
    return { unreadable: error instanceof Error ? error.name : "fields" };
  }
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
  const head = {
    at: new Date(entry.timestamp).toISOString(),
    level: entry.level,
    from: entry.category.slice(1).join(".") || undefined,
    message: sentenceOf(entry),
    pid: process.pid,
  };
  // A field must not pass itself off as the line's own level or sentence.
  const fields = Object.entries(fieldsOf(entry)).map(([name, value]) => [
    name in head ? `${name}_` : name,
    value,
  ]);
  return escapeControls(JSON.stringify({ ...head, ...Object.fromEntries(fields) }));
}

const COLOURS: Record<string, string> = { debug: "90", info: "36", warning: "33", error: "31" };

function formatLine(entry: LogRecord): string {
  const time = new Date(entry.timestamp).toISOString().slice(11, 19);
  const from = entry.category.slice(1).join(".");
  const fields = Object.entries(fieldsOf(entry)).map(([name, value]) => describe(name, value));
  const level = `\x1b[${COLOURS[entry.level] ?? "0"}m${entry.level.padEnd(7)}\x1b[0m`;
  const sentence = escapeControls(sentenceOf(entry));
  const head = `\x1b[90m${time}\x1b[0m ${level} ${from ? `${from}: ` : ""}${sentence}`;
  return fields.length > 0 ? `${head} \x1b[90m${fields.join(" ")}\x1b[0m` : head;
}

function describe(name: string, value: unknown): string {
  if (typeof value !== "object" || value === null) {
    return `${escapeControls(name)}=${escapeControls(String(value))}`;
  }
  const stack = "stack" in value && typeof value.stack === "string" ? value.stack : undefined;
  const text = JSON.stringify(value);
  if (stack === undefined) return `${escapeControls(name)}=${escapeControls(text)}`;
  // Every line of a stack is indented: none can be taken for a line of the log.
  const lines = stack.split("\n").map((line) => `    ${escapeControls(line)}`);
  return `${escapeControls(name)}=\n${lines.join("\n")}`;
}
