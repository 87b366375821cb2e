// Doctor: each fact turns into its verdict, with a cure where something is wrong.
import { expect, test } from "bun:test";
import { type DoctorProbes, examine, type Verdict } from "../../../src/services/desk/doctor.ts";

const GIB = 1024 ** 3;

const healthy: DoctorProbes = {
  config: async () => ({ unknown: [] }),
  folder: async () => ({ path: "/d", exists: true, isWritable: true, freeBytes: 50 * GIB }),
  database: async () => ({
    kind: "embedded",
    version: "18.4",
    schema: { current: 5, latest: 5 },
    clockOffsetMs: 3,
    key: "matches",
  }),
  key: async () => ({ from: "file", path: "/d/master.key" }),
  port: async () => ({ address: "127.0.0.1:8400", state: "free" }),
  memory: async () => ({ availableBytes: 4 * GIB }),
  libraries: async () => ({ needed: true, glibc: "2.36", hasLibstdcxx: true }),
};
const database = await healthy.database();

test("a healthy installation has only ok findings", async () => {
  const findings = await examine(healthy);
  expect(findings.map((finding) => finding.verdict)).toEqual(findings.map(() => "ok"));
  expect(findings.length).toBeGreaterThanOrEqual(9);
});

const CASES: [what: string, change: Partial<DoctorProbes>, name: string, verdict: Verdict][] = [
  [
    "an unknown variable",
    { config: async () => ({ unknown: ["DRAGON_X"] }) },
    "configuration",
    "warn",
  ],
  [
    "a folder that cannot be written",
    { folder: async () => ({ path: "/d", exists: true, isWritable: false, freeBytes: GIB }) },
    "data folder",
    "fail",
  ],
  [
    "little disk space",
    { folder: async () => ({ path: "/d", exists: true, isWritable: true, freeBytes: GIB }) },
    "data folder",
    "warn",
  ],
  [
    "a full disk",
    { folder: async () => ({ path: "/d", exists: true, isWritable: true, freeBytes: 1000 }) },
    "data folder",
    "fail",
  ],
  [
    "pending migrations",
    { database: async () => database && { ...database, schema: { current: 3, latest: 5 } } },
    "schema",
    "warn",
  ],
  [
    "a wrong key",
    { database: async () => database && { ...database, key: "differs" } },
    "key check",
    "fail",
  ],
  [
    "a lost key",
    { database: async () => database && { ...database, key: "absent" } },
    "key check",
    "fail",
  ],
  [
    "a clock that is off",
    { database: async () => database && { ...database, clockOffsetMs: -5000 } },
    "clock",
    "warn",
  ],
  ["a taken port", { port: async () => ({ address: "x:1", state: "taken" }) }, "port", "fail"],
  ["little memory", { memory: async () => ({ availableBytes: 1000 }) }, "memory", "warn"],
  [
    "an old glibc",
    { libraries: async () => ({ needed: true, glibc: "2.24", hasLibstdcxx: true }) },
    "libraries",
    "fail",
  ],
  [
    "a missing libstdc++",
    { libraries: async () => ({ needed: true, glibc: "2.36", hasLibstdcxx: false }) },
    "libraries",
    "fail",
  ],
];

for (const [what, change, name, verdict] of CASES) {
  test(`${what} is ${verdict} and has a cure`, async () => {
    const findings = await examine({ ...healthy, ...change });
    const unhealthy = findings.filter((finding) => finding.verdict !== "ok");
    expect(unhealthy).toMatchObject([{ name, verdict }]);
    expect(unhealthy[0]?.cure?.length ?? 0).toBeGreaterThan(10);
  });
}

test("before the first start nothing is wrong", async () => {
  const findings = await examine({
    ...healthy,
    database: async () => undefined,
    key: async () => undefined,
    folder: async () => ({ path: "/d", exists: false, isWritable: true, freeBytes: 9 * GIB }),
  });
  expect(findings.every((finding) => finding.verdict === "ok")).toBe(true);
});

test("a probe that throws is a failed finding, and a broken environment ends the examination", async () => {
  const refuse = async () => {
    throw new Error("no such host");
  };
  const findings = await examine({ ...healthy, database: refuse });
  expect(findings).toContainEqual({ name: "database", verdict: "fail", sentence: "no such host" });
  expect(await examine({ ...healthy, config: refuse })).toHaveLength(1);
});
