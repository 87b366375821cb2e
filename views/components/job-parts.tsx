// Parts that the tables of the page of jobs share: heads, and the short name of a process.

/** Column heads. @param wide those that a phone leaves out */
export function Heads({
  names,
  wide = [],
}: {
  names: readonly string[];
  wide?: readonly string[];
}) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th scope="col">{name}</th>
        ))}
        {wide.map((name) => (
          <th scope="col" class="wide-only">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** Host and process number of a holder, or nobody; the rest of a name only tells one start from the next. */
export function Process({ name }: { name: string | null }) {
  if (name === null) return <span class="muted">nobody</span>;
  return <span title={name}>{name.replace(/-\d+$/, "")}</span>;
}
