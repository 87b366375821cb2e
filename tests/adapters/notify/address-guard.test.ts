// Which addresses a message may be sent to.
import { describe, expect, test } from "bun:test";
import { kindOf, placeOf } from "../../../src/adapters/notify/address-guard.ts";

const PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946", "172.32.0.1"];
const PRIVATE = [
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.5",
  "100.64.0.1",
  "fd12::1",
];
const LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"];
const FORBIDDEN = [
  ...["169.254.169.254", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "fe80::1", "fd00:ec2::254"],
  ...["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"],
  ...["192.0.2.1", "not an address", ""],
];

test("kinds of addresses", () => {
  const all = (list: readonly string[]) => list.map((each) => [each, kindOf(each)]);
  const as = (list: readonly string[], kind: string) => list.map((each) => [each, kind]);
  expect(all(PUBLIC)).toEqual(as(PUBLIC, "public"));
  expect(all(PRIVATE)).toEqual(as(PRIVATE, "private"));
  expect(all(LOOPBACK)).toEqual(as(LOOPBACK, "loopback"));
  expect(all(FORBIDDEN)).toEqual(as(FORBIDDEN, "forbidden"));
});

describe("places:", () => {
  const at =
    (...addresses: string[]) =>
    async () =>
      addresses;
  const url = (text: string) => new URL(text);

  test("a public name over https is taken as the address it has now", async () => {
    const place = await placeOf(url("https://example.org/x"), false, at("93.184.216.34"));
    expect(place).toEqual({ address: "93.184.216.34", family: 4, isLoopback: false });
  });

  test("one bad address among good ones refuses the name", async () => {
    const addresses = at("93.184.216.34", "10.0.0.1");
    expect(await placeOf(url("https://example.org"), false, addresses)).toContain("private");
    const metadata = at("93.184.216.34", "169.254.169.254");
    expect(await placeOf(url("https://example.org"), true, metadata)).toContain("never allowed");
  });

  test("private networks only where the owner allows them, metadata never", async () => {
    const lan = url("https://192.168.1.5/x");
    expect(await placeOf(lan, false, at())).toContain("private");
    expect(await placeOf(lan, true, at())).toMatchObject({ address: "192.168.1.5" });
    expect(await placeOf(url("https://169.254.169.254/"), true, at())).toContain("never allowed");
    // Numbers in other writings are read as addresses by the URL itself.
    expect(await placeOf(url("https://0xa9fea9fe/"), true, at())).toContain("never allowed");
    expect(await placeOf(url("https://2130706433/"), false, at())).toContain("private");
  });

  test("without TLS only this machine", async () => {
    expect(await placeOf(url("http://example.org"), true, at("1.1.1.1"))).toContain("https");
    expect(await placeOf(url("http://192.168.1.5"), true, at())).toContain("https");
    expect(await placeOf(url("http://127.0.0.1:9"), true, at())).toMatchObject({
      isLoopback: true,
    });
    expect(await placeOf(url("http://[::1]:9"), true, at())).toMatchObject({ family: 6 });
  });

  test("a name without an address is refused", async () => {
    expect(await placeOf(url("https://example.org"), false, at())).toContain("no address");
  });
});
