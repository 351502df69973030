// The way to the editor's module, which is fetched only when the map is already up.

/** The module of the editor, beside the page. */
export const loadEditor = () => import(new URL("editor.js", document.baseURI).href);
