// What the page asks of the browser in the browser's own language: what is fetched only when the
// map is already up, what only a browser can do, and pictures on a canvas.

/** Puts pixels (red, green, blue, opacity; row by row) on a canvas of just that size. */
export const paintPixels = (canvas, width, height, pixels) => {
  if (width === 0 || height === 0) return;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), width, height), 0, 0);
};

/** The colour that the styles give a name (`#rgb` or `#rrggbb`), as 0xRRGGBB. */
export const colourOf = (name) => {
  const digits = getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(1);
  return Number.parseInt(digits.length === 3 ? digits.replace(/./g, "$&$&") : digits, 16) || 0;
};

/** The module of the editor, beside the page. */
export const loadEditor = () => import(new URL("editor.js", document.baseURI).href);

/** The descriptions of the API's fields, for `kubectl explain`. */
export const loadDescriptions = async () => {
  const answer = await fetch(new URL("descriptions.txt", document.baseURI));
  return answer.ok ? answer.text() : "";
};

// The model comes in two parts: the page starts with the first, and fetches the second, the annex,
// when the map is up (scripts/split-model.mjs). A model that was not split, as in `trunk serve` and
// in tests, is whole from the start.
const annex = document.querySelector("script[data-annex]")?.dataset.annex;
let isWhole = !annex;
let model;

/** Remembers what the first part exports, for the annex to build on. */
export const keepModel = (exports) => {
  model = exports;
};

/** Joins the annex to the model, at once: who is in haste meanwhile must not do it a second time. */
const complete = (part) => {
  if (!isWhole) new WebAssembly.Instance(part, { model });
  isWhole = true;
};

/** Fetches the annex in the background, and does not give up: the network may be gone for a while. */
export const loadAnnex = async () => {
  for (let pause = 1000; !isWhole; pause = Math.min(2 * pause, 30_000)) {
    try {
      const answer = await fetch(new URL(annex, document.baseURI));
      if (!answer.ok) throw new Error(`${annex}: ${answer.status}`);
      const part = await WebAssembly.compile(await answer.arrayBuffer());
      complete(part);
    } catch {
      await new Promise((done) => setTimeout(done, pause));
    }
  }
};

/** Fetches the annex and waits for it; nothing if it does not come. */
const annexNow = () => {
  const request = new XMLHttpRequest();
  request.open("GET", new URL(annex, document.baseURI), false);
  // A request that is waited for gives no bytes, but letters that stand for them.
  request.overrideMimeType("text/plain; charset=x-user-defined");
  try {
    request.send();
  } catch {
    return undefined;
  }
  return request.status === 200 ? request.responseText : undefined;
};

/** Sees to it that the annex is here when this returns: a function of it is called right now. */
export const needAnnex = () => {
  if (!isWhole && globalThis.annexPart) complete(globalThis.annexPart);
  if (isWhole) return;
  let letters = annexNow();
  // To throw here would end the model in the middle of its work: the person is asked to wait.
  while (letters === undefined) {
    alert(document.documentElement.dataset.partMissing);
    letters = annexNow();
  }
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  complete(new WebAssembly.Module(bytes));
};

/** A text, deflated, in letters that an address may hold. */
export const pack = async (text) => {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

/** What `pack` made, as text again: nothing if it is no such thing, or longer than `most` bytes. */
export const unpack = async (packed, most) => {
  const letters = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const parts = [];
  let size = 0;
  for (let reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      return "";
    }
    parts.push(value);
  }
  return new Blob(parts).text();
};

let guarded = false;
addEventListener("beforeunload", (event) => {
  if (guarded) event.preventDefault();
});

/** Asks before the page is left, or not. */
export const guard = (on) => {
  guarded = on;
};

let inMap = false;
const ofMap = (event) => Boolean(event.target.closest?.(".app[data-embed] .map"));
addEventListener("pointerdown", (event) => { inMap = ofMap(event); }, { capture: true, passive: true });
// In a frame the wheel belongs to the page around it, until somebody clicks into the map or holds Ctrl.
addEventListener("wheel", (event) => {
  if (ofMap(event) && !event.ctrlKey && !inMap) event.stopPropagation();
}, { capture: true, passive: true });
