// A change of one place in one source file, as plain JSON. Used by the guards and their preload.

/** What to put in place of what; the text has to be there exactly once. */
export type Rewrite = {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
};

/** Reads a list written by JSON.stringify. @throws TypeError when it is none */
export function parseRewrites(text: string): Rewrite[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new TypeError("rewrites: a list is needed");
  return list.map((one: Partial<Rewrite>) => {
    const { file, find, replace } = one;
    if (file === undefined || find === undefined || replace === undefined) {
      throw new TypeError("rewrites: each needs file, find and replace");
    }
    return { file, find, replace };
  });
}

/** The source with the place changed. @throws RangeError when it is not there exactly once */
export function rewritten(source: string, { file, find, replace }: Rewrite): string {
  const times = source.split(find).length - 1;
  if (times !== 1) throw new RangeError(`${file}: "${find}" is there ${times} times`);
  return source.replace(find, () => replace);
}
