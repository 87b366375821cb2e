// A person in front of the pages, without a browser: sets the program up by its link, reads pages and sends their
// forms with the cookie and the token a browser would send. Used by smoke-world.ts.
import { expect } from "bun:test";
import { CSRF_FIELD } from "../../views/components/form.tsx";

/** Somebody who is signed in. */
export type Person = {
  /** The text of a page without its markup, one space between words. @throws when it is refused */
  read(path: string): Promise<string>;
  /** Sends a form. @returns where it leads; the page with its sentence when it is refused */
  send(path: string, fields?: Readonly<Record<string, string>>): Promise<Sent>;
};

/** What came of a form. */
export type Sent = { readonly leadsTo: string } | { readonly refused: string };

const EMAIL = "ann@example.org";
const PASSWORD = "plum-harbour-nine-otters";
/** As much of a refused page as helps to see why. */
const SHOWN_CHARS = 2000;

/** Creates the owner and signs in. */
export async function setUp(setupUrl: string): Promise<Person> {
  const fields = { email: EMAIL, password: PASSWORD, repeat: PASSWORD, timeZone: "UTC" };
  return await entered(setupUrl, fields);
}

/** Signs in at a program that was started again. */
export async function signIn(url: string): Promise<Person> {
  return await entered(`${url}/login`, { email: EMAIL, password: PASSWORD });
}

async function entered(address: string, fields: Record<string, string>): Promise<Person> {
  const answer = await fetch(address, {
    ...{ method: "POST", redirect: "manual", body: new URLSearchParams(fields) },
  });
  const cookie = answer.headers.get("set-cookie")?.split(";")[0];
  expect(answer.status, await answer.text()).toBe(303);
  if (cookie === undefined) throw new Error("nobody was signed in");
  return personOf(new URL(address).origin, cookie);
}

async function personOf(origin: string, cookie: string): Promise<Person> {
  const get = async (path: string) => {
    const answer = await fetch(origin + path, { headers: { cookie }, redirect: "manual" });
    const text = await answer.text();
    expect(answer.status, `${path}: ${text.slice(0, SHOWN_CHARS)}`).toBe(200);
    return text;
  };
  const token = new RegExp(`name="${CSRF_FIELD}" value="([^"]+)"`);
  const csrf = token.exec(await get("/account"))?.[1];
  if (csrf === undefined) throw new Error("no form has a token");
  return {
    read: async (path) => textOf(await get(path)),
    async send(path, fields = {}) {
      const body = new URLSearchParams({ [CSRF_FIELD]: csrf, ...fields });
      const wish = { method: "POST", redirect: "manual", headers: { cookie }, body } as const;
      const answer = await fetch(origin + path, wish);
      const text = await answer.text();
      const leadsTo = answer.headers.get("location");
      return answer.status === 303 && leadsTo !== null ? { leadsTo } : { refused: textOf(text) };
    },
  };
}

/** What of a page people read. */
function textOf(html: string): string {
  const shown = html.replace(/<(script|style|head)\b.*?<\/\1>/gs, " ").replace(/<[^>]+>/g, " ");
  const words = { "&#39;": "'", "&quot;": '"', "&lt;": "<", "&gt;": ">", "&amp;": "&" };
  return shown
    .replace(/&(#39|quot|lt|gt|amp);/g, (mark) => words[mark as keyof typeof words])
    .replace(/\s+/g, " ");
}
