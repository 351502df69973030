// What the page asks of the browser in the browser's own language: what is fetched only when the
// map is already up, and pictures on a canvas.

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
