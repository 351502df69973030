// The tab stays alive, whatever is pasted into it and however many Pods there are.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityFaults, count, enter, launch, readyPods, write } from "./harness.mjs";

let diorama;
before(async () => {
  diorama = await launch();
});
after(() => diorama?.close());

/** The longest time, in milliseconds, that the page let a timer wait while something was done. */
async function longestFreeze(page, act) {
  await page.evaluate(() => {
    globalThis.beats = [performance.now()];
    globalThis.heart = setInterval(() => globalThis.beats.push(performance.now()), 10);
  });
  await act();
  return page.evaluate(async () => {
    await new Promise((done) => setTimeout(done, 50));
    clearInterval(globalThis.heart);
    return Math.max(...globalThis.beats.slice(1).map((beat, at) => beat - globalThis.beats[at]));
  });
}

const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
for (let level = 1; level < 12; level += 1) {
  const [name, before] = [level, level - 1].map((at) => String.fromCharCode(97 + at));
  bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(", ")}]`);
}

const pasted = {
  "5 MB of YAML": {
    text: `kind: ConfigMap\napiVersion: v1\nmetadata: {name: large}\ndata:\n${Array.from({ length: 100_000 }, (_, at) =>
      `  key-${at}: "0123456789012345678901234567890"`).join("\n")}\n# the end`,
    end: "# the end",
    says: /larger than/,
  },
  "an alias bomb": { text: `${bomb.join("\n")}\n# the end`, end: "# the end", says: /alias/i },
  "a deep nest": { text: `${"[".repeat(100_000)}\n# the end`, end: "# the end", says: /./ },
  "a picture": {
    text: `${Array.from({ length: 20_000 }, (_, at) => String.fromCharCode((at * 7919) % 256)).join("")}\n# the end`,
    end: "# the end",
    says: /./,
  },
};

for (const [what, { text, end, says }] of Object.entries(pasted)) {
  test(`${what} in the editor: the tab lives, the text stays, and the fault is said`, async () => {
    const page = await diorama.open();
    await count(readyPods(page), 3);
    const freeze = await longestFreeze(page, async () => {
      await write(page, text);
      await page.waitForTimeout(800);
      await page.locator(".editor .primary").click();
      await page.locator(".fault-count").waitFor();
    });
    assert.ok(freeze < 3000, `frozen for ${freeze} ms`);
    // The mistake may be far from where one writes: the arrow leads to it.
    await page.locator(".fault-count button").last().click();
    assert.match(await page.locator(".fault").first().textContent(), says);
    await page.locator(".cm-content").focus();
    await page.keyboard.press("ControlOrMeta+End");
    await page.locator(".cm-line", { hasText: end }).waitFor();
    // And the page works on.
    await enter(page, "kubectl get nodes");
    await page.locator(".terminal pre", { hasText: "control-plane" }).waitFor();
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}

test("the map and its list keep up with two hundred Pods that come at once", async () => {
  const page = await diorama.open({ hash: "?nodes=10" });
  await count(readyPods(page), 3);
  const freeze = await longestFreeze(page, async () => {
    await enter(page, "kubectl scale deployment web --replicas=200");
    await page.locator(".time .speed").nth(2).click();
    await page.locator(".cluster .mute", { hasText: /200 Pods/ }).waitFor();
    await page.locator(".as-text").click();
    await page.waitForFunction(() =>
      (document.querySelector(".astext").innerText.match(/web-[a-z0-9]+-[a-z0-9]+: 1\/1 Running/g) ?? []).length === 200);
  });
  assert.ok(freeze < 1000, `frozen for ${freeze} ms`);
  await page.locator(".as-text").click();
  const frames = await page.evaluate(() => new Promise((done) => {
    const from = performance.now();
    let drawn = 0;
    const next = (now) => {
      drawn += 1;
      if (now - from > 2000) done(drawn / 2);
      else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }));
  assert.ok(frames > 20, `${frames} frames a second`);
  await page.context().close();
});

test("a large cluster comes to be while the page is alive, and a small one can be had instead", async () => {
  const page = await diorama.open({ hash: "?nodes=5000" });
  await page.locator(".timeline progress").waitFor();
  const freeze = await longestFreeze(page, async () => {
    await page.waitForTimeout(1000);
    await page.getByRole("button", { name: "Take a small cluster instead" }).click();
  });
  assert.ok(freeze < 1000, `frozen for ${freeze} ms`);
  await count(readyPods(page), 3);
  assert.equal(await page.locator(".timeline progress").count(), 0);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator(".timeline progress").waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
