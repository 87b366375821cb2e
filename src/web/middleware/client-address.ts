// Finds out who is at the other end: the peer itself, or what a configured proxy reports. Mounted
// before everything that counts or trusts. Headers of anybody else are ignored.
import { BlockList, isIP } from "node:net";
import type { MiddlewareHandler } from "hono";
import type { Trust } from "../deps.ts";
import type { WebEnv } from "../route.ts";

const UNKNOWN = "unknown";
/** Longest chain of proxies that is followed. */
const HOPS_MAX = 20;

/** An address without port, brackets, zone and IPv4-in-IPv6 form; undefined when it is none. */
export function plainAddress(text: string): string | undefined {
  const bare = text.trim();
  const withoutPort =
    /^\[([^\]]+)\](?::\d+)?$/.exec(bare)?.[1] ?? /^([\d.]+):\d+$/.exec(bare)?.[1] ?? bare;
  const address = withoutPort.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
  return isIP(address) === 0 ? undefined : address.toLowerCase();
}

/** Tells whether an address belongs to the configured proxies. */
export function proxyMatcher(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** The last address of the chain that no trusted proxy vouches for. */
function clientOf(peer: string, header: string | undefined, isProxy: (a: string) => boolean) {
  let client = peer;
  for (const hop of (header ?? "").split(",").slice(-HOPS_MAX).reverse()) {
    const address = plainAddress(hop);
    if (!isProxy(client) || address === undefined) break;
    client = address;
  }
  return client;
}

/** Sets `address` and `vouched` of the request. */
export function clientAddress({ trustedProxies, authHeader }: Trust): MiddlewareHandler<WebEnv> {
  const isProxy = proxyMatcher(trustedProxies);
  return async (c, next) => {
    const peer = plainAddress(c.env?.peer ?? "") ?? UNKNOWN;
    const isTrusted = peer !== UNKNOWN && isProxy(peer);
    const address = isTrusted ? clientOf(peer, c.req.header("x-forwarded-for"), isProxy) : peer;
    c.set("address", address);
    const named = isTrusted && authHeader ? c.req.header(authHeader)?.trim() : undefined;
    c.set("vouched", named || undefined);
    c.set("visitor", null);
    await next();
  };
}
