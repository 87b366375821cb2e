// Columns of numbers as byte planes: all lowest bytes, then all second bytes, and so on, which a
// general compressor squeezes well. Used by candle-chunk.ts and funding-chunk.ts. Nothing is ever
// rounded.
import { InvariantError } from "../../model/result.ts";

/** Decimals a column is tried with before its floats are stored as they are. */
const DECIMALS_MAX = 12;
/** Marks a column stored as float bits. */
export const RAW = 255;
/** Whole numbers up to this may be subtracted and folded without leaving the exact range. */
const WHOLE_MAX = 2 ** 50;
const POWERS = Float64Array.from({ length: DECIMALS_MAX + 1 }, (_, i) => 10 ** i);
const FLOAT_BYTES = 8;
/** Smallest decimals are looked for in this many leading values, then tried on all. */
const SAMPLE = 32;

/** Ten to the power of `decimals`. */
export function scaleOf(decimals: number): number {
  const scale = POWERS[decimals];
  if (scale === undefined) throw new InvariantError(`${decimals} decimals are not in a chunk`);
  return scale;
}

/**
 * The fewest decimals with which every value of the columns is exactly a whole number over a power
 * of ten, `RAW` when there are none.
 */
export function decimalsOf(columns: readonly Float64Array[]): number {
  let decimals = 0;
  for (const column of columns) {
    while (decimals <= DECIMALS_MAX && !isDecimal(column.subarray(0, SAMPLE), decimals)) decimals++;
  }
  for (const column of columns) {
    while (decimals <= DECIMALS_MAX && !isDecimal(column, decimals)) decimals++;
  }
  return decimals <= DECIMALS_MAX ? decimals : RAW;
}

function isDecimal(column: Float64Array, decimals: number): boolean {
  const scale = scaleOf(decimals);
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    const whole = Math.round(value * scale);
    if (whole / scale !== value || whole > WHOLE_MAX || whole < -WHOLE_MAX) return false;
    // A negative zero would come back as zero.
    if (value === 0 && 1 / value < 0) return false;
  }
  return true;
}

/** Folds a signed whole number into an unsigned one: 0, -1, 1, -2 … become 0, 1, 2, 3 …. */
export function fold(value: number): number {
  return value >= 0 ? value * 2 : value * -2 - 1;
}

/** The inverse of `fold`. */
export function unfold(value: number): number {
  const half = value * 0.5;
  const floor = Math.floor(half);
  return floor === half ? half : -1 - floor;
}

/** Collects the bytes of a chunk before compression. */
export class PlaneWriter {
  readonly #count: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** @param numbers how many columns of `count` values will be written at most */
  constructor(count: number, numbers: number, headerBytes: number) {
    this.#count = count;
    this.#bytes = new Uint8Array(headerBytes + numbers * (1 + FLOAT_BYTES * count));
    this.#view = new DataView(this.#bytes.buffer);
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  count(): void {
    this.#view.setUint32(this.#at, this.#count, true);
    this.#at += 4;
  }

  float(value: number): void {
    this.#view.setFloat64(this.#at, value, true);
    this.#at += FLOAT_BYTES;
  }

  /** Whole numbers from 0 below 2^53, in as few planes as the largest needs. */
  wholes(values: Float64Array): void {
    let largest = 0;
    for (let i = 0; i < values.length; i++) if (values[i]! > largest) largest = values[i]!;
    let width = 0;
    while (256 ** width <= largest) width++;
    this.byte(width);
    const bytes = this.#bytes;
    for (let plane = 0; plane < width; plane++) {
      const shift = (plane % 4) * 8;
      const divisor = plane < 4 ? 1 : 2 ** 32;
      for (let i = 0; i < values.length; i++) {
        bytes[this.#at + i] = Math.floor(values[i]! / divisor) >>> shift;
      }
      this.#at += values.length;
    }
  }

  /** Floats bit by bit. */
  floats(values: Float64Array): void {
    const source = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let plane = 0; plane < FLOAT_BYTES; plane++) {
      for (let i = 0; i < values.length; i++) {
        this.#bytes[this.#at + i] = source[i * FLOAT_BYTES + plane]!;
      }
      this.#at += values.length;
    }
  }

  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Reads what PlaneWriter wrote, in the same order. */
export class PlaneReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#view.getUint8(this.#at++);
  }

  count(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  float(): number {
    this.#at += FLOAT_BYTES;
    return this.#view.getFloat64(this.#at - FLOAT_BYTES, true);
  }

  wholes(out: Float64Array): void {
    const width = this.byte();
    this.#need(width * out.length);
    const { length } = out;
    const plane = (k: number) => this.#bytes.subarray(this.#at + k * length);
    if (width === 0) out.fill(0);
    else if (width === 1) out.set(plane(0).subarray(0, length));
    else if (width === 2) joinTwo(plane(0), plane(1), out);
    else joinMany(plane(0), width, out);
    this.#at += width * length;
  }

  floats(out: Float64Array): void {
    this.#need(FLOAT_BYTES * out.length);
    const target = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    for (let plane = 0; plane < FLOAT_BYTES; plane++) {
      for (let i = 0; i < out.length; i++) {
        target[i * FLOAT_BYTES + plane] = this.#bytes[this.#at + i]!;
      }
      this.#at += out.length;
    }
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    throw new InvariantError("a stored chunk ends before its data");
  }
}

function joinTwo(low: Uint8Array, high: Uint8Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = low[i]! | (high[i]! << 8);
}

/** Three to seven planes; a plane beyond the width counts as zeros. */
function joinMany(bytes: Uint8Array, width: number, out: Float64Array): void {
  const { length } = out;
  const fourth = width > 3 ? 3 * length : -1;
  for (let i = 0; i < length; i++) {
    const low = bytes[i]! | (bytes[length + i]! << 8) | (bytes[2 * length + i]! << 16);
    out[i] = fourth < 0 ? low : low + bytes[fourth + i]! * 2 ** 24;
  }
  for (let plane = 4, scale = 2 ** 32; plane < width; plane++, scale *= 256) {
    const at = plane * length;
    for (let i = 0; i < length; i++) out[i] = out[i]! + bytes[at + i]! * scale;
  }
}
