// How each exchange checks the signature of a request, written by hand from its documents; nothing of
// ccxt is used.
import { createHash, createHmac } from "node:crypto";

/** What was received, as raw text. */
export type Received = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};
type Keys = { readonly apiKey: string; readonly apiSecret: string; readonly passphrase: string };

const hmac = (secret: string, text: string, form: "hex" | "base64", hash = "sha256") =>
  createHmac(hash, secret).update(text).digest(form);
const header = ({ headers }: Received, name: string) => headers[name] ?? "";
const target = ({ path, query }: Received) => (query === "" ? path : `${path}?${query}`);

/** True when key, time and signature are what the exchange demands. */
export const SIGNATURES: Readonly<Record<string, (got: Received, keys: Keys) => boolean>> = {
  woox(got, { apiKey, apiSecret }) {
    const at = header(got, "x-api-timestamp");
    const text = at + got.method + target(got) + got.body;
    const isKnown = header(got, "x-api-key") === apiKey;
    return isKnown && header(got, "x-api-signature") === hmac(apiSecret, text, "hex");
  },
  binance(got, { apiKey, apiSecret }) {
    const sent = got.method === "POST" || got.method === "PUT" ? got.body : got.query;
    const [text = "", signature] = sent.split("&signature=");
    const isTimed = /(^|&)timestamp=\d{13}(&|$)/.test(text);
    const isKnown = header(got, "x-mbx-apikey") === apiKey;
    return isTimed && isKnown && signature === hmac(apiSecret, text, "hex");
  },
  bybit(got, { apiKey, apiSecret }) {
    const at = header(got, "x-bapi-timestamp");
    const window = header(got, "x-bapi-recv-window");
    const sent = got.method === "POST" ? got.body : got.query;
    const isKnown = header(got, "x-bapi-api-key") === apiKey;
    const expected = hmac(apiSecret, at + apiKey + window + sent, "hex");
    return isKnown && header(got, "x-bapi-sign") === expected;
  },
  okx(got, { apiKey, apiSecret, passphrase }) {
    const at = header(got, "ok-access-timestamp");
    const text = at + got.method + target(got) + got.body;
    const isKnown =
      header(got, "ok-access-key") === apiKey &&
      header(got, "ok-access-passphrase") === passphrase &&
      !Number.isNaN(Date.parse(at));
    return isKnown && header(got, "ok-access-sign") === hmac(apiSecret, text, "base64");
  },
  kucoin(got, { apiKey, apiSecret, passphrase }) {
    const at = header(got, "kc-api-timestamp");
    const text = at + got.method + target(got) + got.body;
    const isKnown =
      header(got, "kc-api-key") === apiKey &&
      header(got, "kc-api-passphrase") === hmac(apiSecret, passphrase, "base64");
    return isKnown && header(got, "kc-api-sign") === hmac(apiSecret, text, "base64");
  },
  upbit(got, { apiKey, apiSecret }) {
    const [head = "", claims = "", signature = ""] = header(got, "authorization")
      .replace("Bearer ", "")
      .split(".");
    const { alg } = JSON.parse(Buffer.from(head, "base64url").toString());
    const hash = { HS256: "sha256", HS512: "sha512" }[String(alg)] ?? "";
    const expected = createHmac(hash, apiSecret).update(`${head}.${claims}`).digest("base64url");
    const token = JSON.parse(Buffer.from(claims, "base64url").toString());
    const sent =
      got.body === ""
        ? decodeURIComponent(got.query)
        : new URLSearchParams(JSON.parse(got.body)).toString();
    const isCovered =
      sent === "" || token.query_hash === createHash("sha512").update(sent).digest("hex");
    return signature === expected && token.access_key === apiKey && isCovered;
  },
};
