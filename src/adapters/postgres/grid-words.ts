// The different values of a column with few of them, found by jumping from one to the next in its
// index. Called by the grids of this folder.
import type { Query } from "./connect.ts";
import type { Fragment } from "./grid-condition.ts";

/** More different values than this and a column is compared row by row instead. */
export const WORDS_MAX = 1000;

/** All different values in the order of the index; null when there are more than WORDS_MAX. */
export async function readWords(
  sql: Query,
  { table, scope }: { readonly table: Fragment; readonly scope: Fragment },
  value: Fragment,
): Promise<readonly string[] | null> {
  const rows = await sql<{ word: string }[]>`
    with recursive words as (
      (select ${value} as word from ${table} where ${scope} order by 1 limit 1)
      union all
      select (
        select ${value} from ${table} where ${scope} and ${value} > words.word order by 1 limit 1
      )
      from words where words.word is not null
    )
    select word from words where word is not null limit ${WORDS_MAX + 1}`;
  return rows.length > WORDS_MAX ? null : rows.map(({ word }) => word);
}
