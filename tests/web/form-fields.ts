// Reads a form out of a page as a browser would send it: inputs, switches that are on, chosen options. Used by
// tests of pages with large forms.

type Fields = Record<string, string>;

/** The fields of the form with this id; a select without a chosen option sends its first. */
export async function fieldsOfForm(page: string, id: string): Promise<Fields> {
  const fields: Fields = {};
  let select: string | null = null;
  const take = (element: HTMLRewriterTypes.Element) => {
    const name = element.getAttribute("name");
    const type = element.getAttribute("type") ?? "text";
    if (name === null || element.hasAttribute("disabled")) return;
    const isChoice = type === "checkbox" || type === "radio";
    if (isChoice && !element.hasAttribute("checked")) return;
    fields[name] = plainText(element.getAttribute("value") ?? "");
  };
  await new HTMLRewriter()
    .on(`form#${id} input`, { element: take })
    .on(`form#${id} select`, {
      element(element) {
        select = element.getAttribute("name");
      },
    })
    .on(`form#${id} option`, {
      element(element) {
        if (select === null || element.getAttribute("value") === null) return;
        const isFirst = fields[select] === undefined;
        if (!isFirst && !element.hasAttribute("selected")) return;
        fields[select] = plainText(element.getAttribute("value") ?? "");
      },
    })
    .transform(new Response(page))
    .text();
  return fields;
}

function plainText(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
