// What a lesson does with the page: looks, sends, breaks, mends, kills, scales; by mouse, by
// keyboard, by phone, in both languages and themes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityFaults, count, desktop, enter, launch, phone, readyPods, served, sidewaysOverflow, write } from "./harness.mjs";

let diorama;
before(async () => {
  diorama = await launch();
});
after(() => diorama?.close());

/** A page in a profile of its own, closed after the test, that complained of nothing. */
function lesson(name, options, act) {
  test(name, async () => {
    const page = await diorama.open(options);
    await act(page);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}

const API = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 2
  selector:
    matchLabels:
      app: api
  template:
    metadata:
      labels:
        app: api
    spec:
      containers:
        - name: api
          image: nginx
`;

lesson("the page opens with a sample that works: three Pods become Ready by themselves", {}, async (page) => {
  await count(readyPods(page), 3);
  assert.match(await page.locator(".actions .status").textContent(), /4/);
});

lesson("a request arrives by node port, load balancer, Ingress and from inside", {}, async (page) => {
  // The cloud takes its time for an address.
  await page.locator(".time .speed").nth(1).click();
  await served(page);
  const groups = page.locator(".request optgroup");
  await count(groups, 4);
  const urls = [];
  for (let at = 0; at < 4; at += 1) {
    // The controller's own balancer knows no host but those of Ingresses: 404.
    const option = groups.nth(at).locator("option", { hasNotText: "ingress-nginx" }).first();
    urls.push(await option.textContent());
    await page.locator(".request select").selectOption(await option.getAttribute("value"));
    await page.locator("button.packet").click();
    await page.locator(".verdict[data-good]", { hasText: /web-[a-z0-9]+-[a-z0-9]+/ }).waitFor();
    assert.ok((await page.locator(".chapter").count()) > 4, urls.at(-1));
  }
  assert.equal(new Set(urls).size, 4, urls.join("\n"));
});

lesson("the packet goes by chapters, and in an open one by rules, with its node lit", {}, async (page) => {
  await served(page);
  await page.locator("button.packet").click();
  await page.locator(".map .note text", { hasText: "KUBE-" }).waitFor();
  await count(page.locator(".map .node[data-lit]"), 1);
  await count(page.locator(".map .port[data-lit]"), 1);
  const steps = page.locator(".steps button");
  await steps.nth(0).click();
  await count(page.locator(".chapter:nth-child(1)[data-now]"), 1);
  for (let at = 0; at < 2; at += 1) await steps.nth(3).click();
  const rules = page.locator(".chapter:nth-child(3)[data-now]");
  await rules.locator(".lots li[data-state=drawn]").waitFor();
  const changed = await page.locator(".card .dst ins").textContent();
  assert.match(changed, /^10\.244\./);
  await rules.locator(".open").click();
  await rules.locator(".hops .hop").first().click();
  for (let at = 0; at < 3; at += 1) await steps.nth(3).click();
  await steps.nth(1).click();
  const rule = await rules.locator(".hops li[data-now] .rule").textContent();
  const note = await page.locator(".map .note text").first().textContent();
  assert.ok(rule.includes(note.split(" ")[0]), `${note} is not of ${rule}`);
});

lesson("a failure shows its cause where it happens, and a press mends it", {}, async (page) => {
  await page.locator(".sample select").selectOption("silent");
  await page.locator(".request select").waitFor();
  await page.locator(".time .speed").nth(2).click();
  const options = page.locator(".request option", { hasText: "wrong-label" });
  await page.locator(".request select").selectOption(await options.first().getAttribute("value"));
  await page.waitForTimeout(1000);
  await page.locator("button.packet").click();
  await page.locator(".verdict[data-bad] .remedy code", { hasText: "kubectl patch service wrong-label" }).waitFor();
  await page.locator(".chapter[data-end] .cause", { hasText: "app=api" }).waitFor();
  await page.locator(".remedy button").click();
  await page.locator(".verdict[data-good]").waitFor();
  await page.locator(".terminal .entry", { hasText: "service/wrong-label patched" }).waitFor();
});

lesson("the trace is a table too, with a row for each hop", {}, async (page) => {
  await served(page);
  await page.locator("button.packet").click();
  await page.locator(".views button", { hasText: "Table" }).click();
  const rows = page.locator(".hop-table tbody tr");
  await rows.nth(10).waitFor();
  await count(page.locator(".hop-table thead th"), 6);
  await rows.nth(6).click();
  await count(page.locator(".hop-table tbody tr:nth-child(7)[data-now]"), 1);
});

lesson("a hundred requests are counted, none lost, each Pod hit", {}, async (page) => {
  await served(page);
  await page.locator("button.burst").click();
  await page.locator(".histogram").waitFor();
  const counts = (await page.locator(".histogram td.n:not(.share)").allTextContents()).map(Number);
  assert.equal(counts.length, 3);
  assert.equal(counts.reduce((sum, one) => sum + one, 0), 100);
  assert.ok(counts.every((one) => one > 10), counts.join(" "));
});

lesson("an error is on its line with column, path and Kubernetes' words, and a press mends it", { lang: "es" }, async (page) => {
  await write(page, API.replace("replicas: 2", 'replicas: "2"'));
  const fault = page.locator(".fault");
  await fault.waitFor();
  assert.match(await fault.textContent(), /Línea 6, columna 13.*spec\.replicas.*cannot unmarshal string/s);
  assert.equal(await page.locator(".cm-lintRange-error").textContent(), '"2"');
  await page.locator(".fix").click();
  await count(page.locator(".fault"), 0);
  await page.locator(".editor .primary").click();
  await count(readyPods(page, "api"), 2);
});

lesson("what the API server refuses is said on the line of the label that differs", {}, async (page) => {
  await write(page, API.replace("        app: api\n    spec", "        app: apy\n    spec"));
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.locator(".fault", { hasText: "`selector` does not match template `labels`" }).waitFor();
  assert.match(await page.locator(".fault .where").textContent(), /Line 13,/);
  await page.locator(".fix").click();
  await page.locator(".editor .primary").click();
  await count(readyPods(page, "api"), 2);
});

lesson("a Pod that is killed is replaced", {}, async (page) => {
  await count(readyPods(page), 3);
  const first = readyPods(page).first();
  const key = await first.getAttribute("data-key");
  await first.click();
  await page.locator(".inspector h2", { hasText: key.split("/").at(-1) }).waitFor();
  await page.locator(".time .speed").nth(2).click();
  await page.locator(".inspector .danger").first().click();
  await count(page.locator(`[data-key="${key}"]`), 0);
  await count(readyPods(page), 3);
});

lesson("a node that is stopped loses its Pods to the others, and comes back", {}, async (page) => {
  await count(readyPods(page), 3);
  await page.locator(".node[data-key='node//node-2']").click({ position: { x: 30, y: 20 } });
  await page.locator(".inspector .danger").first().click();
  await page.locator(".node[data-key='node//node-2'][data-note='cut'][data-state='silent']").waitFor();
  await page.locator(".time .speed").nth(3).click();
  await page.locator(".inspector .facts dd", { hasText: "NotReady" }).waitFor();
  await page.locator(".pod[data-key^='pod/default/web-'][data-state='terminating']").waitFor();
  await count(readyPods(page), 3);
  await page.locator(".inspector .buttons button").first().click();
  await page.locator(".node[data-key='node//node-2'][data-state='ready']").waitFor();
});

lesson("the language is that of the address, and switches without a trace of the other", {}, async (page) => {
  // Leaving while the model is still on its way would be an error of its own.
  await served(page);
  await page.goto(`${diorama.address}?lang=es`);
  await page.locator(".editor .primary", { hasText: "Aplicar" }).waitFor();
  await served(page);
  await page.locator("button.packet").click();
  await page.locator(".verdict", { hasText: "Ha respondido" }).waitFor();
  await page.locator(".languages button[lang='en']").click();
  await page.locator(".verdict", { hasText: "answered" }).waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.match(page.url(), /lang=en/);
  const text = await page.locator(".app").innerText();
  assert.doesNotMatch(text, /petici|nodo|clúster|Aplicar|Salto|respuesta/i);
});

lesson("samples, reset, pause and speed", {}, async (page) => {
  await page.locator(".sample select").selectOption("ingress");
  await page.locator(".map .ingress").first().waitFor();
  await enter(page, "kubectl delete deployment --all");
  await page.locator(".terminal", { hasText: "deleted" }).waitFor();
  await page.locator(".editor .actions .reset").click();
  await page.locator(".pod[data-key^='pod/default/'][data-state='ready']").first().waitFor();
  await page.locator(".time .play").click();
  const stopped = await page.locator(".clock").textContent();
  await page.waitForTimeout(1500);
  assert.equal(await page.locator(".clock").textContent(), stopped);
  await page.locator(".time .play").click();
  await page.locator(".time .speed").nth(3).click();
  await page.locator(".clock", { hasText: /^0[2-9]:/ }).waitFor();
});

lesson("the terminal: completion, history, watch, Ctrl-C and Ctrl-L", {}, async (page) => {
  await count(readyPods(page), 3);
  const line = page.locator(".terminal input");
  await line.fill("kubectl get no");
  await line.press("Tab");
  assert.equal((await line.inputValue()).trim(), "kubectl get nodes");
  await line.fill("kubectl get pods we");
  await line.press("Tab");
  assert.match(await line.inputValue(), /pods web-[a-z0-9]+-$/);
  await count(page.locator(".offers span"), 3);
  await enter(page, "kubectl get pods -w");
  await page.locator(".terminal .running").waitFor();
  await line.press("Control+c");
  await count(page.locator(".terminal .running"), 0);
  await line.press("ArrowUp");
  assert.equal(await line.inputValue(), "kubectl get pods -w");
  await line.press("Control+l");
  await count(page.locator(".terminal .entry"), 0);
  await enter(page, "kubectl scale deployment web --replicas=5");
  await count(readyPods(page), 5);
});

lesson("everything can be reached and done by keyboard alone", {}, async (page) => {
  await count(readyPods(page), 3);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  const reached = new Set();
  let found = false;
  for (let at = 0; at < 60 && !found; at += 1) {
    await page.keyboard.press("Tab");
    found = await page.evaluate(() => Boolean(document.activeElement.closest(".map [data-key]")));
    reached.add(await page.evaluate(() => document.activeElement.className?.baseVal ?? document.activeElement.className));
  }
  assert.ok(found, [...reached].join(", "));
  await page.keyboard.press("ArrowDown");
  const key = await page.evaluate(() => document.activeElement.dataset.key);
  await page.keyboard.press("Enter");
  await page.locator(".inspector h2", { hasText: key.split("/").at(-1) }).waitFor();
  // Out of the editor, which takes Tab for itself, by Escape and Tab.
  await page.locator(".cm-content").focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => Boolean(document.activeElement.closest(".cm-content"))), false);
});

lesson("the map as text says what the map shows", { lang: "es" }, async (page) => {
  await count(readyPods(page), 3);
  const keys = await readyPods(page).evaluateAll((pods) => pods.map((pod) => pod.dataset.key.split("/").at(-1)));
  await page.locator(".as-text").click();
  const text = await page.locator(".astext").innerText();
  for (const name of [...keys, "web-np", "web-lb", "node-3", "shop.example", "Services"]) {
    assert.ok(text.includes(name), `${name} is not in\n${text}`);
  }
});

lesson("who asks for calm sees the packet arrive without motion", { reducedMotion: "reduce" }, async (page) => {
  await served(page);
  await page.locator("button.packet").click();
  await page.locator(".verdict[data-good]").waitFor();
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
});

lesson("on a phone every panel fits, and the map keeps the packet in sight", { viewport: phone, lang: "es" }, async (page) => {
  await served(page);
  await page.locator("button.packet").click();
  for (const at of [1, 2, 3, 4, 5, 0]) {
    await page.locator(".tabbar button").nth(at).click();
    assert.equal(await sidewaysOverflow(page), 0, `panel ${at}`);
  }
  await page.locator(".tabbar button").nth(3).click();
  await page.locator(".steps button").nth(3).click();
  await page.locator(".chapter:nth-child(3) .head").click();
  await page.waitForTimeout(300);
  const dot = await page.locator(".packet-dot").boundingBox();
  const map = await page.locator(".stage-body").boundingBox();
  assert.ok(dot.y > map.y && dot.y + dot.height < map.y + map.height, JSON.stringify([dot, map]));
});

for (const colorScheme of ["light", "dark"]) {
  for (const [lang, viewport] of [["es", desktop], ["en", phone]]) {
    lesson(`axe finds no fault in any panel: ${colorScheme}, ${lang}, ${viewport.width} px`, { lang, viewport, colorScheme }, async (page) => {
      const check = async (what) => assert.deepEqual(await accessibilityFaults(page), [], what);
      const show = async (at) => {
        if (viewport === phone) await page.locator(".tabbar button").nth(at).click();
      };
      await count(readyPods(page), 3);
      await page.locator(".legend summary").click();
      await page.waitForTimeout(500);
      await check("legend");
      await page.locator(".legend summary").click();
      await page.locator("button.burst").click();
      await show(3);
      await page.locator(".steps button").nth(3).click();
      // A step scrolls its panel: what is cut in half at the edge then is no smaller for that.
      await page.waitForTimeout(500);
      await page.locator(".request .square").first().scrollIntoViewIfNeeded();
      await check("trace and histogram");
      await show(0);
      await readyPods(page).first().click();
      await page.locator(".inspector h2").waitFor();
      await check("details");
      await show(2);
      await enter(page, "kubectl get pods -w");
      await page.locator(".terminal .running").waitFor();
      await check("terminal");
      await show(1);
      await write(page, "kind: Pot");
      await page.locator(".fault").first().waitFor();
      await check("faults");
      await show(0);
      await page.locator(".as-text").click();
      await check("map as text");
    });
  }
}
