// Splits the page's wasm in two, so that the map is up sooner: what the first view needs, and an
// annex with the rest, which the page fetches when the map is drawn (static/bridge.js). Trunk runs
// this after each release build, on a module that still has its functions' names.
//
// Both parts share memory, tables and globals. The annex holds the functions that scripts/annex.txt
// names, and whatever only they call. Where the first part calls one of them, it has a stub of the
// same name: that calls a place in a table which the annex fills when it comes. If it has not come
// yet, the stub has it fetched on the spot (`needAnnex`): a function that is in the wrong part costs
// time, never a right answer.
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAnnex } from "./annex.mjs";
import { readDataUse } from "./data-use.mjs";
import { bytesOf, dataLine, mentioned, nameOf, namesIn, parse, run, signature } from "./wat.mjs";

/** What Cargo made, before wasm-bindgen. */
const linked = join(process.env.CARGO_TARGET_DIR ?? "target", "wasm32-unknown-unknown/page/page.wasm");

/** Everything that can be reached from `roots` without entering what is `closed`. */
function reach(roots, functions, closed) {
  const seen = new Set();
  const open = [...roots];
  while (open.length > 0) {
    const at = open.pop();
    if (seen.has(at) || !functions.has(at) || closed(at)) continue;
    seen.add(at);
    open.push(...mentioned(functions.get(at), functions));
  }
  return seen;
}

/**
 * What of a module's constants only the annex uses, taken out of the data of the first part: lines
 * for both. `dataUse` is readDataUse's; `lines` are the functions of the first part.
 */
