// The way to what is fetched only when the map is already up.

/** The module of the editor, beside the page. */
export const loadEditor = () => import(new URL("editor.js", document.baseURI).href);

/** The descriptions of the API's fields, for `kubectl explain`. */
export const loadDescriptions = async () => {
  const answer = await fetch(new URL("descriptions.txt", document.baseURI));
  return answer.ok ? answer.text() : "";
};
