// Checks of plain JSON that a program wrote earlier: every field present, of its kind and in its range. Used where a
// stored state is read back; what people write goes through the schemas of their rooms instead.

/** One sentence about the first thing that is wrong with a value, or null. */
export type PlainCheck = (value: unknown, path: string) => string | null;

function shown(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value).slice(0, 80);
}

function wrong(value: unknown, path: string, wanted: string): string {
  return `${path} is ${shown(value)}; it must be ${wanted}`;
}

/** A finite number from `least` on. */
export function numberFrom(least: number): PlainCheck {
  return (value, path) => {
    const fits = typeof value === "number" && Number.isFinite(value) && value >= least;
    return fits ? null : wrong(value, path, `a number of at least ${least}`);
  };
}

/** A whole number from `least` on. */
export function wholeFrom(least: number): PlainCheck {
  return (value, path) => {
    const fits = Number.isSafeInteger(value) && Number(value) >= least;
    return fits ? null : wrong(value, path, `a whole number of at least ${least}`);
  };
}

/** Any finite number. */
export const anyNumber: PlainCheck = numberFrom(-Number.MAX_VALUE);

/** A text of at most 200 characters. */
export const text: PlainCheck = (value, path) =>
  typeof value === "string" && value.length <= 200 ? null : wrong(value, path, "a short text");

/** True or false. */
export const truth: PlainCheck = (value, path) =>
  typeof value === "boolean" ? null : wrong(value, path, "true or false");

/** Checked by somebody else. */
export const anything: PlainCheck = () => null;

/** One of some values. */
export function oneOf(...values: readonly (string | number)[]): PlainCheck {
  return (value, path) =>
    values.some((one) => one === value) ? null : wrong(value, path, `one of ${values.join(", ")}`);
}

/** Null, or what the check wants. */
export function orNull(check: PlainCheck): PlainCheck {
  return (value, path) => (value === null ? null : check(value, path));
}

/** A list of at most `most` values. */
export function listOf(check: PlainCheck, most: number): PlainCheck {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > most) {
      return wrong(value, path, `a list of at most ${most}`);
    }
    for (let index = 0; index < value.length; index++) {
      const found = check(value[index], `${path}[${index}]`);
      if (found !== null) return found;
    }
    return null;
  };
}

/** An object with exactly these fields. */
export function fields(checks: Readonly<Record<string, PlainCheck>>): PlainCheck {
  const names = Object.keys(checks);
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return wrong(value, path, "an object");
    }
    const known: Readonly<Record<string, unknown>> = { ...value };
    for (const name of Object.keys(known)) {
      if (!names.includes(name)) return `${path}.${name} is not known`;
    }
    for (const [name, check] of Object.entries(checks)) {
      const found = check(known[name], `${path}.${name}`);
      if (found !== null) return found;
    }
    return null;
  };
}