function divideData(data, { constants, meant }, lines) {
  const byStart = new Map(constants.map((constant) => [constant.start, constant]));
  const at = data.findIndex((line) => line.startsWith(" (data $.rodata "));
  const start = Number(data[at].match(/\(i32\.const (\d+)\)/)[1]);
  const bytes = bytesOf(data[at].slice(data[at].indexOf('"') + 1, data[at].lastIndexOf('"')));
  const isFixed = ({ start: from, end }) => from >= start && end <= start + bytes.length;

  // Whatever can change, or is named by the first part's code, and what those hold the address of.
  const kept = new Set();
  const open = constants.filter((constant) => !isFixed(constant));
  for (const line of lines) {
    for (const [, number] of line.matchAll(/(?:\(i32\.const |offset=)(\d+)/g)) {
      for (const from of meant.get(Number(number)) ?? []) open.push(byStart.get(from));
    }
  }
  while (open.length > 0) {
    const constant = open.pop();
    if (kept.has(constant)) continue;
    kept.add(constant);
    open.push(...constant.uses.map((from) => byStart.get(from)));
  }

  const isLater = new Uint8Array(bytes.length);
  const mark = (constant, value) => isLater.fill(value, constant.start - start, constant.end - start);
  for (const constant of constants) if (isFixed(constant) && !kept.has(constant)) mark(constant, 1);
  for (const constant of kept) if (isFixed(constant)) mark(constant, 0);

  const later = [];
  for (const [from, to] of runs(isLater)) later.push(dataLine(start + from, bytes.subarray(from, to)));
  const first = bytes.map((byte, index) => (isLater[index] ? 0 : byte));
  return { first: data.map((line, index) => (index === at ? dataLine(start, first) : line)), later };
}

/** Where bytes are marked; a few that are not do not end a run, since they would cost more apart. */
function runs(marks) {
  const found = [];
  for (let at = marks.indexOf(1); at !== -1; at = marks.indexOf(1, at)) {
    let end = at;
    while (marks[end] === 1) end += 1;
    const last = found.at(-1);
    if (last && at - last[1] < 8) last[1] = end;
    else found.push([at, end]);
    at = end;
  }
  return found;
}

/** The text of both parts of a module; `isLater` tells by its name what goes into the annex. */
export function split(text, isLater, dataUse) {
  const { functions, others } = parse(text);
  const all = (kind) => others.filter((line) => line.startsWith(` (${kind} `));
  const imports = new Map(all("import").filter((line) => line.includes("(func ")).map((line) => [nameOf(line), line]));
  const need = [...imports].find(([, line]) => /\/bridge\.js" "needAnnex" /.test(line))?.[0];
  if (!need) throw new Error("the page imports no needAnnex: src/view/bridge.rs and this script belong together");

  const roots = [...all("export"), ...all("elem")].flatMap(namesIn);
  const first = reach(roots, functions, isLater);
  const everything = reach(roots, functions, () => false);
  const sorted = (wanted) => [...functions.keys()].filter(wanted);
  const annex = sorted((at) => everything.has(at) && !first.has(at));
  const inFirst = sorted((at) => first.has(at));
  const linesOf = (names) => names.flatMap((at) => functions.get(at));

  // What the first part calls of the annex, or has in its tables and exports.
  const called = new Set([...roots, ...mentioned(linesOf(inFirst), functions)]);
  const entries = annex.filter((at) => called.has(at));
  const table = `(table $annex ${entries.length} ${entries.length} funcref)`;
  const stub = (at, place) => {
    const { params, text: type } = signature(functions.get(at)[0]);
    return [
      ` (func ${at} ${type}`,
      "  (call $bring-annex)",
      `  (call_indirect $annex ${type} ${params.map((_, index) => `(local.get ${index})`).join(" ")} (i32.const ${place}))`,
      " )",
    ];
  };

  // What the annex uses of the first part.
  const annexLines = linesOf(annex);
  const used = [...new Set(mentioned(annexLines, new Set([...inFirst, ...imports.keys(), ...entries])))]
    .filter((at) => !annex.includes(at));
  const globalsUsed = new Set(annexLines.flatMap((line) => /\(global\.[gs]et /.test(line) ? namesIn(line) : []));
  const globals = all("global").filter((line) => globalsUsed.has(nameOf(line)));
  const memory = all("memory")[0];
  const tables = all("table");
  const shared = [
    ...tables.map((line) => ["table", nameOf(line), line.match(/\(table \S+ ([^()]*)\)/)[1]]),
    ...globals.map((line) => ["global", nameOf(line), line.match(/\(global \S+ (\(mut \w+\)|\w+)/)[1]]),
    ...used.map((at) => ["func", at, signature(functions.get(at)?.[0] ?? imports.get(at)).text]),
  ];

  const stubs = entries.flatMap(stub);
  const data = divideData(all("data"), dataUse, linesOf(inFirst));

  const firstPart = [
    "(module",
    ...["type", "import", "global", "memory"].flatMap(all),
    ...data.first,
    ...tables,
    ` ${table}`,
    ...all("elem"),
    ...all("export"),
    ' (export "annex" (table $annex))',
    ...shared.map(([kind, name], index) => ` (export "${index}" (${kind} ${name}))`),
    ...linesOf(inFirst),
    " (func $bring-annex",
    `  (if (ref.is_null (table.get $annex (i32.const 0))) (then (call ${need})))`,
    " )",
    ...stubs,
    ")",
  ];
  const annexPart = [
    "(module",
    ...all("type"),
    ` (import "model" "memory" (memory ${nameOf(memory)} 1))`,
    ` (import "model" "annex" ${table})`,
    ...shared.map(([kind, name, type], index) => ` (import "model" "${index}" (${kind} ${name} ${type}))`),
    ...data.later,
    ` (elem (table $annex) (i32.const 0) func ${entries.join(" ")})`,
    ...annexLines,
    ")",
  ];
  const told = `${inFirst.length} functions for the first view, ${annex.length} in the annex, ` +
    `${entries.length} of them called from outside, ${used.length} called by it`;
  return { parts: { first: firstPart.join("\n"), annex: annexPart.join("\n") }, told };
}

/** Splits the module in `staging`, the folder of a page that Trunk has built. */
export function splitModel(staging) {
  const model = join(staging, readdirSync(staging).find((file) => file.endsWith("_bg.wasm")));
  const work = mkdtempSync(join(tmpdir(), "diorama-"));
  const at = (file) => join(work, file);
  try {
    run("wasm-dis", model, "-o", at("whole.wat"));
    const { parts, told } = split(readFileSync(at("whole.wat"), "utf8"), readAnnex(), readDataUse(linked));
    console.log(told);
    for (const [part, text] of Object.entries(parts)) {
      writeFileSync(at(`${part}.wat`), text);
      run("wasm-opt", "-Oz", at(`${part}.wat`), "-o", at(`${part}.wasm`));
    }
    copyFileSync(at("first.wasm"), model);
    const annex = readFileSync(at("annex.wasm"));
    const name = `annex-${createHash("sha256").update(annex).digest("hex").slice(0, 16)}.wasm`;
    writeFileSync(join(staging, name), annex);
    const page = join(staging, "index.html");
    const html = readFileSync(page, "utf8");
    const named = html.replace(/ data-page=/, ` data-annex="./${name}" data-page=`);
    if (named === html) throw new Error("index.html has no script with data-page: see Trunk.toml");
    writeFileSync(page, named);
  } finally {
    rmSync(work, { recursive: true });
  }
}
