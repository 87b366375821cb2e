// Reads a CSV of numbers from bytes, fed in chunks, without ever making a string of a good line.
// Used by candle-csv.ts. Every number becomes the double nearest to its decimal text, like
// Number(text).
import { InputError } from "./result.ts";

/** Problems a refusal names; further ones are only counted. */
export const CSV_PROBLEMS_MAX = 20;

/** One thing wrong with a file; the header is line 1. */
export type CsvProblem = { readonly line: number; readonly reason: string };

/** A file that was refused as a whole; `total` counts what `problems` could not hold. */
export class CsvError extends InputError {
  constructor(
    readonly problems: readonly CsvProblem[],
    readonly total: number,
    /** Put before the sentence, e.g. the file name. */
    subject = "",
  ) {
    const first = problems[0];
    const more = total > 1 ? ` (and ${total - 1} more)` : "";
    super(`${subject}${first ? `line ${first.line}: ${first.reason}` : "it is empty"}${more}`);
  }

  /** The same refusal with the name of the file in its sentence. */
  about(subject: string): CsvError {
    return new CsvError(this.problems, this.total, `${subject}: `);
  }
}

/** Checks one complete row and keeps its values; calls `report` for each thing wrong with it. */
export type RowSink = {
  row(values: Float64Array, report: (reason: string) => void): void;
};

const NEWLINE = 10;
const RETURN = 13;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const LINE_BYTES_MAX = 4096;
const TEXT_SHOWN_MAX = 40;
const EXACT_MAX = 2 ** 53;
/** Powers of ten that a double holds exactly: dividing an exact integer by one rounds once. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const NOT_FINITE = /^[+-]?(inf|infinity|nan)$/i;

/** A reader of one file: push its bytes in order, then finish. */
export class NumberCsv {
  readonly #header: string;
  readonly #names: readonly string[];
  readonly #sink: RowSink;
  readonly #values: Float64Array;
  readonly #problems: CsvProblem[] = [];
  readonly #report = (reason: string) => this.#add(reason);
  #rest: Uint8Array = new Uint8Array(0);
  #total = 0;
  #line = 0;

  constructor(header: string, sink: RowSink) {
    this.#header = header;
    this.#names = header.split(",");
    this.#values = new Float64Array(this.#names.length);
    this.#sink = sink;
  }

  /** Reads the complete lines of the next bytes; the bytes are not kept. */
  push(chunk: Uint8Array): void {
    let from = 0;
    if (this.#rest.length > 0) {
      const end = chunk.indexOf(NEWLINE) + 1;
      this.#rest = join(this.#rest, end === 0 ? chunk : chunk.subarray(0, end));
      this.#checkLength();
      if (end === 0) return;
      const whole = this.#rest;
      this.#rest = new Uint8Array(0);
      this.#lines(whole, 0, whole.length);
      from = end;
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > from) this.#lines(chunk, from, end);
    this.#rest = chunk.slice(Math.max(from, end));
    this.#checkLength();
  }

  /**
   * Reads the last line, which may lack its newline.
   * @throws CsvError when anything was wrong
   */
  finish(): void {
    if (this.#rest.length > 0) {
      const whole = join(this.#rest, Uint8Array.of(NEWLINE));
      this.#rest = new Uint8Array(0);
      this.#lines(whole, 0, whole.length);
    }
    if (this.#line === 0) {
      this.#line = 1;
      this.#add(`the header is missing; it must be "${this.#header}"`);
    }
    if (this.#total > 0) throw new CsvError(this.#problems, this.#total);
  }

  #add(reason: string): void {
    this.#total += 1;
    const { length } = this.#problems;
    if (length < CSV_PROBLEMS_MAX) this.#problems.push({ line: this.#line, reason });
  }

  /** A file without line ends would otherwise be collected whole. */
  #checkLength(): void {
    if (this.#rest.length <= LINE_BYTES_MAX) return;
    this.#line += 1;
    this.#add(`it is longer than ${LINE_BYTES_MAX} bytes`);
    throw new CsvError(this.#problems, this.#total);
  }

  #lines(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    if (this.#line === 0) at = this.#readHeader(bytes, at);
    while (at < to) at = this.#readLine(bytes, at);
  }

  #readHeader(bytes: Uint8Array, from: number): number {
    this.#line = 1;
    const end = bytes.indexOf(NEWLINE, from);
    const text = textOf(bytes, from, end)
      .replace(/^\uFEFF/, "")
      .replace(/\r$/, "");
    if (text === this.#header) return end + 1;
    this.#add(`the header is "${shortened(text)}"; it must be "${this.#header}"`);
    throw new CsvError(this.#problems, this.#total);
  }

  /** Reads one line, which ends in a newline, and returns where the next begins. */
  #readLine(bytes: Uint8Array, from: number): number {
    this.#line += 1;
    const values = this.#values;
    const last = values.length - 1;
    let p = from;
    for (let column = 0; column <= last; column++) {
      const start = p;
      const isNegative = bytes[p] === MINUS;
      if (isNegative) p += 1;
      let mantissa = 0;
      let digits = 0;
      let decimals = 0;
      let c = bytes[p++]!;
      for (; c >= ZERO && c <= 57; c = bytes[p++]!) {
        mantissa = mantissa * 10 + (c - ZERO);
        digits += 1;
      }
      if (c === POINT) {
        for (c = bytes[p++]!; c >= ZERO && c <= 57; c = bytes[p++]!) {
          mantissa = mantissa * 10 + (c - ZERO);
          decimals += 1;
        }
      }
      if (c === RETURN && bytes[p] === NEWLINE) c = bytes[p++]!;
      const isEnd = column === last ? c === NEWLINE : c === COMMA;
      if (isEnd && digits + decimals > 0 && decimals <= 22 && mantissa <= EXACT_MAX) {
        const value = decimals === 0 ? mantissa : mantissa / POWERS[decimals]!;
        values[column] = isNegative ? -value : value;
        continue;
      }
      const next = this.#readOddField(bytes, start, column);
      if (next < 0) return bytes.indexOf(NEWLINE, from) + 1;
      p = next;
    }
    this.#sink.row(values, this.#report);
    return p;
  }

  /** A field the fast path cannot read; -1 when the line was refused. */
  #readOddField(bytes: Uint8Array, start: number, column: number): number {
    const lineEnd = bytes.indexOf(NEWLINE, start);
    const comma = bytes.indexOf(COMMA, start);
    const hasComma = comma >= 0 && comma < lineEnd;
    const isLast = column === this.#names.length - 1;
    if (hasComma === isLast) {
      const more = textOf(bytes, start, lineEnd).split(",").length;
      const blank = column === 0 && lineEnd - start <= 1 ? "it is blank" : "";
      const count = `it has ${column + more} columns instead of ${this.#names.length}`;
      this.#add(blank || count);
      return -1;
    }
    const end = hasComma ? comma : lineEnd;
    const text = textOf(bytes, start, end).replace(isLast ? /\r$/ : "", "");
    const value = NUMBER.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) {
      const isNumber = NUMBER.test(text) || NOT_FINITE.test(text);
      const what = isNumber ? "a finite number" : "a number";
      this.#add(`${this.#names[column]}: "${shortened(text)}" is not ${what}`);
      return -1;
    }
    this.#values[column] = value;
    return end + 1;
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(from, to));
}

function shortened(text: string): string {
  return text.length <= TEXT_SHOWN_MAX * 2 ? text : `${text.slice(0, TEXT_SHOWN_MAX)}…`;
}
