// JSON whose numbers lose nothing. Used for every answer to the broker: exchanges send amounts and
// ids as bare numbers, and a double holds only some of them.

/**
 * Parses a JSON object or array; a number that a double cannot carry digit for digit becomes its
 * source text. Undefined when the text is no JSON object or array.
 */
export function parseExact(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text, exactValue);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function exactValue(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined) return value;
  return digitsOf(source) === digitsOf(String(value)) ? value : source;
}

/** The significant digits of a number's text, without its sign, point, exponent or outer zeros. */
function digitsOf(text: string): string {
  return (text.split(/e/i)[0] ?? "").replace(/[-+.]/g, "").replace(/^0+|0+$/g, "");
}
