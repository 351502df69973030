// Requests over time, the caption under the map, the timeline and the map for a room: as a student
// and a teacher meet them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityFaults, count, enter, launch, readyPods, served, shot, sidewaysOverflow } from "./harness.mjs";

let diorama;
before(async () => {
  diorama = await launch();
});
after(() => diorama?.close());

test("requests that a rollout loses are drawn over time, and one press gives the setting that saves them", { timeout: 180_000 }, async () => {
  const page = await diorama.open({ lang: "es" });
  await served(page);
  await page.locator(".request .roll").click();
  await page.locator(".histogram[data-time] .strip").first().waitFor();
  const fix = page.locator(".losses .primary");
  await fix.waitFor({ timeout: 60_000 });
  assert.match(await fix.textContent(), /preStop/);
  assert.match(await page.locator(".histogram .outcome").textContent(), /perdidas/);
  await shot(page, "rollout-lost");
  await fix.click();
  await page.locator(".histogram .outcome[data-good]").waitFor({ timeout: 90_000 });
  assert.match(await page.locator(".histogram .outcome").textContent(), /300/);
  assert.deepEqual(page.complaints, []);
});

test("on the smallest phone the packet stays in sight, step by step, and the map never moves sideways", async () => {
  const page = await diorama.open({ viewport: { width: 360, height: 640 }, hasTouch: true });
  await served(page);
  await page.locator(".request .packet").click();
  const [back, play, on] = [0, 1, 2].map((at) => page.locator(".caption .buttons button").nth(at));
  await play.click();
  const stage = await page.locator("div.map").boundingBox();
  const steps = Number((await page.locator(".caption b").textContent()).match(/of (\d+)/)[1]);
  let replies = 0;
  for (let step = 1; step < steps; step += 1) {
    await on.click();
    await page.waitForTimeout(450);
    assert.match(await page.locator(".caption b").textContent(), new RegExp(`^${step + 1} of ${steps}`));
    const dot = await page.locator(".packet-dot").boundingBox();
    const inside = dot.x >= stage.x && dot.x + dot.width <= stage.x + stage.width
      && dot.y >= stage.y && dot.y + dot.height <= stage.y + stage.height;
    assert.ok(inside, `step ${step + 1}: ${JSON.stringify(dot)} in ${JSON.stringify(stage)}`);
    replies += await page.locator(".packet-dot[data-reply]").count();
  }
  assert.ok(replies > 0, "an answer is drawn otherwise than a request");
  await back.click();
  assert.equal(await sidewaysOverflow(page), 0);
});

test("the Service that is asked is lit while rules decide", async () => {
  const page = await diorama.open();
  await served(page);
  await page.locator(".request .packet").click();
  await page.locator('.record[data-lit][data-key="service/default/web-np"]').waitFor();
});

test("the timeline leads back, and on from there", async () => {
  const page = await diorama.open();
  await served(page);
  await enter(page, "kubectl scale deployment web --replicas=5");
  await count(readyPods(page), 5);
  await page.locator(".clock").click();
  const slider = page.locator(".timeline input");
  await slider.fill("0");
  await count(readyPods(page), 0);
  await page.locator(".timeline button:not(.speed)").nth(1).click();
  await count(readyPods(page), 5);
  await slider.fill("0");
  await page.locator(".timeline .primary").click();
  await count(readyPods(page), 3);
  assert.deepEqual(page.complaints, []);
});

test("the map for a room opens by its address and by a key, and is without accessibility faults", async () => {
  const page = await diorama.open({ hash: "?present=1" });
  assert.equal(await page.locator("header.bar").isVisible(), false);
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.keyboard.press("Alt+p");
  assert.equal(await page.locator("header.bar").isVisible(), true);
  const low = await diorama.open({ viewport: { width: 844, height: 390 }, hasTouch: true });
  assert.deepEqual(await accessibilityFaults(low), []);
  const map = await low.locator("div.map").boundingBox();
  assert.ok(map.height > 280, `${map.height} px are left for the map`);
});
