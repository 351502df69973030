// Records which functions of the model the page calls before its first view is complete, and writes
// into scripts/annex.txt what it can do without. To run after `make dist`, when the end-to-end tests
// say that the first view needs the annex, or when the page has passed the limit of its size:
// `npm run record-first-view`, then `make dist` again.
//
// Each function of the model, as it was before it was split, gets a byte in a second memory that
// says whether it was called; the page is opened in all the ways a first visit has.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { desktop, launch, ownPods, phone } from "../tests/e2e/harness.mjs";
import { writeAnnex } from "./annex.mjs";
import { parse, run } from "./wat.mjs";

/** What wasm-bindgen made in the last build, for Trunk. */
const whole = join(process.env.CARGO_TARGET_DIR ?? "target", "wasm-bindgen/release/page_bg.wasm");

/** An address that holds a page, as the button "share" makes it. */
const shared = (what) => `#1.${deflateRawSync(JSON.stringify(what)).toString("base64url")}`;

/**
 * The first visits there are: by the plain address, framed, and by the addresses that a teacher gives.
 * Phones are slow: there a frame's time is over at places where it never is on a desktop.
 * Those of the samples that static/boot.js names are not among them: they need much that no other does.
 */
const visits = [
  { lang: "en", colorScheme: "light", viewport: desktop, pods: 3 },
  { lang: "es", colorScheme: "dark", viewport: phone, pods: 3 },
  { lang: "es", colorScheme: "light", viewport: desktop, reducedMotion: "reduce", hash: "?embed", pods: 3 },
  { lang: "en", colorScheme: "light", viewport: desktop, hash: shared({ sample: "web", seed: 1 }), pods: 3 },
  ...["rollout", "daemon", "nodeport", "balancer", "baremetal", "byhand", "ingress", "silent"].map((sample) =>
    ({ lang: "es", colorScheme: "light", viewport: phone, hash: `?sample=${sample}`, pods: 1 })),
];
/** How many times slower than this machine a phone is. */
const slowness = 4;
/** For how long the annex may take, in milliseconds, once the sample's Pods are Ready. */
const quiet = 15_000;

/** Yew's comparison of lists: which part of it runs depends on what a frame finds changed, so on the machine. */
const drawsLists = (name) => /\b(BNode|VNode|KeyedEntry)\b/.test(name) && !name.includes("diorama");

/** The module with a byte for each function, in the order of `functions`. */
function marked({ functions, others }) {
  const isLocal = (line) => line.startsWith("  (local ");
  const bodies = [...functions.values()].map(([head, ...body], number) => {
    if (body.length === 0) return head;
    const locals = body.filter(isLocal);
    const mark = `  (i32.store8 $called (i32.const ${number}) (i32.const 1))`;
    return [head, ...locals, mark, ...body.slice(locals.length)].join("\n");
  });
  const pages = Math.ceil(functions.size / 65536);
  return [
    "(module",
    ...others,
    ` (memory $called ${pages})`,
    ' (export "called" (memory $called))',
    ...bodies,
    ")",
  ].join("\n");
}

/** Sees to it that a page starts with this model, and says where its memory is. */
const withModel = (model, { viewport }) => async (page) => {
  if (viewport === phone) {
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: slowness });
  }
  await page.route("**/*_bg.wasm", (route) => route.fulfill({ body: model, contentType: "application/wasm" }));
  const boot = readFileSync("static/boot.js", "utf8").replace("await start(", "globalThis.model = await start(");
  await page.route("**/boot.js", (route) => route.fulfill({ body: boot, contentType: "text/javascript" }));
};

/** Which of `total` functions are called on first visits, as their numbers. */
async function record(model, total) {
  const called = new Set();
  const diorama = await launch();
  try {
    for (const { pods, ...visit } of visits) {
      const page = await diorama.open({ ...visit, before: withModel(model, visit) });
      await ownPods(page).nth(pods - 1).waitFor();
      await page.waitForTimeout(quiet);
      const marks = await page.evaluate(
        (total) => [...new Uint8Array(globalThis.model.called.buffer, 0, total)], total);
      marks.forEach((mark, number) => mark && called.add(number));
      await page.context().close();
    }
  } finally {
    await diorama.close();
  }
  return called;
}

const work = mkdtempSync(join(tmpdir(), "diorama-"));
const at = (file) => join(work, file);
try {
  run("wasm-dis", whole, "-o", at("whole.wat"));
  const module = parse(readFileSync(at("whole.wat"), "utf8"));
  writeFileSync(at("marked.wat"), marked(module));
  run("wasm-as", "--enable-multimemory", at("marked.wat"), "-o", at("marked.wasm"));
  const called = await record(readFileSync(at("marked.wasm")), module.functions.size);
  console.log(`${called.size} of ${module.functions.size} functions are called before the first view is complete`);
  writeAnnex([...module.functions].map(([name, lines], number) =>
    ({ name, size: lines.length, isCalled: called.has(number) || drawsLists(name) })));
} finally {
  rmSync(work, { recursive: true });
}
