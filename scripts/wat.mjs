// Reads and writes WebAssembly as text, as far as scripts/split-model.mjs and
// scripts/record-first-view.mjs need it: the module's functions by name, and its other lines.
import { execFileSync } from "node:child_process";

// What rustc lets a module for wasm32-unknown-unknown use.
const features = [
  "bulk-memory", "nontrapping-float-to-int", "sign-ext", "mutable-globals", "reference-types", "multivalue",
].map((feature) => `--enable-${feature}`);

/** Runs one of binaryen's tools. */
export const run = (tool, ...args) =>
  execFileSync(`node_modules/.bin/${tool}`, [...features, ...args], { stdio: ["ignore", "ignore", "inherit"] });

const name = /\$(?:"(?:[^"\\]|\\.)*"|[^\s()]+)/g;

/** All names in a line, in the module's spelling: `$memory`, `$"<T as Trait>::f"`. */
export const namesIn = (line) => line.match(name) ?? [];

/** The name that a line defines or imports. */
export const nameOf = (line) => namesIn(line)[0];

/** What a function takes and gives, without the names of its parameters. */
export function signature(line) {
  const bare = line.replace(/\(param \$(?:"(?:[^"\\]|\\.)*"|[^\s()]+) /g, "(param ");
  const params = [...bare.matchAll(/\(param ([^()]*)\)/g)].flatMap((found) => found[1].split(" "));
  const results = bare.match(/\(result [^()]*\)/)?.[0] ?? "";
  return { params, text: `${params.length > 0 ? `(param ${params.join(" ")}) ` : ""}${results}` };
}

const balanced = (line) => {
  const bare = line.replace(name, "");
  return bare.split("(").length === bare.split(")").length;
};

/**
 * A module's parts. `functions` has the lines of each function by its name; `others` has what else
 * there is, one line each.
 */
export function parse(text) {
  const functions = new Map();
  const others = [];
  let body = null;
  for (const line of text.split("\n")) {
    if (line.startsWith(" (func ")) {
      body = [line];
      functions.set(nameOf(line), body);
      if (balanced(line)) body = null;
    } else if (body) {
      body.push(line);
      if (line === " )") body = null;
    } else if (line.startsWith(" (")) {
      others.push(line);
    }
  }
  return { functions, others };
}

/** The functions of `known` that `lines` call, or take the address of. */
export function* mentioned(lines, known) {
  for (const line of lines) {
    if (!/\((?:return_)?call \$|\(ref\.func /.test(line)) continue;
    for (const found of namesIn(line)) if (known.has(found)) yield found;
  }
}

/** The bytes of a text in the module's spelling, without its quotes. */
export function bytesOf(text) {
  const named = { t: 9, n: 10, r: 13, '"': 34, "'": 39, "\\": 92 };
  const bytes = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "\\") bytes.push(text.charCodeAt(at));
    else if (text[at + 1] in named) bytes.push(named[text[++at]]);
    else bytes.push(Number.parseInt(text.slice(at + 1, (at += 2) + 1), 16));
  }
  return Uint8Array.from(bytes);
}

/** Bytes that the module puts at an address of its memory when it starts. */
export const dataLine = (address, bytes) =>
  ` (data (i32.const ${address}) "${[...bytes].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("")}")`;

/**
 * A function's name as its source has it, as the steps from its crate to it. Hashes and numbers are
 * gone, since they change with the compiler. A method belongs to its type, whatever the trait:
 * `<a::B<c::D> as e::F>::g` is a, B<c::D>, <as e::F>, g. A library's function that is there for a
 * type of ours belongs to that type: if D is of the crate diorama, it is diorama, c, D, {<B<D> as F>::g}.
 */
export function pathOf(name) {
  const plain = name
    .replace(/^\$"?|"$/g, "")
    .replace(/::h[0-9a-f]{16}\b/g, "")
    .replace(/\[[0-9a-f]{12,16}\]/g, "")
    .replace(/(?:\.\d+|\[\d+\])+$/, "")
    .replace(/#\d+/g, "");
  const steps = stepsOf(plain);
  // The last one says most: of a map it is what it holds, of a closure where it is written.
  const owner = steps[0] === "diorama" ? undefined : plain.match(/\bdiorama(?:::\w+)+/g)?.at(-1);
  return owner ? [...owner.split("::"), `{${plain.replace(/(?<![>\w])(?:\w+::)+(?=\w)/g, "")}}`] : steps;
}

/** The steps of a path, `a::B<c::D>::e` in three. */
export function stepsOf(path) {
  const steps = [];
  let depth = 0;
  let step = "";
  const letters = path.replaceAll("->", "→");
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at];
    if (depth === 0 && letter === ":" && letters[at + 1] === ":") {
      steps.push(step);
      step = "";
      at += 1;
      continue;
    }
    if ("<{([".includes(letter)) depth += 1;
    if (">})]".includes(letter)) depth -= 1;
    step += letter;
  }
  steps.push(step);
  const [type, trait] = steps.length > 1 && steps[0].startsWith("<") ? halves(steps[0].slice(1, -1)) : [];
  if (type === undefined) return steps;
  return [...stepsOf(type.replace(/^(&(mut )?)+/, "")), ...(trait ? [`<as ${trait}>`] : []), ...steps.slice(1)];
}

/** `A as B` at the outermost level, in two. */
function halves(text) {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if ("<{([".includes(text[at])) depth += 1;
    if (">})]".includes(text[at])) depth -= 1;
    if (depth === 0 && text.startsWith(" as ", at)) return [text.slice(0, at), text.slice(at + 4)];
  }
  return [text];
}
