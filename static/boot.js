// Starts the page: fetches the model and hands it the document. Trunk writes both addresses into
// this script's tag, so that nothing here is inline.
const { page, model } = document.querySelector("script[data-page]").dataset;
const address = (path) => new URL(path, document.baseURI);

try {
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
