// Pictures of the published page in both languages, both colour schemes, on a desktop and a phone.
import { desktop, launch, phone, shot } from "../tests/e2e/harness.mjs";

const diorama = await launch();
for (const lang of ["en", "es"]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [device, viewport] of Object.entries({ desktop, phone })) {
      const page = await diorama.open({ lang, colorScheme, viewport });
      await page.evaluate(() => document.fonts.ready);
      console.log(await shot(page, `${device}-${colorScheme}-${lang}`));
      await page.context().close();
    }
  }
}
await diorama.close();
