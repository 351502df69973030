// Starts the page: fetches the model and hands it the document. Trunk writes both addresses into
// this script's tag, so that nothing here is inline.
const { page, model, annex } = document.querySelector("script[data-page]").dataset;
const address = (path) => new URL(path, document.baseURI);

// The first views that are more than the first part of the model has (scripts/record-first-view.mjs):
// for them the annex comes along with it, and nothing waits while it is being read.
const large = ["pod", "state", "placement", "metallb", "gateway", "broken"];
const isLarge = large.includes(new URLSearchParams(location.search).get("sample"));

try {
  if (annex && isLarge) {
    // Who cannot have it now fetches it when it is needed.
    globalThis.annexPart = await WebAssembly.compileStreaming(fetch(address(annex))).catch(() => undefined);
  }
  const { default: start } = await import(address(page));
  await start({ module_or_path: address(model) });
} catch (error) {
  const note = document.createElement("p");
  note.setAttribute("role", "alert");
  note.textContent =
    "Diorama could not start: it needs a browser with WebAssembly. / " +
    "Diorama no ha podido arrancar: necesita un navegador con WebAssembly.";
  document.body.prepend(note);
  throw error;
}
