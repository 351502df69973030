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
