// What an end-to-end test needs: dist/ served as a plain web server would, a real Chromium, and
// pages in it that remember every complaint of the browser.
//
//   const diorama = await launch();             // once per file; await diorama.close() at the end
//   const page = await diorama.open({ lang: "es", viewport: phone, colorScheme: "dark" });
//   …                                           // page is a Playwright page, plus page.complaints
//   await shot(page, "map");                    // target/screenshots/map.png
import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize } from "node:path";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const dist = join(root, "dist");

export const desktop = { width: 1440, height: 900 };
export const phone = { width: 360, height: 740 };

const types = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
  ".yaml": "text/plain; charset=utf-8",
};

// The page lives under a path of its own, as it does in a school's web space.
const base = "/diorama/";

/** Serves dist/ on a free port of this machine; resolves to { address, close }. */
export async function serve() {
  if (!existsSync(join(dist, "index.html"))) {
    throw new Error("dist/ is missing: run `make dist` first");
  }
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const inside = path.startsWith(base) ? normalize("/" + path.slice(base.length)) : "/no such file";
    const file = join(dist, inside.endsWith("/") ? inside + "index.html" : inside);
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  const close = () => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(resolve);
  });
  return { address: `http://127.0.0.1:${port}${base}`, close };
}

function chromiumPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  return execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
}

/** Serves dist/ and starts Chromium; resolves to { address, open, close }. */
export async function launch() {
  const server = await serve();
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
    ],
  });

  /**
   * Opens the page in a browser profile of its own and waits until it is up.
   * `hash` is the address's fragment, `before` what is done to the page before it goes there;
   * anything else goes to Playwright's newContext.
   */
  async function open({
    lang = "en", viewport = desktop, colorScheme = "light", hash = "", before = async () => {}, ...rest
  } = {}) {
    const context = await browser.newContext({ locale: lang, viewport, colorScheme, ...rest });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.complaints = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") page.complaints.push(message.text());
    });
    page.on("pageerror", (error) => page.complaints.push(String(error)));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(server.address) && !/^(data|blob):/.test(url)) {
        page.complaints.push(`asked for ${url}, outside the page`);
      }
    });
    page.on("response", (response) => {
      if (response.status() >= 400) page.complaints.push(`${response.status()} for ${response.url()}`);
    });
    await before(page);
    await page.goto(server.address + hash);
    await page.locator("h1").first().waitFor({ state: "attached" });
    return page;
  }

  const close = async () => {
    await browser.close();
    await server.close();
  };
  return { address: server.address, open, close };
}

/** Takes a picture of what the page shows now: target/screenshots/NAME.png. */
export async function shot(page, name) {
  const path = join(root, "target/screenshots", `${name}.png`);
  mkdirSync(dirname(path), { recursive: true });
  await page.screenshot({ path });
  return path;
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core holds against the page's accessibility: one line per rule and place. */
export async function accessibilityFaults(page) {
  // Evaluated by the debugger, since the page's own policy lets no foreign script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  return violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${rule.help} (${node.target.join(" ")}; ${rule.impact})`));
}

/** By how many CSS pixels the page is wider than its window: 0 means no sideways scrolling. */
export function sidewaysOverflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Puts a text into the editor in place of what is there, as pasting it does. */
export async function write(page, text) {
  const content = page.locator(".cm-content");
  await content.waitFor();
  await content.focus();
  await page.keyboard.press("ControlOrMeta+a");
  await content.evaluate((element, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

/** Waits until the sample's three Pods are Ready and kube-proxy has written their rules, which it does within a second. */
export async function served(page) {
  await count(readyPods(page), 3);
  await page.waitForTimeout(2000);
}

/** Enters a line in the terminal. */
export async function enter(page, line) {
  await page.locator(".terminal input").fill(line);
  await page.locator(".terminal input").press("Enter");
}

/** The Pods of the sample on the map that are Ready. */
export const readyPods = (page, name = "web") =>
  page.locator(`.pod[data-state="ready"][data-key^="pod/default/${name}-"]`);

/** All of a sample's Pods that are Ready. */
export const ownPods = (page) => page.locator('.pod[data-state="ready"][data-key^="pod/default/"]');

/** Waits until so many elements are there. */
export async function count(locator, wanted) {
  const deadline = Date.now() + 30_000;
  let found;
  do {
    found = await locator.count();
    if (found === wanted) return;
    await locator.page().waitForTimeout(100);
  } while (Date.now() < deadline);
  throw new Error(`${found} of ${locator}, not ${wanted}`);
}
