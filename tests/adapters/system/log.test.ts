// The operator's log: levels, both forms, and no secret in either.
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createLog, hideKeys, redactText } from "../../../src/adapters/system/log.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";

function capture(level: "debug" | "info" | "warning" | "error", isTerminal: boolean) {
  const lines: string[] = [];
  return { log: createLog({ level, isTerminal, write: (line) => lines.push(line) }), lines };
}

test("JSON lines carry time, level, origin, sentence and fields", () => {
  const { log, lines } = capture("info", false);
  log.child("web").warn("a {strange} sentence", { count: 3, big: 5n });
  const entry = JSON.parse(lines[0] ?? "");
  expect(entry).toMatchObject({ from: "web", message: "a {strange} sentence", count: 3, big: "5" });
  expect(entry.level).toBe("warning");
  expect(entry.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("a terminal gets one readable line, and a stack for an error", () => {
  const { log, lines } = capture("info", true);
  log.info("started", { port: 8400 });
  log.error("failed", { error: new Error("boom", { cause: new Error("deeper") }) });
  expect(lines[0]).toContain("started");
  expect(lines[0]).toContain("port=8400");
  expect(lines[1]).toContain("Error: boom");
});

test("lines below the level are not written", () => {
  const { log, lines } = capture("warning", false);
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(["c", "d"]);
});

for (const isTerminal of [true, false]) {
  test(`no secret passes ${isTerminal ? "to a terminal" : "into JSON"}`, () => {
    const { log, lines } = capture("debug", isTerminal);
    log.info("connecting to postgres://ann:hunter2@db/dragon", {
      url: "postgresql://ann:hunter2@db/dragon",
      password: "hunter2",
      nested: { apiKey: "hunter2", list: [{ token: "hunter2" }] },
      secret: createSecret("hunter2"),
      wrapped: { value: createSecret("hunter2") },
      error: new Error("at postgres://ann:hunter2@db", { cause: new Error("x://a:hunter2@b") }),
      route: "/setup/hunter2hunter2hunter2",
    });
    expect(lines.join("\n")).not.toContain("hunter2");
    expect(lines).toHaveLength(1);
  });
}

test("an address without a password stays as it is", () => {
  expect(redactText("https://dragon.example.org:8400/a")).toBe("https://dragon.example.org:8400/a");
});

for (const isTerminal of [true, false]) {
  test(`nothing that is logged makes a line of its own ${isTerminal ? "on a terminal" : "in JSON"}`, () => {
    const { log, lines } = capture("info", isTerminal);
    const forged =
      'x\n{"level":"error","message":"forged"}\r\u001b[2J\u009b2J\u2028y\u202ez\u{e0041}';
    log.info(forged, { field: forged, level: "fatal", message: "mine", [forged]: 1 });
    expect(lines).toHaveLength(1);
    expect(Bun.stripANSI(lines[0] ?? "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
  });
}

test("a field cannot pass itself off as the level or the sentence of its line", () => {
  const { log, lines } = capture("info", false);
  log.info("real", { level: "fatal", message: "mine", at: 1 });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    ...{ level: "info", message: "real", level_: "fatal", message_: "mine", at_: 1 },
  });
});

test("the lines of an error's stack are indented on a terminal", () => {
  const { log, lines } = capture("info", true);
  log.error("failed", { error: new Error("boom\n12:00:00 info    forged") });
  const below = (lines[0] ?? "").split("\n").slice(1);
  expect(below.length).toBeGreaterThan(1);
  expect(below.every((line) => line.startsWith("    "))).toBe(true);
});

test("what looks like a master key, a token or a full fingerprint is not shown anywhere", () => {
  const { log, lines } = capture("info", false);
  const bytes = randomBytes(32);
  const url = bytes.toString("base64url");
  const [hex, plain] = [bytes.toString("hex"), bytes.toString("base64")];
  log.info(`read ${plain} and ${url}`, {
    what: hex,
    list: [url, `"${hex}"`],
    error: new Error(url),
  });
  const line = lines[0] ?? "";
  for (const secret of [hex, plain, url]) expect(line).not.toContain(secret);
  expect(line).toContain(hex.slice(0, 8));
  expect(hideKeys("/work/area/Some/Long/Folder/Name/of/forty-thr")).toContain("forty-thr");
});

test("long texts and lists are cut, and what cannot be read stops nobody", () => {
  const { log, lines } = capture("info", false);
  const trap = {
    get boom(): never {
      throw new TypeError("no");
    },
  };
  log.info("a", { text: "x".repeat(100_000), list: Array.from({ length: 1000 }, () => 1) });
  log.info("b", trap);
  expect((lines[0] ?? "").length).toBeLessThan(10_000);
  expect(JSON.parse(lines[1] ?? "")).toMatchObject({ message: "b", unreadable: "TypeError" });
});

test("a file gets JSON whatever the terminal gets, from when it is named until it is not", () => {
  const { log, lines } = capture("info", true);
  const kept: string[] = [];
  const child = log.child("web");
  child.info("before");
  log.alsoTo((line) => kept.push(line));
  child.info("now", { password: "hunter2" });
  log.alsoTo(null);
  child.info("after");
  expect(lines).toHaveLength(3);
  expect(kept).toHaveLength(1);
  expect(JSON.parse(kept[0] ?? "")).toMatchObject({
    from: "web",
    message: "now",
    pid: process.pid,
  });
  expect(kept[0]).not.toContain("hunter2");
});
