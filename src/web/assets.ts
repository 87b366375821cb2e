// Compressed forms of the embedded files: those the executable carries, else made once at their first
// use. Built by the composition; read by routes/static-files.ts.
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { StaticFile } from "../../static/index.ts";
import type { Assets, Encoded } from "./deps.ts";

type Encoding = Encoded["encoding"];

/** Files with compressed data by `<encoding> <path>`; a path holds its content's hash, so none is stale. */
export type PackedFiles = Readonly<Record<string, string>>;

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

/** Compresses as far as it goes: each file is compressed once and sent for years. */
export async function compress(text: string, encoding: Encoding): Promise<Uint8Array> {
  if (encoding === "gzip") return zip(text, { level: 9 });
  return brotli(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
}

/** Assets over what the executable carries; nothing when run from source. */
export function createAssets(packed: PackedFiles = {}): Assets {
  const made = new Map<string, Promise<Uint8Array>>();
  const dataOf = (file: StaticFile, encoding: Encoding) => {
    const key = `${encoding} ${file.path}`;
    const known = made.get(key);
    if (known) return known;
    const carried = packed[key];
    const data = carried ? Bun.file(carried).bytes() : compress(file.text, encoding);
    made.set(key, data);
    return data;
  };
  return {
    async find(file, accepts) {
      const encoding = (["br", "gzip"] as const).find((name) =>
        new RegExp(`(^|[\\s,])${name}($|[\\s,;])`).test(accepts),
      );
      return encoding && { encoding, data: await dataOf(file, encoding) };
    },
  };
}
