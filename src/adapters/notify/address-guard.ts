// Which addresses a message may be sent to. Used by http-post.ts for every address a name resolves to, right before
// the connection is made to that very address, so that a name cannot change its mind in between.
import { BlockList, isIP } from "node:net";
import { lookup } from "node:dns/promises";

/** An address that may be connected to. */
export type Place = {
  readonly address: string;
  readonly family: 4 | 6;
  readonly isLoopback: boolean;
};

/** Resolves a host name. @throws when there is no such name */
export type Resolve = (host: string) => Promise<readonly string[]>;

const ADDRESSES_MAX = 16;

type Nets = readonly (readonly [net: string, prefix: number])[];

const LOOPBACK: Nets = [
  ["127.0.0.0", 8],
  ["::1", 128],
];
const PRIVATE: Nets = [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["fc00::", 7],
];
/** Never meant for us: "this network", link-local with the metadata services of clouds, multicast, reserved. */
const NEVER: Nets = [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 128],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];
/** A metadata service that lies in the private range. */
const METADATA: ReadonlySet<string> = new Set(["fd00:ec2::254"]);

const loopback = listOf(LOOPBACK);
const within = listOf(PRIVATE);
const never = listOf(NEVER);

function listOf(nets: Nets): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, isIP(net) === 6 ? "ipv6" : "ipv4");
  return list;
}

/** What kind of address it is; lists count IPv4 written as IPv6 as what it stands for. */
export function kindOf(address: string): "public" | "private" | "loopback" | "forbidden" {
  const plain = address.toLowerCase();
  if (isIP(plain) === 0 || METADATA.has(plain)) return "forbidden";
  const family = isIP(plain) === 6 ? "ipv6" : "ipv4";
  if (loopback.check(plain, family)) return "loopback";
  if (never.check(plain, family)) return "forbidden";
  return within.check(plain, family) ? "private" : "public";
}

/** The names of this machine's resolver. */
export const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * The address to connect to. One forbidden address among those of a name refuses the name.
 * @returns a sentence without the address when none may be used
 */
export async function placeOf(
  url: URL,
  mayBePrivate: boolean,
  resolve: Resolve,
): Promise<Place | string> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const found = isIP(host) === 0 ? await resolve(host) : [host];
  const addresses = found.slice(0, ADDRESSES_MAX);
  const [address] = addresses;
  if (address === undefined) return "the name has no address";
  for (const each of addresses) {
    const kind = kindOf(each);
    if (kind === "forbidden") return "the name leads to an address that is never allowed";
    if (kind !== "public" && !mayBePrivate) {
      return "the name leads into a private network, which the settings do not allow";
    }
  }
  const isLoopback = addresses.every((each) => kindOf(each) === "loopback");
  if (url.protocol !== "https:" && !isLoopback) {
    return "only https is allowed, except to this machine";
  }
  return { address, family: isIP(address) === 6 ? 6 : 4, isLoopback };
}
