// Bundles the YAML editor, static/editor/editor.js, into one module that the page loads when the
// map is up. Trunk runs this before each build; it writes only what changed, so that a watching
// Trunk does not start again.
import { existsSync, readFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { build } from "esbuild";

const source = "static/editor/editor.js";
const bundle = "static/editor/dist/editor.js";

if (existsSync(source)) {
  const { outputFiles } = await build({
    entryPoints: [source],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    write: false,
  });
  const text = outputFiles[0].text;
  if (!existsSync(bundle) || readFileSync(bundle, "utf8") !== text) {
    mkdirSync(dirname(bundle), { recursive: true });
    writeFileSync(bundle, text);
  }
} else {
  console.log(`no ${source} yet: no editor`);
}
