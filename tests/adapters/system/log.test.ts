// The operator's log: levels, both forms, and no secret in either.
import { expect, test } from "bun:test";
import { createLog, redactText } from "../../../src/adapters/system/log.ts";
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
