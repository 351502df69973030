// Pictures of the published page: each moment of a lesson in both languages and colour schemes, on
// a desktop, a tablet and a phone, into target/screenshots/; and README's, docs/screenshot.png.
import { copyFileSync } from "node:fs";
import { count, desktop, enter, launch, phone, readyPods, shot, write } from "../tests/e2e/harness.mjs";

const tablet = { width: 820, height: 1180 };
const small = (page) => page.viewportSize().width < 1081;
const panel = async (page, at) => {
  if (small(page)) await page.locator(".tabbar button").nth(at).click();
};

/** What is on the page, and how it comes there. */
const moments = {
  open: async () => {},
  trace: async (page) => {
    await page.locator("button.packet").click();
    await panel(page, 3);
    await page.locator(".hops li:nth-child(5) button").click();
  },
  burst: async (page) => {
    await page.locator("button.burst").click();
    await panel(page, 3);
  },
  fault: async (page) => {
    await panel(page, 1);
    await write(page, "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replica: 3\n");
    await page.locator(".fault").waitFor();
  },
  details: async (page) => {
    await readyPods(page).first().click();
  },
  terminal: async (page) => {
    await panel(page, 2);
    await enter(page, "kubectl get pods -o wide");
  },
  stopped: async (page) => {
    await page.locator(".time .speed").nth(3).evaluate((button) => button.click());
    await panel(page, 2);
    await enter(page, "node stop node-2");
    await panel(page, 0);
    await page.waitForTimeout(7000);
  },
};

const diorama = await launch();
const wanted = process.argv[2] ?? "";
for (const [device, viewport] of Object.entries({ desktop, tablet, phone })) {
  for (const [lang, colorScheme] of [["es", "light"], ["en", "dark"]]) {
    for (const [moment, act] of Object.entries(moments)) {
      const name = `${device}-${moment}-${lang}-${colorScheme}`;
      if (!name.includes(wanted)) continue;
      const page = await diorama.open({ lang, colorScheme, viewport });
      await count(readyPods(page), 3);
      await act(page);
      await page.waitForTimeout(700);
      console.log(await shot(page, name));
      await page.context().close();
    }
  }
}

// README's: a trace under way, light, 1280 px wide.
if ("readme".includes(wanted)) {
  const page = await diorama.open({ viewport: { width: 1280, height: 670 } });
  await count(readyPods(page), 3);
  await page.locator("button.packet").click();
  await page.locator(".hops li:nth-child(8) button").click();
  await page.waitForTimeout(700);
  copyFileSync(await shot(page, "readme"), "docs/screenshot.png");
}
await diorama.close();
