// Writes a Content-Security-Policy into the published page: it may load its own files and nothing
// else, so no manifest of a student can leave the browser. While developing (`trunk serve`) there is
// no policy, since Trunk's own reloading script is inline.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  // CodeMirror writes its styles itself, and says this word; styles alone can do no harm.
  "style-src 'self' 'nonce-editor'",
  // Attributes that place things on the map; no rule can be written with them.
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Seals the page in `staging`, the folder that Trunk has built. */
export function sealPage(staging) {
  const path = join(staging, "index.html");
  const html = readFileSync(path, "utf8");
  const sealed = html.replace(
    /<meta charset="?utf-8"?\s*\/?>/i,
    (charset) => `${charset}<meta http-equiv="Content-Security-Policy" content="${policy}">`,
  );
  if (sealed === html) {
    throw new Error('index.html needs <meta charset="utf-8">: the policy goes right after it');
  }
  writeFileSync(path, sealed);
}
