// The page of alarms: for owners, what is typed is checked, and neither address nor secret ever come back.
import { expect, test } from "bun:test";
import type { Delivery } from "../../src/ports/notifier.ts";
import { tradingCase } from "./trading-case.ts";

const URL = "https://hooks.example.org/T0ken-in-the-path";

test("an owner stores, tests and switches off; nobody else sees the page", async () => {
  let delivery: Delivery = { outcome: "delivered" };
  const world = await tradingCase({ notifier: { deliver: async () => delivery } });
  try {
    for (const role of ["viewer", "trader"] as const) {
      const browser = await world.browser(role);
      expect((await browser.get("/settings/alarms")).status).toBe(403);
      expect((await browser.post("/settings/alarms", {})).status).toBe(403);
    }
    const owner = await world.browser("owner");
    expect(await (await owner.get("/settings/alarms")).text()).toContain("Nobody will be told");
    expect((await owner.post("/settings/alarms/test")).status).toBe(409);

    const bad = await owner.post("/settings/alarms", { kind: "webhook", url: "example" });
    expect(bad.status).toBe(422);
    const badText = await bad.text();
    expect(badText).toContain("complete address");
    expect(badText).toContain('value="example"');

    const made = await owner.post("/settings/alarms", { kind: "webhook", url: URL });
    const secret = /whsec_[A-Za-z0-9+/=]+/.exec(await made.text())?.[0];
    expect(secret).toBeDefined();
    const page = await (await owner.get("/settings/alarms")).text();
    expect(page).toContain("https://hooks.example.org");
    expect(page).not.toContain("T0ken");
    expect(page).not.toContain(secret ?? "whsec_");

    const tested = await owner.post("/settings/alarms/test");
    expect(tested.headers.get("location")).toBe("/settings/alarms?done=delivered");
    delivery = { outcome: "failed", isFinal: true, sentence: "the receiver answered 404" };
    const failed = await owner.post("/settings/alarms/test");
    expect([failed.status, (await failed.text()).includes("answered 404")]).toEqual([422, true]);

    expect((await owner.post("/settings/alarms/off")).status).toBe(303);
    expect(await (await owner.get("/settings/alarms")).text()).toContain("Nobody will be told");
  } finally {
    await world.close();
  }
}, 60_000);
