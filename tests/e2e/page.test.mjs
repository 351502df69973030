// The published page, as a student meets it: it opens, says its name, and complains of nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityFaults, desktop, launch, phone, sidewaysOverflow } from "./harness.mjs";

let diorama;
before(async () => {
  diorama = await launch();
});
after(() => diorama?.close());

test("the page opens, names itself and leaves no complaint in the console", async () => {
  const page = await diorama.open();
  assert.match(await page.title(), /Diorama/);
  assert.match(await page.locator("h1").first().textContent(), /Diorama/);
  assert.deepEqual(page.complaints, []);
});

test("the page speaks the browser's language", async () => {
  for (const lang of ["en", "es"]) {
    const page = await diorama.open({ lang });
    assert.equal(await page.locator("html").getAttribute("lang"), lang);
  }
});

test("nothing sticks out sideways, from a phone to a projector", async () => {
  for (const viewport of [{ width: 320, height: 640 }, phone, desktop, { width: 1920, height: 1080 }]) {
    const page = await diorama.open({ viewport });
    assert.equal(await sidewaysOverflow(page), 0, `${viewport.width} px wide`);
  }
});

test("axe finds no accessibility fault in either language or colour scheme, large or small", async () => {
  for (const [lang, colorScheme, viewport] of [["en", "light", desktop], ["es", "dark", phone]]) {
    const page = await diorama.open({ lang, colorScheme, viewport });
    assert.deepEqual(await accessibilityFaults(page), [], `${lang}, ${colorScheme}, ${viewport.width} px`);
  }
});

test("the page's policy lets it send nothing to anybody", async () => {
  const page = await diorama.open();
  const sent = await page.evaluate(() => fetch("http://127.0.0.1:9/").then(() => true, () => false));
  assert.equal(sent, false);
  assert.ok(page.complaints.some((text) => text.includes("Content Security Policy")), page.complaints.join("\n"));
});
