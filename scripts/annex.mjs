// Which functions of the page's model come later than its first view, as scripts/annex.txt has it:
//
//     later diorama::kubectl
//     first diorama::kubectl::apply
//
// A path stands for everything beneath it, and the longest path that fits decides. So new code comes
// with the code around it, and whatever has no line here is there from the first.
import { readFileSync, writeFileSync } from "node:fs";
import { pathOf, stepsOf } from "./wat.mjs";

const file = "scripts/annex.txt";
const head = `# What of the page's model comes after its first view, and what with it: see scripts/annex.mjs.
# Written by \`npm run record-first-view\` and meant to be read; a line may be changed by hand.
`;

/** A function that tells by a function's name whether it belongs to the annex. */
export function readAnnex() {
  const root = { beneath: new Map() };
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, when, path] = line.match(/^(later|first) (.+)$/) ?? [];
    if (!when) throw new Error(`${file}: neither "later" nor "first": ${line}`);
    let place = root;
    for (const step of stepsOf(path)) place = at(place, step);
    place.isLater = when === "later";
  }
  return (name) => {
    let isLater = false;
    let place = root;
    for (const step of pathOf(name)) {
      place = place.beneath.get(step);
      if (!place) break;
      isLater = place.isLater ?? isLater;
    }
    return isLater;
  };
}

/**
 * Writes down as few lines as tell the functions that were called from those that were not.
 * `functions` are { name, size, isCalled }. Whatever was called comes first; what was not comes
 * later, unless that would not be worth a line.
 */
export function writeAnnex(functions) {
  const root = { beneath: new Map() };
  for (const { name, size, isCalled } of functions) {
    let place = root;
    for (const step of pathOf(name)) place = at(place, step);
    place.isCalled ||= isCalled;
    place.size = (place.size ?? 0) + size;
  }
  weigh(root);
  const lines = [];
  collect(root, false, [], lines);
  writeFileSync(file, head + lines.join(""));
}

const at = (place, step) => {
  if (!place.beneath.has(step)) place.beneath.set(step, { beneath: new Map() });
  return place.beneath.get(step);
};

/** What a line costs, in lines of WebAssembly text that come with the first view for want of it. */
const costOfLine = 60;

/** Works out what a place costs at least, where what is above it comes first, and where later. */
function weigh(place) {
  const own = place.isCalled ? { first: 0, later: Infinity } : { first: place.size ?? 0, later: 0 };
  for (const beneath of place.beneath.values()) {
    weigh(beneath);
    own.first += beneath.cost.first;
    own.later += beneath.cost.later;
  }
  place.own = own;
  place.cost = {
    first: Math.min(own.first, own.later + costOfLine),
    later: Math.min(own.later, own.first + costOfLine),
  };
}

function collect(place, isLater, path, lines) {
  const [stays, turns] = isLater ? [place.own.later, place.own.first] : [place.own.first, place.own.later];
  if (turns + costOfLine < stays) {
    isLater = !isLater;
    lines.push(`${isLater ? "later" : "first"} ${path.join("::")}\n`);
  }
  for (const step of [...place.beneath.keys()].sort()) {
    collect(place.beneath.get(step), isLater, [...path, step], lines);
  }
}
